package chart

import (
	"fmt"
	"strings"
)

// style is the class of a series and its dash pattern: after the last color, colors repeat with other patterns.
func (d *drawing) style(i int) (class, dash string) {
	color := -1
	for _, s := range d.Series[:i+1] {
		if !s.SameColor || color < 0 {
			color++
		}
	}
	pattern := patterns[color/len(lightColors)%len(patterns)]
	if d.Series[i].OnRight && pattern == "" {
		pattern = "6 4"
	}
	if pattern != "" {
		dash = fmt.Sprintf(` stroke-dasharray="%s"`, pattern)
	}
	return fmt.Sprintf("s%d", color%len(lightColors)), dash
}

// patterns tell series of the same color apart.
var patterns = []string{"", "7 3", "2 3", "9 3 2 3"}

func (d *drawing) drawSeries(i int) {
	s := d.Series[i]
	class, dash := d.style(i)
	points := d.points(s)
	y := &d.sides[side(s)]
	if s.Bars > 0 {
		if filled := d.firstBars() == i; filled {
			class += " filled"
		}
		fmt.Fprintf(&d.out, `<path class="line %s" d="%s"%s/>`+"\n", class, d.outline(points, s.Bars, y), dash)
		return
	}
	var line []string
	for _, p := range points {
		line = append(line, fmt.Sprintf("%.1f,%.1f", d.x.place(p[0]), y.place(p[1])))
	}
	fmt.Fprintf(&d.out, `<polyline class="line %s" points="%s"%s/>`+"\n", class, strings.Join(line, " "), dash)
	if len(line) > maxMarked {
		return
	}
	for _, p := range line {
		px, py, _ := strings.Cut(p, ",")
		fmt.Fprintf(&d.out, `<circle class="mark %s" cx="%s" cy="%s" r="2.5"/>`+"\n", class, px, py)
	}
}

// firstBars is the index of the first series of bars.
func (d *drawing) firstBars() int {
	for i, s := range d.Series {
		if s.Bars > 0 {
			return i
		}
	}
	return -1
}

// outline is the path around bars, which goes down to zero between bars that do not touch.
func (d *drawing) outline(tops [][2]float64, width float64, y *axis) string {
	var out strings.Builder
	zero := y.place(0)
	end := 0.0
	for i, p := range tops {
		from, to := d.x.place(p[0]-width/2), d.x.place(p[0]+width/2)
		switch {
		case i == 0:
			fmt.Fprintf(&out, "M%.1f %.1f", from, zero)
		case from-end > 0.1:
			fmt.Fprintf(&out, "V%.1fM%.1f %.1f", zero, from, zero)
		}
		fmt.Fprintf(&out, "V%.1fH%.1f", y.place(p[1]), to)
		end = to
	}
	if len(tops) > 0 {
		fmt.Fprintf(&out, "V%.1f", zero)
	}
	return out.String()
}
