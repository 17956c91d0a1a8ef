package encoder

import "image"

// fromYCbCr converts a decoded JPEG. Chroma that was stored at half the size is brought back with the triangle filter
// that libjpeg calls "fancy upsampling" (each new sample is 3/4 of the nearer and 1/4 of the farther stored one), since
// the pretrained networks, and every Python pipeline, have seen pictures decoded that way.
func (p *Pixels) fromYCbCr(img *image.YCbCr) {
	halfX := img.SubsampleRatio == image.YCbCrSubsampleRatio420 || img.SubsampleRatio == image.YCbCrSubsampleRatio422
	halfY := img.SubsampleRatio == image.YCbCrSubsampleRatio420
	b := img.Bounds()
	if b.Min.X != 0 || b.Min.Y != 0 || (!halfX && img.SubsampleRatio != image.YCbCrSubsampleRatio444) {
		p.fromYCbCrPlain(img)
		return
	}
	chromaWidth := p.Width
	if halfX {
		chromaWidth = (p.Width + 1) / 2
	}
	cb, cr := make([]uint8, p.Width+1), make([]uint8, p.Width+1)
	sums := make([]int32, chromaWidth)
	for y := range p.Height {
		for _, plane := range []struct {
			from []uint8
			to   []uint8
		}{{img.Cb, cb}, {img.Cr, cr}} {
			switch {
			case halfY:
				near, far := y/2, y/2-1
				if y%2 == 1 {
					far = y/2 + 1
				}
				far = min(max(far, 0), (p.Height+1)/2-1)
				a, c := plane.from[near*img.CStride:], plane.from[far*img.CStride:]
				for x := range sums {
					sums[x] = 3*int32(a[x]) + int32(c[x])
				}
				spread(plane.to, sums, 8, 7, 4) // libjpeg's rounding alternates between 8 and 7
			case halfX:
				row := plane.from[y*img.CStride:]
				for x := range sums {
					sums[x] = int32(row[x])
				}
				spread(plane.to, sums, 1, 2, 2)
			default:
				copy(plane.to[:p.Width], plane.from[y*img.CStride:])
			}
		}
		luma := img.Y[y*img.YStride : y*img.YStride+p.Width]
		out := p.RGB[3*y*p.Width:]
		for x, v := range luma {
			out[3*x], out[3*x+1], out[3*x+2] = toRGB(int32(v), int32(cb[x]), int32(cr[x]))
		}
	}
}

// spread doubles a row of (scaled) chroma: 3/4 nearer plus 1/4 farther, the two roundings given, divided by 2^shift. The
// ends have no farther neighbour and stand for themselves.
func spread(to []uint8, from []int32, left, right int32, shift uint) {
	last := len(from) - 1
	for x, v := range from {
		before, after := v, v
		if x > 0 {
			before = from[x-1]
		}
		if x < last {
			after = from[x+1]
		}
		to[2*x] = uint8((3*v + before + left) >> shift)
		if 2*x+1 < len(to) {
			to[2*x+1] = uint8((3*v + after + right) >> shift)
		}
	}
}

// toRGB is the JFIF conversion in 16-bit fixed point.
func toRGB(y, cb, cr int32) (r, g, b uint8) {
	const half = 1 << 15
	cb, cr = cb-128, cr-128
	return clip8(y + (91881*cr+half)>>16), clip8(y + (-22554*cb-46802*cr+half)>>16), clip8(y + (116130*cb+half)>>16)
}

func clip8(v int32) uint8 { return uint8(min(max(v, 0), 255)) }

// fromYCbCrPlain serves the rare subsampling ratios.
func (p *Pixels) fromYCbCrPlain(img *image.YCbCr) {
	b := img.Bounds()
	i := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := img.YCbCrAt(x, y)
			p.RGB[i], p.RGB[i+1], p.RGB[i+2] = toRGB(int32(c.Y), int32(c.Cb), int32(c.Cr))
			i += 3
		}
	}
}
