package chart

import "fmt"

const (
	legendLine = 20 // height of a line of the legend, in pixels
	sample     = 26 // length of the line drawn before a name
)

// entry is the place of a series in the legend: the left end of its line.
type entry struct{ series, x, y int }

// legend places the names of the series below the chart, in columns of equal width.
func (d *drawing) legend() []entry {
	widest := 0.0
	var out []entry
	for i, s := range d.Series {
		if s.Name != "" {
			out = append(out, entry{series: i})
			widest = max(widest, textWidth(s.Name))
		}
	}
	column := sample + 8 + int(widest) + 20
	columns := min(len(out), max(1, (d.width-d.left-20)/column))
	for i := range out {
		out[i].x = d.left + i%columns*column
		out[i].y = d.height + 12 + i/columns*legendLine
	}
	return out
}

func (d *drawing) drawLegend(entries []entry) {
	for _, e := range entries {
		class, dash := d.style(e.series)
		fmt.Fprintf(&d.out, `<path class="line %s" d="M%d %dh%d"%s/>`+"\n", class, e.x, e.y, sample, dash)
		d.text(label{x: float64(e.x + sample + 8), y: float64(e.y + 4), anchor: "start", class: "name",
			text: d.Series[e.series].Name})
	}
}

// textWidth estimates the width of text of 12 pixels.
func textWidth(s string) float64 { return 6.6 * float64(len([]rune(s))) }
