package shapes

import "slices"

const (
	subpixel = 256 // horizontal and vertical steps in a pixel
	sublines = 16  // lines per pixel on which coverage is measured
	full     = sublines * subpixel
)

// rgb is a colour in sRGB, 8 bits per channel.
type rgb struct{ r, g, b uint8 }

// canvas is a square image being painted.
type canvas struct {
	size     int
	pix      []uint8 // 3 bytes per pixel, rows from the top
	coverage []int   // of each pixel in one row, 0..full

	crossings [][]int // x coordinates by line of the current polygon
}

func newCanvas(size int, ground rgb) *canvas {
	c := &canvas{size: size, pix: make([]uint8, 0, 3*size*size), coverage: make([]int, size)}
	for range size * size {
		c.pix = append(c.pix, ground.r, ground.g, ground.b)
	}
	return c
}

// fill paints a closed polygon, given in subpixels, with opacity 0..255. Edges are antialiased by the covered share of
// each pixel, which is exact along x and measured on 16 lines along y. The even-odd rule defines the inside.
func (c *canvas) fill(polygon []point, colour rgb, opacity int) {
	top, bottom, left, right := polygon[0].y, polygon[0].y, polygon[0].x, polygon[0].x
	for _, p := range polygon {
		top, bottom, left, right = min(top, p.y), max(bottom, p.y), min(left, p.x), max(right, p.x)
	}
	first, end := max(left/subpixel, 0), min(right/subpixel+1, c.size) // columns that may be covered
	if first >= end {
		return
	}
	coverage := c.coverage[first:end]
	topRow, bottomRow := max(top/subpixel, 0), min(bottom/subpixel, c.size-1)
	c.cross(polygon, topRow*sublines, max(0, bottomRow-topRow+1)*sublines)
	for row := topRow; row <= bottomRow; row++ {
		clear(coverage)
		for line := range sublines {
			crossings := c.crossings[(row-topRow)*sublines+line]
			slices.Sort(crossings)
			for i := 0; i+1 < len(crossings); i += 2 {
				c.cover(crossings[i], crossings[i+1])
			}
		}
		for x, covered := range coverage {
			if covered > 0 {
				c.blend(3*(row*c.size+first+x), colour, opacity*covered)
			}
		}
	}
}

// cross records where the polygon's edges cross each of the given number of lines, starting with line number first.
// Line k is k and a half steps below the top. The loop runs over edges because most edges cross few lines.
func (c *canvas) cross(polygon []point, first, lines int) {
	const step = subpixel / sublines
	for len(c.crossings) < lines {
		c.crossings = append(c.crossings, nil)
	}
	for k := range lines {
		c.crossings[k] = c.crossings[k][:0]
	}
	a := polygon[len(polygon)-1]
	for _, b := range polygon {
		from, to := min(a.y, b.y)-first*step-step/2, max(a.y, b.y)-first*step-step/2
		// All lines at or below the upper end and above the lower end of the edge.
		for k := max(0, (from+step-1)/step); k < lines && k*step < to; k++ {
			y := (first+k)*step + step/2
			c.crossings[k] = append(c.crossings[k], a.x+(y-a.y)*(b.x-a.x)/(b.y-a.y))
		}
		a = b
	}
}

// cover adds the span [from, to) of one line to the coverage of the pixels.
func (c *canvas) cover(from, to int) {
	from, to = max(from, 0), min(to, c.size*subpixel)
	if from >= to {
		return
	}
	first, last := from/subpixel, (to-1)/subpixel
	if first == last {
		c.coverage[first] += to - from
		return
	}
	c.coverage[first] += (first+1)*subpixel - from
	for x := first + 1; x < last; x++ {
		c.coverage[x] += subpixel
	}
	c.coverage[last] += to - last*subpixel
}

// blend mixes a colour into the pixel at offset at. The weight is 0..255*full.
func (c *canvas) blend(at int, colour rgb, weight int) {
	const most = 255 * full
	if weight == most {
		c.pix[at], c.pix[at+1], c.pix[at+2] = colour.r, colour.g, colour.b
		return
	}
	for i, v := range [3]uint8{colour.r, colour.g, colour.b} {
		c.pix[at+i] = uint8((int(c.pix[at+i])*(most-weight) + int(v)*weight + most/2) / most)
	}
}
