package encoder

import "math"

// resize scales the picture with an antialiased bilinear filter, in the way of the Python Imaging Library: columns first,
// then rows, weights as 22-bit integers, rounded to bytes after each of the two. torchvision's Resize on a PIL image
// gives these bytes.
func (p *Pixels) resize(width, height int) *Pixels {
	out := p
	if width != p.Width {
		out = out.resizeColumns(width)
	}
	if height != p.Height {
		out = out.resizeRows(height)
	}
	return out
}

const weightBits = 22

// window says which source samples make one output sample, and their integer weights.
type window struct {
	first   int
	weights []int32
}

// windows are the triangle filters of half-width max(1, from/to) source samples around each output sample.
func windows(from, to int) []window {
	scale := float64(from) / float64(to)
	half := math.Max(scale, 1)
	out := make([]window, to)
	for i := range out {
		centre := (float64(i) + 0.5) * scale
		first := max(int(centre-half+0.5), 0)
		last := min(int(centre+half+0.5), from)
		raw, sum := make([]float64, last-first), 0.0
		for j := range raw {
			raw[j] = math.Max(1-math.Abs((float64(first+j)-centre+0.5)/half), 0)
			sum += raw[j]
		}
		weights := make([]int32, len(raw))
		for j, w := range raw {
			weights[j] = int32(math.Floor(w/sum*(1<<weightBits) + 0.5))
		}
		out[i] = window{first, weights}
	}
	return out
}

func (p *Pixels) resizeColumns(width int) *Pixels {
	out := &Pixels{Width: width, Height: p.Height, RGB: make([]uint8, 3*width*p.Height)}
	all := windows(p.Width, width)
	for y := range p.Height {
		row := p.RGB[3*y*p.Width : 3*(y+1)*p.Width]
		to := out.RGB[3*y*width:]
		for x, w := range all {
			var r, g, b int32 = 1 << (weightBits - 1), 1 << (weightBits - 1), 1 << (weightBits - 1)
			from := row[3*w.first:]
			for j, weight := range w.weights {
				r += weight * int32(from[3*j])
				g += weight * int32(from[3*j+1])
				b += weight * int32(from[3*j+2])
			}
			to[3*x], to[3*x+1], to[3*x+2] = clip8(r>>weightBits), clip8(g>>weightBits), clip8(b>>weightBits)
		}
	}
	return out
}

func (p *Pixels) resizeRows(height int) *Pixels {
	out := &Pixels{Width: p.Width, Height: height, RGB: make([]uint8, 3*p.Width*height)}
	sums := make([]int32, 3*p.Width)
	for y, w := range windows(p.Height, height) {
		for i := range sums {
			sums[i] = 1 << (weightBits - 1)
		}
		for j, weight := range w.weights {
			row := p.RGB[3*(w.first+j)*p.Width:]
			for i := range sums {
				sums[i] += weight * int32(row[i])
			}
		}
		to := out.RGB[3*y*p.Width:]
		for i, sum := range sums {
			to[i] = clip8(sum >> weightBits)
		}
	}
	return out
}
