// Package chart draws line charts as SVG that stands by itself: in a file, a README or a saved notebook.
// It exists beside gonum/plot, which package nbkit uses, for the second axis that gonum/plot does not have.
package chart

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Chart is one chart. Its right axis is drawn where a series asks for it.
type Chart struct {
	Title, X, Left, Right string // captions of the chart and of its axes
	LogX                  bool   // the x axis shows powers evenly
	Series                []Series
}

// Series is one line with its points.
type Series struct {
	Name    string
	Points  [][2]float64
	OnRight bool // measured on the right axis
	Dashed  bool
}

// colors are told apart by most people (Okabe and Ito 2008).
var colors = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#b8860b", "#7f3c8d", "#11a579"}

const (
	width, height            = 760, 400
	left, right, top, bottom = 64, 64, 36, 52
	legendLine               = 18
)

// SVG draws the chart. Points that are not finite are left out. The same chart gives the same text.
func (c Chart) SVG() string {
	legend := (len(c.Series)+2)/3*legendLine + 8
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="sans-serif" font-size="12" role="img" aria-label="%s">`+"\n",
		width, height+legend, width, height+legend, html.EscapeString(c.Title))
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", width, height+legend)
	text(&out, width/2, 20, "middle", "#000000", c.Title, `font-size="14" font-weight="bold"`)

	x := axis{log: c.LogX, from: left, to: width - right}
	sides := [2]axis{{from: height - bottom, to: top}, {from: height - bottom, to: top}}
	for _, s := range c.Series {
		for _, p := range s.Points {
			if !finite(p) || c.LogX && p[0] <= 0 {
				continue
			}
			x.include(p[0])
			sides[side(s)].include(p[1])
		}
	}
	for _, tick := range x.ticks() {
		fmt.Fprintf(&out, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#e4e4e4"/>`+"\n", x.place(tick), top, x.place(tick), height-bottom)
		text(&out, x.place(tick), height-bottom+16, "middle", "#333333", number(tick), "")
	}
	text(&out, (left+width-right)/2, height-12, "middle", "#000000", c.X, "")
	for i, a := range sides {
		at, anchor, name, turn := float64(left-6), "end", c.Left, -90
		if i == 1 {
			at, anchor, name, turn = width-right+6, "start", c.Right, 90
		}
		for _, tick := range a.ticks() {
			if i == 0 {
				fmt.Fprintf(&out, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#e4e4e4"/>`+"\n", left, a.place(tick), width-right, a.place(tick))
			}
			text(&out, at, a.place(tick)+4, anchor, "#333333", number(tick), "")
		}
		if a.any {
			middle := (top + height - bottom) / 2
			where := 16
			if i == 1 {
				where = width - 16
			}
			text(&out, float64(where), float64(middle), "middle", "#000000", name, fmt.Sprintf(`transform="rotate(%d %d %d)"`, turn, where, middle))
		}
	}
	fmt.Fprintf(&out, `<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#888888"/>`+"\n", left, top, width-left-right, height-top-bottom)
	for i, s := range c.Series {
		color, dash := colors[i%len(colors)], ""
		if s.Dashed || s.OnRight {
			dash = ` stroke-dasharray="6 4"`
		}
		var line []string
		for _, p := range s.Points {
			if finite(p) && (!c.LogX || p[0] > 0) {
				line = append(line, fmt.Sprintf("%.1f,%.1f", x.place(p[0]), sides[side(s)].place(p[1])))
			}
		}
		fmt.Fprintf(&out, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"%s/>`+"\n", strings.Join(line, " "), color, dash)
		for _, p := range line {
			px, py, _ := strings.Cut(p, ",")
			fmt.Fprintf(&out, `<circle cx="%s" cy="%s" r="3" fill="%s"/>`+"\n", px, py, color)
		}
		lx, ly := left+i%3*(width-left-right)/3, height+i/3*legendLine+8
		fmt.Fprintf(&out, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="3"%s/>`+"\n", lx, ly, lx+24, ly, color, dash)
		text(&out, float64(lx+30), float64(ly+4), "start", "#000000", s.Name, "")
	}
	out.WriteString("</svg>\n")
	return out.String()
}

func side(s Series) int {
	if s.OnRight {
		return 1
	}
	return 0
}

func finite(p [2]float64) bool {
	return !math.IsNaN(p[0]+p[1]) && !math.IsInf(p[0]+p[1], 0)
}

func text(out *strings.Builder, x, y float64, anchor, color, what, more string) {
	if more != "" {
		more = " " + more
	}
	fmt.Fprintf(out, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s"%s>%s</text>`+"\n", x, y, anchor, color, more, html.EscapeString(what))
}

// axis maps values to places.
type axis struct {
	log, any  bool
	low, high float64
	from, to  float64
}

func (a *axis) include(v float64) {
	if !a.any {
		a.any, a.low, a.high = true, v, v
	}
	a.low, a.high = min(a.low, v), max(a.high, v)
}

// ends are the ends of the axis: a little beyond the values.
func (a *axis) ends() (low, high float64) {
	low, high = a.low, a.high
	if a.log {
		low, high = math.Log(low), math.Log(high)
	}
	margin := 0.05 * (high - low)
	if margin == 0 {
		margin = max(math.Abs(high)*0.1, 1e-9)
	}
	return low - margin, high + margin
}

func (a *axis) place(v float64) float64 {
	low, high := a.ends()
	if a.log {
		v = math.Log(v)
	}
	return a.from + (v-low)/(high-low)*(a.to-a.from)
}

// ticks are round values on the axis; on a logarithmic one 1, 2 and 5 times powers of ten.
func (a *axis) ticks() []float64 {
	if !a.any {
		return nil
	}
	low, high := a.ends()
	var out []float64
	if a.log {
		for e := math.Floor(low / math.Ln10); e <= math.Ceil(high/math.Ln10); e++ {
			for _, m := range []float64{1, 2, 5} {
				if v := m * math.Pow(10, e); math.Log(v) >= low && math.Log(v) <= high {
					out = append(out, v)
				}
			}
		}
		return out
	}
	step := math.Pow(10, math.Floor(math.Log10((high-low)/4)))
	for _, m := range []float64{5, 2} {
		if (high-low)/(m*step) >= 4 {
			step *= m
			break
		}
	}
	for i := math.Ceil(low / step); i*step <= high; i++ {
		out = append(out, i*step)
	}
	return out
}

func number(v float64) string {
	if v != 0 && math.Abs(v) < 1e-2 {
		return strings.Replace(fmt.Sprintf("%.0e", v), "e-0", "e-", 1)
	}
	return fmt.Sprintf("%.4g", v)
}
