package encoder

import "math"

// rows is an image whose pixels are computed on demand, so that cropped pixels cost little.
type rows interface {
	size() (width, height int)
	// row computes the pixels of row y from pixel from on, as many as out takes.
	row(out line, y, from int)
}

// line is red, green and blue of some pixels of a row, each as many bytes.
type line [3][]uint8

// newLine returns a line of n pixels. Each slice has spare bytes behind it, which may be read.
func newLine(n, spare int) (l line) {
	for c := range l {
		l[c] = make([]uint8, n, n+spare)
	}
	return l
}

// join writes the pixels to rgb one after the other.
func (l line) join(rgb []uint8) {
	red, green, blue := l[0], l[1][:len(l[0])], l[2][:len(l[0])]
	rgb = rgb[:3*len(red)]
	for x, r := range red {
		pixel := rgb[3*x : 3*x+3 : 3*x+3]
		pixel[0], pixel[1], pixel[2] = r, green[x], blue[x]
	}
}

// split is the reverse of join.
func (l line) split(rgb []uint8) {
	red, green, blue := l[0], l[1][:len(l[0])], l[2][:len(l[0])]
	rgb = rgb[:3*len(red)]
	for x := range red {
		pixel := rgb[3*x : 3*x+3 : 3*x+3]
		red[x], green[x], blue[x] = pixel[0], pixel[1], pixel[2]
	}
}

func (p *Pixels) size() (width, height int) { return p.Width, p.Height }

func (p *Pixels) row(out line, y, from int) { out.split(p.RGB[3*(y*p.Width+from):]) }

// whole computes every pixel.
func whole(src rows) *Pixels {
	if p, ok := src.(*Pixels); ok {
		return p
	}
	width, height := src.size()
	p := &Pixels{Width: width, Height: height, RGB: make([]uint8, 3*width*height)}
	row := newLine(width, 0)
	for y := range height {
		src.row(row, y, 0)
		row.join(p.RGB[3*y*width:])
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
	n := narrowRows(src, columns, lines[0].first, lines[height-1].end())
	out := &Pixels{Width: width, Height: height, RGB: make([]uint8, 3*width*height)}
	sums := make([]uint8, n.stride())
	for y, w := range lines {
		rows := n.bytes[(w.first-n.top)*n.stride():]
		if vectors {
			weighVectors(&sums[0], &rows[0], n.stride(), pairsOf(w.weights), len(sums)/groupSize)
		} else {
			weighNumbers(sums, rows, n.stride(), w.weights)
		}
		line{sums[:width], sums[n.plane:][:width], sums[2*n.plane:][:width]}.join(out.RGB[3*y*width:])
	}
	return out
}

// groupSize is the number of bytes that are computed at once.
const groupSize = 16

// narrowed are rows scaled to their final width. A row is a plane of red, one of green and one of blue.
type narrowed struct {
	bytes []uint8 // with one row to spare at the end
	top   int     // number of the first row
	plane int     // bytes of a plane: at least the width, and a multiple of groupSize
}

func (n *narrowed) stride() int { return 3 * n.plane }

// narrowRows scales the rows [top, bottom) to the columns.
func narrowRows(src rows, columns []window, top, bottom int) *narrowed {
	n := &narrowed{top: top, plane: (len(columns) + groupSize - 1) / groupSize * groupSize}
	n.bytes = make([]uint8, (bottom-top+1)*n.stride())
	if vectors {
		if g := newGathering(columns); g != nil {
			n.byVectors(src, columns, g)
			return n
		}
	}
	n.byNumbers(src, columns)
	return n
}
