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

// photograph draws a picture with what makes a photograph hard to store: slow changes of light, things with edges, and fine
// grain. As a JPEG of quality 90, 640 x 480 of it take about 150 kB, as COCO's do.
func photograph(seed uint64, width, height int) *image.RGBA {
	r := rand.New(rand.NewPCG(seed, 1))
	between := func(low, high float64) float64 { return low + (high-low)*r.Float64() }
	type disc struct{ x, y, radius, red, green, blue float64 }
	discs := make([]disc, 12)
	for i := range discs {
		discs[i] = disc{between(0, float64(width)), between(0, float64(height)), between(0.02, 0.4) * float64(height),
			50 * r.NormFloat64(), 50 * r.NormFloat64(), 50 * r.NormFloat64()}
	}
	var waves [3][3][4]float64 // of each colour: height, along x, along y, phase
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

// writePhotographs writes so many JPEGs of quality 90 into a folder, as PNGs too where that is asked for, and returns the mean
// size of the JPEGs in bytes.
func writePhotographs(dir string, n, width, height int, pngs bool) (mean float64, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	for i := range n {
		img, name := photograph(uint64(i), width, height), fmt.Sprintf("%dx%d-%05d", width, height, i)
		var out bytes.Buffer
		if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 90}); err != nil {
			return 0, err
		}
		mean += float64(out.Len()) / float64(n)
		if err := os.WriteFile(filepath.Join(dir, name+".jpg"), out.Bytes(), 0o644); err != nil {
			return 0, err
		}
		if !pngs {
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
