package shapes

import (
	"bytes"
	"image/png"
	"testing"
)

// TestFillCoverage paints white on black: a pixel's value is the covered share of 255. The shares follow from geometry.
func TestFillCoverage(t *testing.T) {
	const p = subpixel
	for _, c := range []struct {
		name    string
		polygon []point
		want    [4]uint8 // red of each pixel on a 2x2 canvas, rows from the top
	}{
		{"one pixel", []point{{0, 0}, {p, 0}, {p, p}, {0, p}}, [4]uint8{255, 0, 0, 0}},
		{"half a pixel wide", []point{{0, 0}, {p / 2, 0}, {p / 2, p}, {0, p}}, [4]uint8{128, 0, 0, 0}},
		{"half a pixel high", []point{{0, p / 2}, {p, p / 2}, {p, p}, {0, p}}, [4]uint8{128, 0, 0, 0}},
		{"across all four", []point{{p / 2, p / 2}, {p + p/2, p / 2}, {p + p/2, p + p/2}, {p / 2, p + p/2}},
			[4]uint8{64, 64, 64, 64}},
		{"triangle over the canvas", []point{{0, 0}, {2 * p, 0}, {0, 2 * p}}, [4]uint8{255, 128, 128, 0}},
		{"beyond every edge", []point{{-9 * p, -9 * p}, {9 * p, -9 * p}, {9 * p, 9 * p}, {-9 * p, 9 * p}},
			[4]uint8{255, 255, 255, 255}},
		{"outside", []point{{5 * p, 5 * p}, {6 * p, 5 * p}, {6 * p, 6 * p}}, [4]uint8{}},
		{"no height", []point{{0, p / 2}, {p, p / 2}, {2 * p, p / 2}}, [4]uint8{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			canvas := newCanvas(2, rgb{})
			canvas.fill(c.polygon, rgb{255, 255, 255}, 255)
			for i, want := range c.want {
				if got := int(canvas.pix[3*i]); got < int(want)-1 || got > int(want)+1 {
					t.Errorf("pixel %d is %d, want %d: %v", i, got, want, canvas.pix)
				}
			}
		})
	}
}

func TestFillOpacity(t *testing.T) {
	c := newCanvas(1, rgb{200, 100, 0})
	c.fill([]point{{0, 0}, {subpixel, 0}, {subpixel, subpixel}, {0, subpixel}}, rgb{0, 100, 255}, 51) // a fifth
	if got, want := [3]uint8(c.pix), [3]uint8{160, 100, 51}; got != want {
		t.Errorf("mixed to %v, want %v", got, want)
	}
}

// TestEncodePNG decodes images with the standard library, with sizes below and above one stored block.
func TestEncodePNG(t *testing.T) {
	for _, size := range []int{1, 64, 147, 148, 224, 1024} {
		c := newCanvas(size, rgb{1, 2, 3})
		for i := range c.pix {
			c.pix[i] = uint8(i * 7)
		}
		image, err := png.Decode(bytes.NewReader(encodePNG(c)))
		if err != nil {
			t.Fatalf("%d pixels: %v", size, err)
		}
		for y := range size {
			for x := range size {
				r, g, b, _ := image.At(x, y).RGBA()
				at := 3 * (y*size + x)
				if uint8(r>>8) != c.pix[at] || uint8(g>>8) != c.pix[at+1] || uint8(b>>8) != c.pix[at+2] {
					t.Fatalf("%d pixels: (%d,%d) differs", size, x, y)
				}
			}
		}
	}
}
