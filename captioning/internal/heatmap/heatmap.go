// Package heatmap draws where a model looks in an image: bright places count, dark ones do not.
package heatmap

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// darkest is the share of its brightness that a place with a weight of 0 keeps.
const darkest = 0.2

// Overlay returns img darkened where the weights are small. They are those of the places of a square grid over the
// image, row by row from the top left, and are taken relative to the largest one. Fails if their number is not a
// square.
func Overlay(img image.Image, weights []float32) (*image.RGBA, error) {
	side := int(math.Round(math.Sqrt(float64(len(weights)))))
	if side == 0 || side*side != len(weights) {
		return nil, fmt.Errorf("heat map of %d places: they are not a square", len(weights))
	}
	largest := slices.Max(weights)
	small := image.NewGray16(image.Rect(0, 0, side, side))
	for i, w := range weights {
		share := 0.0
		if largest > 0 {
			share = max(0, float64(w/largest))
		}
		small.SetGray16(i%side, i/side, color.Gray16{Y: uint16(math.Round(share * math.MaxUint16))})
	}
	bounds := image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy())
	light := image.NewGray16(bounds)
	draw.BiLinear.Scale(light, bounds, small, small.Bounds(), draw.Src, nil)
	out := image.NewRGBA(bounds)
	draw.Draw(out, bounds, img, img.Bounds().Min, draw.Src)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			keep := darkest + (1-darkest)*float64(light.Gray16At(x, y).Y)/math.MaxUint16
			c := out.RGBAAt(x, y)
			dim := func(v uint8) uint8 { return uint8(math.Round(float64(v) * keep)) }
			out.SetRGBA(x, y, color.RGBA{dim(c.R), dim(c.G), dim(c.B), 255})
		}
	}
	return out, nil
}

// The layout of a sheet, in pixels.
const (
	columns  = 5
	tile     = 160
	label    = 22
	margin   = 6
	baseline = 15 // of a label, from its top
)

// Sheet draws an image and then, for each word, an overlay of it with the word's weights below the word.
func Sheet(img image.Image, words []string, weights [][]float32) (image.Image, error) {
	if len(words) != len(weights) {
		return nil, fmt.Errorf("heat maps of %d words with %d arrays of weights", len(words), len(weights))
	}
	tiles, labels := []image.Image{img}, []string{""}
	for i, word := range words {
		heat, err := Overlay(img, weights[i])
		if err != nil {
			return nil, fmt.Errorf("%q: %w", word, err)
		}
		tiles, labels = append(tiles, heat), append(labels, word)
	}
	rows, across := (len(tiles)+columns-1)/columns, min(columns, len(tiles))
	sheet := image.NewRGBA(image.Rect(0, 0, across*(tile+margin)+margin, rows*(tile+label+margin)+margin))
	draw.Draw(sheet, sheet.Bounds(), image.White, image.Point{}, draw.Src)
	for i, t := range tiles {
		x, y := margin+i%columns*(tile+margin), margin+i/columns*(tile+label+margin)
		writer := font.Drawer{Dst: sheet, Src: image.Black, Face: basicfont.Face7x13,
			Dot: fixed.P(x, y+baseline)}
		writer.DrawString(labels[i])
		draw.CatmullRom.Scale(sheet, image.Rect(x, y+label, x+tile, y+label+tile), t, t.Bounds(), draw.Src, nil)
	}
	return sheet, nil
}
