package encoder

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"
)

// BenchmarkDecode decodes and preprocesses a JPEG of 640 x 480 pixels of slow waves with fine grain, which takes about
// as many bytes as a photograph.
func BenchmarkDecode(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	img := image.NewRGBA(image.Rect(0, 0, 640, 480))
	for i := range img.Pix {
		x, y, c := float64(i/4%640), float64(i/4/640), float64(i%4)
		img.Pix[i] = uint8(128 + 40*math.Sin(x*0.03+y*0.01*c) + 40*math.Cos(y*0.05-x*0.02*c))
	}
	for i := 0; i < len(img.Pix); i += 4 {
		grain := 14 * r.NormFloat64()
		for c := range 3 {
			img.Pix[i+c] = uint8(min(max(float64(img.Pix[i+c])+grain, 0), 255))
		}
		img.Pix[i+3] = 255
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, &jpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	spec, err := Lookup("efficientnet-lite0")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := spec.Decode(bytes.NewReader(file.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}
