package encoder

import (
	"bytes"
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"testing"
)

// bothWays runs a test with vectors, if the processor has them, and as on a processor without them.
func bothWays(t *testing.T, test func(*testing.T)) {
	t.Run("vectors", func(t *testing.T) {
		if !vectors {
			t.Skip("SKIPPED, NOT PASSED: this processor has no vectors that can be used")
		}
		test(t)
	})
	t.Run("numbers", func(t *testing.T) {
		withoutVectors(t)
		test(t)
	})
}

// noise is an image of random samples, in parts beyond the range of colours, that is a part of a larger image.
func noise(r *rand.Rand, width, height int, ratio image.YCbCrSubsampleRatio) *image.YCbCr {
	img := image.NewYCbCr(image.Rect(0, 0, width+7, height+5), ratio)
	for _, plane := range [][]uint8{img.Y, img.Cb, img.Cr} {
		for i := range plane {
			plane[i] = uint8(r.Uint32())
		}
	}
	return img.SubImage(image.Rect(0, 0, width, height)).(*image.YCbCr)
}

// chromaAt is the definition of upsampling, one sample at a time. The neighbours on both sides, in both directions,
// weigh 3 to 1.
func chromaAt(img *image.YCbCr, plane []uint8, x, y int) int {
	halfX, halfY := img.SubsampleRatio != image.YCbCrSubsampleRatio444,
		img.SubsampleRatio == image.YCbCrSubsampleRatio420
	stored := func(x, y int) int {
		width, height := img.Rect.Dx(), img.Rect.Dy()
		if halfX {
			width = (width + 1) / 2
		}
		if halfY {
			height = (height + 1) / 2
		}
		return int(plane[min(max(y, 0), height-1)*img.CStride+min(max(x, 0), width-1)])
	}
	if !halfX {
		return stored(x, y)
	}
	column := func(x int) int {
		if !halfY {
			return stored(x, y)
		}
		return 3*stored(x, y/2) + stored(x, y/2+y%2*2-1)
	}
	sum := 3*column(x/2) + column(x/2+x%2*2-1)
	if halfY {
		return (sum + 8 - x%2) >> 4
	}
	return (sum + 1 + x%2) >> 2
}

// pixelAt is the definition of the conversion, with the constants of JFIF in 16-bit fixed point.
func pixelAt(luma, cb, cr int) (p [3]uint8) {
	cb, cr = cb-128, cr-128
	for i, v := range []int{
		luma + (91881*cr+1<<15)>>16, luma + (-22554*cb-46802*cr+1<<15)>>16, luma + (116130*cb+1<<15)>>16,
	} {
		p[i] = uint8(min(max(v, 0), 255))
	}
	return p
}

// TestRowsOfPlanes compares parts of rows, of any length and from any pixel on, with the definition.
func TestRowsOfPlanes(t *testing.T) { bothWays(t, testRowsOfPlanes) }

func testRowsOfPlanes(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio444,
	} {
		for width := 1; width <= 90; width++ {
			height := 1 + width%6
			img := noise(r, width, height, ratio)
			rows := newPlanes(img)
			for y := range height {
				from := r.IntN(width)
				for _, part := range [][2]int{{0, width}, {from, from + 1 + r.IntN(width-from)}, {from, width}} {
					row := newLine(part[1]-part[0], 0)
					rows.row(row, y, part[0])
					got := make([]uint8, 3*(part[1]-part[0]))
					row.join(got)
					for x := part[0]; x < part[1]; x++ {
						luma := int(img.Y[y*img.YStride+x])
						want := pixelAt(luma, chromaAt(img, img.Cb, x, y), chromaAt(img, img.Cr, x, y))
						if p := [3]uint8(got[3*(x-part[0]):]); p != want {
							t.Fatalf("%v, %d x %d, pixels %v of row %d: pixel %d is %v, want %v",
								ratio, width, height, part, y, x, p, want)
						}
					}
				}
			}
		}
	}
}

// TestAllColours converts every combination of samples.
func TestAllColours(t *testing.T) { bothWays(t, testAllColours) }

func testAllColours(t *testing.T) {
	var all, cbs, crs [256]uint8
	for i := range all {
		all[i] = uint8(i)
	}
	out := newLine(256, 0)
	for cb := range 256 {
		for cr := range 256 {
			convert(out, all[:], bytesOf(&cbs, cb), bytesOf(&crs, cr))
			for luma := range 256 {
				if got, want := [3]uint8{out[0][luma], out[1][luma], out[2][luma]}, pixelAt(luma, cb, cr); got != want {
					t.Fatalf("%d, %d, %d: %v, want %v", luma, cb, cr, got, want)
				}
			}
		}
	}
}

func bytesOf(b *[256]uint8, v int) []uint8 {
	for i := range b {
		b[i] = uint8(v)
	}
	return b[:]
}

// scaled is the definition of scaling, one sample at a time.
func scaled(p *Pixels, columns, lines []window) *Pixels {
	pass := func(w window, sample func(i int) uint8) uint8 {
		sum := uint32(1 << (weightBits - 1))
		for j, weight := range w.weights {
			sum += weight * uint32(sample(w.first+j))
		}
		return uint8(sum >> weightBits)
	}
	out := &Pixels{Width: len(columns), Height: len(lines)}
	for _, line := range lines {
		for _, column := range columns {
			for c := range 3 {
				out.RGB = append(out.RGB, pass(line, func(y int) uint8 {
					return pass(column, func(x int) uint8 { return p.RGB[3*(y*p.Width+x)+c] })
				}))
			}
		}
	}
	return out
}

// TestResampleIsItsDefinition scales to all kinds of windows: short and long, and parts of an image.
func TestResampleIsItsDefinition(t *testing.T) { bothWays(t, testResample) }

func testResample(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		p := &Pixels{Width: 1 + r.IntN(120), Height: 1 + r.IntN(40)}
		for range 3 * p.Width * p.Height {
			p.RGB = append(p.RGB, uint8(r.Uint32()&0xff|r.Uint32()>>24*(r.Uint32()&1)))
		}
		width, height := 1+r.IntN(40), 1+r.IntN(40)
		left, top := r.IntN(width), r.IntN(height)
		columns := windows(p.Width, width, left, left+1+r.IntN(width-left))
		lines := windows(p.Height, height, top, top+1+r.IntN(height-top))
		name := fmt.Sprintf("%d x %d to %d x %d from %d, %d", p.Width, p.Height, width, height, left, top)
		if got := resample(p, columns, lines); !bytes.Equal(got.RGB, scaled(p, columns, lines).RGB) {
			t.Fatal(name)
		}
	}
}

// TestGrayRows reads parts of rows of a gray image.
func TestGrayRows(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 9, 4)).SubImage(image.Rect(0, 0, 7, 3)).(*image.Gray)
	img.Pix[9+2], img.Pix[9+3] = 80, 90
	got := newLine(2, 0)
	rows := grayRows{img}
	rows.row(got, 1, 2)
	for _, plane := range got {
		if !slices.Equal(plane, []uint8{80, 90}) {
			t.Errorf("%v", got)
		}
	}
	if width, height := rows.size(); width != 7 || height != 3 {
		t.Errorf("%d x %d pixels", width, height)
	}
}
