package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// drawImage draws a synthetic image that is as hard to compress as a camera's: slow gradients of light, sharp edges
// and fine grain. A 640 x 480 JPEG of quality 90 takes about 150 kB, like COCO's.
func drawImage(seed uint64, width, height int) *image.RGBA {
	r := rand.New(rand.NewPCG(seed, 1))
	between := func(low, high float64) float64 { return low + (high-low)*r.Float64() }
	type disc struct{ x, y, radius, red, green, blue float64 }
	discs := make([]disc, 12)
	for i := range discs {
		discs[i] = disc{
			between(0, float64(width)), between(0, float64(height)), between(0.02, 0.4) * float64(height),
			50 * r.NormFloat64(), 50 * r.NormFloat64(), 50 * r.NormFloat64(),
		}
	}
	var waves [3][3][4]float64 // for each colour three waves: height, frequency along x and along y, phase
	for c := range waves {
		for i := range waves[c] {
			waves[c][i] = [4]float64{between(10, 40), between(0.003, 0.1), between(-0.1, 0.1), between(0, 2*math.Pi)}
		}
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			fx, fy := float64(x), float64(y)
			v := [3]float64{128, 128, 128}
			for c, of := range waves {
				for _, w := range of {
					v[c] += w[0] * math.Sin(fx*w[1]+fy*w[2]+w[3])
				}
			}
			for _, d := range discs {
				if (fx-d.x)*(fx-d.x)+(fy-d.y)*(fy-d.y) < d.radius*d.radius {
					v[0], v[1], v[2] = v[0]+d.red, v[1]+d.green, v[2]+d.blue
				}
			}
			grain := 14 * r.NormFloat64()
			at := func(v float64) uint8 { return uint8(min(max(v+grain, 0), 255)) }
			img.SetRGBA(x, y, color.RGBA{at(v[0]), at(v[1]), at(v[2]), 255})
		}
	}
	return img
}

// drawn describes a set of synthetic images: how many, their size in pixels, and whether to write PNGs too.
type drawn struct {
	n, width, height int
	pngs             bool
}

// writeImages writes JPEGs of quality 90, and PNGs if wanted, to a folder and returns the mean size of the JPEGs in
// bytes.
func writeImages(dir string, d drawn) (mean float64, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	for i := range d.n {
		img, name := drawImage(uint64(i), d.width, d.height), fmt.Sprintf("%dx%d-%05d", d.width, d.height, i)
		var out bytes.Buffer
		if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 90}); err != nil {
			return 0, err
		}
		mean += float64(out.Len()) / float64(d.n)
		if err := os.WriteFile(filepath.Join(dir, name+".jpg"), out.Bytes(), 0o644); err != nil {
			return 0, err
		}
		if !d.pngs {
			continue
		}
		out.Reset()
		if err := png.Encode(&out, img); err != nil {
			return 0, err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".png"), out.Bytes(), 0o644); err != nil {
			return 0, err
		}
	}
	return mean, nil
}
