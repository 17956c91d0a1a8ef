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

// Strip draws a vector as a heat map with columns values in a row: white is 0, values up to top are blue, values below
// zero are red. Strips drawn with the same top are comparable.
func Strip(v []float32, columns int, top float64) (template.HTML, error) {
	if columns < 1 || len(v) == 0 || !(top > 0) {
		return "", fmt.Errorf("strip of %d values, %d columns, top %g: all three must be above 0", len(v), columns, top)
	}
	rows := (len(v) + columns - 1) / columns
	img := image.NewNRGBA(image.Rect(0, 0, columns, rows))
	for i, x := range v {
		strength := uint8(255 - 255*math.Sqrt(min(1, math.Abs(float64(x))/top))) // the root makes small values visible
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
	return template.HTML(fmt.Sprintf(`<img src="data:image/png;base64,%s" alt="%d values" `+
		`style="width:%dpx;height:%dpx;image-rendering:pixelated;border:1px solid #ccc">`,
		base64.StdEncoding.EncodeToString(out.Bytes()), len(v), 4*columns, 4*rows)), nil
}
