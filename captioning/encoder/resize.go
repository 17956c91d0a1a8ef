package encoder

import (
	"encoding/binary"
	"math"
)

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
//
// Two sums are computed at once, in the halves of a 64-bit number: a sum takes 30 bits and is at most 255 when shifted
// back, since weights are not negative.
func resample(src rows, columns, lines []window) *Pixels {
	width, height := len(columns), len(lines)
	top, bottom := lines[0].first, lines[height-1].end()
	narrow := narrowRows(src, columns, top, bottom)
	stride := narrowStride(width)
	out := &Pixels{Width: width, Height: height, RGB: make([]uint8, 3*width*height)}
	for y, w := range lines {
		to, from := out.RGB[3*y*width:3*(y+1)*width], narrow[(w.first-top)*stride:w.end()*stride-top*stride]
		for len(to) >= 8 {
			binary.LittleEndian.PutUint64(to, eightSums(from, stride, w.weights))
			to, from = to[8:], from[8:]
		}
		if len(to) > 0 {
			copy(to, binary.LittleEndian.AppendUint64(nil, eightSums(from, stride, w.weights)))
		}
	}
	return out
}

const (
	bothHalves = 1<<(weightBits-1) | 1<<(weightBits+31) // one half of a byte, to round both sums
	bothBytes  = 0xff | 0xff<<32
)

// eightSums returns eight bytes: the weighted sums of the first eight of each row.
func eightSums(rows []uint8, stride int, weights []uint32) uint64 {
	var a, b, c, d uint64 = bothHalves, bothHalves, bothHalves, bothHalves // of bytes 0 and 4, 1 and 5, ...
	at := 0
	for _, weight := range weights {
		v, w := binary.LittleEndian.Uint64(rows[at:at+8]), uint64(weight)
		a += v & bothBytes * w
		b += v >> 8 & bothBytes * w
		c += v >> 16 & bothBytes * w
		d += v >> 24 & bothBytes * w
		at += stride
	}
	a, b, c, d = a>>weightBits&bothBytes, b>>weightBits&bothBytes, c>>weightBits&bothBytes, d>>weightBits&bothBytes
	return a | b<<8 | c<<16 | d<<24
}

// narrowStride is the length of a row of narrowRows, of which 3*width bytes are used: a multiple of eight.
func narrowStride(width int) int { return (3*width + 7) &^ 7 }

// narrowRows scales the rows [top, bottom) to the columns, two rows at once.
func narrowRows(src rows, columns []window, top, bottom int) []uint8 {
	width, stride := len(columns), narrowStride(len(columns))
	from, end := columns[0].first, columns[width-1].end()
	out := make([]uint8, stride*(bottom-top+1))
	upper, lower := make([]uint8, 3*(end-from)), make([]uint8, 3*(end-from))
	weights, taps := padded(columns)
	pairs := make([]uint64, len(upper)+3*taps) // some zeros at the end
	for y := top; y < bottom; y += 2 {
		src.row(upper, y, from, end)
		if y+1 < bottom {
			src.row(lower, y+1, from, end)
		}
		pair(pairs, upper, lower)
		first, second := out[(y-top)*stride:][:3*width], out[(y-top+1)*stride:][:3*width]
		for x, w := range columns {
			r, g, b := threeSums(pairs[3*(w.first-from):], weights[x*taps:(x+1)*taps])
			one, two := first[3*x:3*x+3:3*x+3], second[3*x:3*x+3:3*x+3]
			one[0], two[0] = uint8(uint32(r)>>weightBits), uint8(r>>(32+weightBits))
			one[1], two[1] = uint8(uint32(g)>>weightBits), uint8(g>>(32+weightBits))
			one[2], two[2] = uint8(uint32(b)>>weightBits), uint8(b>>(32+weightBits))
		}
	}
	return out
}

// pair puts the bytes of two rows into the halves of numbers.
func pair(pairs []uint64, upper, lower []uint8) {
	pairs, lower = pairs[:len(upper)], lower[:len(upper)]
	i := 0
	for ; i+4 <= len(upper); i += 4 {
		v := uint64(binary.LittleEndian.Uint32(upper[i:i+4])) | uint64(binary.LittleEndian.Uint32(lower[i:i+4]))<<32
		four := pairs[i : i+4 : i+4]
		four[0], four[1], four[2], four[3] = v&bothBytes, v>>8&bothBytes, v>>16&bothBytes, v>>24&bothBytes
	}
	for ; i < len(upper); i++ {
		pairs[i] = uint64(upper[i]) | uint64(lower[i])<<32
	}
}

// padded returns the weights of all windows, with zeros behind them, so that each has as many: taps.
func padded(windows []window) (weights []uint64, taps int) {
	for _, w := range windows {
		taps = max(taps, len(w.weights))
	}
	weights = make([]uint64, len(windows)*taps)
	for i, w := range windows {
		for j, weight := range w.weights {
			weights[i*taps+j] = uint64(weight)
		}
	}
	return weights, taps
}

// threeSums returns the weighted sums of red, green and blue of pixels.
func threeSums(pixels, weights []uint64) (r, g, b uint64) {
	r, g, b = bothHalves, bothHalves, bothHalves
	for len(weights) >= 4 {
		p, w := (*[12]uint64)(pixels), (*[4]uint64)(weights)
		r += w[0]*p[0] + w[1]*p[3] + w[2]*p[6] + w[3]*p[9]
		g += w[0]*p[1] + w[1]*p[4] + w[2]*p[7] + w[3]*p[10]
		b += w[0]*p[2] + w[1]*p[5] + w[2]*p[8] + w[3]*p[11]
		pixels, weights = pixels[12:], weights[4:]
	}
	for j, weight := range weights {
		p := pixels[3*j : 3*j+3 : 3*j+3]
		r += weight * p[0]
		g += weight * p[1]
		b += weight * p[2]
	}
	return r, g, b
}
