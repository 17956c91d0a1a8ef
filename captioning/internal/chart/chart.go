// Package chart draws line charts and histograms as self-contained SVG for files, web pages and saved notebooks. Every
// chart has the same look; it follows the reader's choice of a light or dark color scheme.
package chart

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Chart is one chart. The right axis is drawn if a series uses it.
type Chart struct {
	Title, X, Left, Right string // titles of the chart and of its axes; empty ones take no space
	LogX                  bool   // logarithmic x axis; points with x <= 0 are left out
	WholeX                bool   // the x axis has ticks at whole numbers only
	// Width and Height are the size in pixels without the legend, which is below the chart. 0 means 760 and 400.
	Width, Height int
	Series        []Series
}

// Series is one line with its points, or the bars of one histogram.
type Series struct {
	Name      string // empty: not in the legend
	Points    [][2]float64
	OnRight   bool // measured on the right axis, and dashed
	SameColor bool // has the color of the series before it
	// Bars is the width of bars, in units of x. If it is above 0, each point is the top center of a bar that starts at
	// zero, and the points must be sorted by x. The first series of bars is filled, the others are outlines in front
	// of it.
	Bars float64
}

// maxMarked is the number of points up to which a line has a marker at each point.
const maxMarked = 25

// drawing is a chart in the making.
type drawing struct {
	Chart
	out                      strings.Builder
	width, height            int // of the whole image, without the legend
	left, right, top, bottom int // edges of the frame
	x                        axis
	sides                    [2]axis // left and right
}

// SVG draws the chart. Points that are not finite are left out. Equal charts give equal text.
func (c Chart) SVG() string {
	d := drawing{Chart: c, width: c.Width, height: c.Height}
	if d.width == 0 {
		d.width = 760
	}
	if d.height == 0 {
		d.height = 400
	}
	d.measure()
	legend := d.legend()
	total := d.height
	if len(legend) > 0 {
		total = legend[len(legend)-1].y + legendLine
	}
	fmt.Fprintf(&d.out, `<svg xmlns="http://www.w3.org/2000/svg" class="captionlab-chart" viewBox="0 0 %d %d"`+
		` width="%d" height="%d" font-family="%s" font-size="12" role="img" aria-label="%s">`+"\n",
		d.width, total, d.width, total, fontFamily, html.EscapeString(c.Title))
	d.out.WriteString(styleSheet)
	fmt.Fprintf(&d.out, `<rect class="paper" width="%d" height="%d"/>`+"\n", d.width, total)
	if c.Title != "" {
		d.text(label{x: float64(d.width) / 2, y: 22, anchor: "middle", class: "title", text: c.Title})
	}
	d.drawAxes()
	for i := range c.Series {
		d.drawSeries(i)
	}
	d.drawLegend(legend)
	d.out.WriteString("</svg>\n")
	return d.out.String()
}

// measure sets the ranges of the axes and the edges of the frame.
func (d *drawing) measure() {
	d.x = axis{log: d.LogX, whole: d.WholeX}
	distinct := make(map[float64]bool)
	for _, s := range d.Series {
		for _, p := range d.points(s) {
			distinct[p[0]] = true
			d.x.include(p[0] - s.Bars/2)
			d.x.include(p[0] + s.Bars/2)
			y := &d.sides[side(s)]
			y.include(p[1])
			if s.Bars > 0 {
				y.include(0)
				y.onZero = true
			}
		}
	}
	d.top, d.bottom = 14, d.height-28
	if d.Title != "" {
		d.top = 38
	}
	if d.X != "" {
		d.bottom -= 20
	}
	for i := range d.sides {
		d.sides[i].setSpan(float64(d.bottom), float64(d.top), 30)
	}
	d.left = d.margin(d.sides[0], d.Left)
	d.right = d.width - max(20, d.margin(d.sides[1], d.Right))
	d.x.setSpan(float64(d.left), float64(d.right), 60)
	if d.LogX && len(distinct) <= 6 {
		d.x.tickAt(distinct)
	}
}

// margin is the space in pixels for a vertical axis: its labels and its title.
func (d *drawing) margin(a axis, title string) int {
	if !a.any {
		return 0
	}
	widest := 0.0
	for _, t := range a.ticks {
		widest = max(widest, textWidth(t.text))
	}
	space := int(math.Ceil(widest)) + 14
	if title != "" {
		space += 24
	}
	return space
}

// points are the points of a series that can be drawn.
func (d *drawing) points(s Series) [][2]float64 {
	var out [][2]float64
	for _, p := range s.Points {
		if sum := p[0] + p[1]; math.IsNaN(sum) || math.IsInf(sum, 0) || d.LogX && p[0]-s.Bars/2 <= 0 {
			continue
		}
		out = append(out, p)
	}
	return out
}

func side(s Series) int {
	if s.OnRight {
		return 1
	}
	return 0
}

// drawAxes draws the grid, the frame, and the labels and titles of the axes.
func (d *drawing) drawAxes() {
	for _, t := range d.x.ticks {
		x := d.x.place(t.value)
		fmt.Fprintf(&d.out, `<path class="grid" d="M%.1f %dV%d"/>`+"\n", x, d.top, d.bottom)
		d.text(label{x: x, y: float64(d.bottom) + 18, anchor: "middle", class: "tick", text: t.text})
	}
	middleY := float64(d.top+d.bottom) / 2
	for i, a := range d.sides {
		if !a.any {
			continue
		}
		at, anchor, name, turn, where := float64(d.left-8), "end", d.Left, -90, 16.0
		if i == 1 {
			at, anchor, name, turn, where = float64(d.right+8), "start", d.Right, 90, float64(d.width-16)
		}
		for _, t := range a.ticks {
			y := a.place(t.value)
			if i == 0 || !d.sides[0].any {
				fmt.Fprintf(&d.out, `<path class="grid" d="M%d %.1fH%d"/>`+"\n", d.left, y, d.right)
			}
			d.text(label{x: at, y: y + 4, anchor: anchor, class: "tick", text: t.text})
		}
		d.text(label{x: where, y: middleY, anchor: "middle", class: "name", text: name, turn: turn})
	}
	fmt.Fprintf(&d.out, `<rect class="frame" x="%d" y="%d" width="%d" height="%d"/>`+"\n",
		d.left, d.top, d.right-d.left, d.bottom-d.top)
	middleX := float64(d.left+d.right) / 2
	d.text(label{x: middleX, y: float64(d.bottom) + 40, anchor: "middle", class: "name", text: d.X})
}

// label is a piece of text at a place.
type label struct {
	x, y   float64
	anchor string // start, middle or end
	class  string
	text   string
	turn   int // degrees, clockwise
}

func (d *drawing) text(l label) {
	if l.text == "" {
		return
	}
	turn := ""
	if l.turn != 0 {
		turn = fmt.Sprintf(` transform="rotate(%d %.1f %.1f)"`, l.turn, l.x, l.y)
	}
	fmt.Fprintf(&d.out, `<text class="%s" x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>`+"\n",
		l.class, l.x, l.y, l.anchor, turn, html.EscapeString(l.text))
}
