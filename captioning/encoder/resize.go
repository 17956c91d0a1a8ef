package encoder

import "math"

// rows is an image whose pixels are computed on demand, so that cropped pixels cost little.
type rows interface {
	size() (width, height int)
	// row writes red, green and blue of the pixels [from, end) of row y to out.
	row(out []uint8, y, from, end int)
}

func (p *Pixels) size() (width, height int) { return p.Width, p.Height }

func (p *Pixels) row(out []uint8, y, from, end int) {
	copy(out, p.RGB[3*(y*p.Width+from):3*(y*p.Width+end)])
}

// whole computes every pixel.
func whole(src rows) *Pixels {
	if p, ok := src.(*Pixels); ok {
		return p
	}
	width, height := src.size()
	p := &Pixels{Width: width, Height: height, RGB: make([]uint8, 3*width*height)}
	for y := range height {
		src.row(p.RGB[3*y*width:3*(y+1)*width], y, 0, width)
	}
	return p
}

const weightBits = 22

// window is the range of source samples that contribute to one output sample, and their integer weights, which add up
// to 1 << weightBits except for rounding.
type window struct {
	first   int
	weights []uint32
}

func (w window) end() int { return w.first + len(w.weights) }

// windows returns the triangle filters of the output samples [begin, end) for scaling from samples to to samples. The
// half-width of a filter is max(1, from/to) source samples.
func windows(from, to, begin, end int) []window {
	scale := float64(from) / float64(to)
	half := math.Max(scale, 1)
	out := make([]window, 0, end-begin)
	all := make([]uint32, 0, (end-begin)*int(2*half+2))
	var raw []float64
	for i := begin; i < end; i++ {
		centre := (float64(i) + 0.5) * scale
		first := max(int(centre-half+0.5), 0)
		last := min(int(centre+half+0.5), from)
		raw = raw[:0]
		sum := 0.0
		for j := range last - first {
			w := math.Max(1-math.Abs((float64(first+j)-centre+0.5)/half), 0)
			raw = append(raw, w)
			sum += w
		}
		at := len(all)
		for _, w := range raw {
			all = append(all, uint32(math.Floor(w/sum*(1<<weightBits)+0.5)))
		}
		out = append(out, window{first, all[at:]})
	}
	return out
}

// resample scales an image with an antialiased bilinear filter, as the Python Imaging Library does: columns first,
// then rows, with weights of 22 bits, rounded to bytes after each pass. torchvision's Resize of a PIL image gives the
// same bytes. Only the pixels inside the windows of columns and lines are computed.
func resample(src rows, columns, lines []window) *Pixels {
	width, height := len(columns), len(lines)
	top, bottom := lines[0].first, lines[height-1].end()
	narrow := narrowRows(src, columns, top, bottom)
	out := &Pixels{Width: width, Height: height, RGB: make([]uint8, 3*width*height)}
	sums := make([]uint32, 3*width)
	for y, w := range lines {
		for i := range sums {
			sums[i] = 1 << (weightBits - 1)
		}
		for j, weight := range w.weights {
			row := narrow[3*(w.first-top+j)*width:][:len(sums)]
			for i := range sums {
				sums[i] += weight * uint32(row[i])
			}
		}
		to := out.RGB[3*y*width:][:len(sums)]
		for i, sum := range sums {
			to[i] = uint8(sum >> weightBits)
		}
	}
	return out
}

// narrowRows scales the rows [top, bottom) to the columns. It sums two rows at once, in the halves of a 64-bit
// number: a sum takes 30 bits and is at most 255 when shifted back, since weights are not negative.
func narrowRows(src rows, columns []window, top, bottom int) []uint8 {
	width := len(columns)
	from, end := columns[0].first, columns[width-1].end()
	out := make([]uint8, 3*width*(bottom-top+1))
	upper, lower := make([]uint8, 3*(end-from)), make([]uint8, 3*(end-from))
	pairs := make([]uint64, len(upper))
	for y := top; y < bottom; y += 2 {
		src.row(upper, y, from, end)
		if y+1 < bottom {
			src.row(lower, y+1, from, end)
		}
		for i, v := range upper {
			pairs[i] = uint64(v) | uint64(lower[i])<<32
		}
		first, second := out[3*(y-top)*width:][:3*width], out[3*(y-top+1)*width:][:3*width]
		for x, w := range columns {
			const half = 1<<(weightBits-1) | 1<<(weightBits+31)
			var r, g, b uint64 = half, half, half
			at := pairs[3*(w.first-from):]
			for j, weight := range w.weights {
				pixel := at[3*j : 3*j+3 : 3*j+3]
				r += uint64(weight) * pixel[0]
				g += uint64(weight) * pixel[1]
				b += uint64(weight) * pixel[2]
			}
			one, two := first[3*x:3*x+3:3*x+3], second[3*x:3*x+3:3*x+3]
			one[0], two[0] = uint8(uint32(r)>>weightBits), uint8(r>>(32+weightBits))
			one[1], two[1] = uint8(uint32(g)>>weightBits), uint8(g>>(32+weightBits))
			one[2], two[2] = uint8(uint32(b)>>weightBits), uint8(b>>(32+weightBits))
		}
	}
	return out
}
