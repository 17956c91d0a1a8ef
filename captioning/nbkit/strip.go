package nbkit

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"math"
)

// Strip draws a vector as a strip of heat, value by value in rows of the given length: white is 0, blue grows up to top, and red
// grows below zero. Vectors that are drawn with the same top can be compared by eye.
func Strip(v []float32, columns int, top float64) (template.HTML, error) {
	if columns < 1 || len(v) == 0 || !(top > 0) {
		return "", fmt.Errorf("a strip of %d values in rows of %d up to %g: all three must be above 0", len(v), columns, top)
	}
	rows := (len(v) + columns - 1) / columns
	img := image.NewNRGBA(image.Rect(0, 0, columns, rows))
	for i, x := range v {
		strength := uint8(255 - 255*math.Sqrt(min(1, math.Abs(float64(x))/top))) // the root lets small values show
		c := color.NRGBA{strength, strength, 255, 255}
		if x < 0 {
			c = color.NRGBA{255, strength, strength, 255}
		}
		img.SetNRGBA(i%columns, i/columns, c)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return "", err
	}
	return template.HTML(fmt.Sprintf(`<img src="data:image/png;base64,%s" style="width:%dpx;height:%dpx;image-rendering:pixelated;border:1px solid #ccc" alt="%d values">`,
		base64.StdEncoding.EncodeToString(out.Bytes()), 4*columns, 4*rows, len(v))), nil
}
