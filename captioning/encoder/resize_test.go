package encoder

import (
	"bytes"
	"fmt"
	"testing"
)

func constant(width, height int, colour [3]uint8) *Pixels {
	return &Pixels{width, height, bytes.Repeat(colour[:], width*height)}
}

// resize scales the whole image.
func (p *Pixels) resize(width, height int) *Pixels {
	return resample(p, windows(p.Width, width, 0, width), windows(p.Height, height, 0, height))
}

// TestConstantStaysConstant: the weights of every window add up to one, for all sizes.
func TestConstantStaysConstant(t *testing.T) {
	colour := [3]uint8{0, 255, 77}
	sizes := []int{1, 2, 3, 7, 16, 31, 100}
	for _, from := range sizes {
		for _, to := range sizes {
			p := constant(from, from+1, colour).resize(to, to+2)
			if p.Width != to || p.Height != to+2 {
				t.Fatalf("%d x %d to %d x %d gives %d x %d", from, from+1, to, to+2, p.Width, p.Height)
			}
			if !bytes.Equal(p.RGB, constant(to, to+2, colour).RGB) {
				t.Errorf("%d x %d to %d x %d changes a constant colour", from, from+1, to, to+2)
			}
		}
	}
}

// TestMirrorCommutes: mirroring and resizing commute, except for the rounding of the weights.
func TestMirrorCommutes(t *testing.T) {
	source := &Pixels{37, 23, nil}
	for _, u := range formula(3*37*23, 3) {
		source.RGB = append(source.RGB, uint8(127.5*(u+1)))
	}
	for _, size := range [][2]int{{11, 23}, {37, 9}, {50, 60}, {5, 70}} {
		a, b := mirrored(source.resize(size[0], size[1])), mirrored(source).resize(size[0], size[1])
		if worst := largestDifference(a.RGB, b.RGB); worst > 1 {
			t.Errorf("to %v: bytes differ by %d", size, worst)
		}
	}
}

func mirrored(p *Pixels) *Pixels {
	out := &Pixels{p.Width, p.Height, make([]uint8, len(p.RGB))}
	for i := range p.Width * p.Height {
		x, y := i%p.Width, i/p.Width
		copy(out.RGB[3*(y*p.Width+p.Width-1-x):][:3], p.RGB[3*i:3*i+3])
	}
	return out
}

// TestPreprocessShapes: every image becomes the encoder's square, and a constant one keeps its colour.
func TestPreprocessShapes(t *testing.T) {
	colour := [3]uint8{12, 200, 99}
	for _, name := range Names() {
		spec, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range [][2]int{
			{1, 1}, {1, 2}, {3, 2}, {spec.Crop, spec.Crop}, {spec.Crop + 1, spec.Crop}, {500, 333}, {2000, 7}, {1, 500},
		} {
			t.Run(fmt.Sprintf("%s %d x %d", name, size[0], size[1]), func(t *testing.T) {
				p, err := spec.Preprocess(constant(size[0], size[1], colour))
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(p.RGB, constant(spec.Crop, spec.Crop, colour).RGB) {
					t.Errorf("%d x %d pixels, or another colour", p.Width, p.Height)
				}
			})
		}
	}
}
