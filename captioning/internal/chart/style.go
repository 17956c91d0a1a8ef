package chart

import (
	"fmt"
	"strings"
)

// fontFamily is the sans-serif face of the reader's system, as on the pages around the charts.
const fontFamily = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif"

// The colors of the series are distinct to most readers, with a contrast of at least 3 to the paper. Neighbors in the
// list differ in hue and lightness.
var (
	lightColors = []string{"#0b65c2", "#cf4a00", "#00805a", "#c2459a", "#9c7200", "#0090b0", "#6f42c1", "#5f6368"}
	darkColors  = []string{"#58a6ff", "#ff8a4c", "#3fc796", "#f07cc5", "#e0b040", "#40c8e8", "#b392f0", "#a8b0b8"}
)

// palette holds the other colors of one scheme.
type palette struct {
	paper, ink, muted, grid, frame string
	series                         []string
}

var styleSheet = "<style>\n" + baseRules +
	palette{"#ffffff", "#1f2328", "#57606a", "#e6e8eb", "#b4bac2", lightColors}.rules() +
	"@media (prefers-color-scheme: dark) {\n" +
	palette{"#14171c", "#e6edf3", "#a3acb7", "#2a2f37", "#59626d", darkColors}.rules() + "}\n</style>\n"

const baseRules = `.captionlab-chart .line { fill: none; stroke-width: 1.75; stroke-linejoin: round }
.captionlab-chart .filled { fill-opacity: 0.18 }
.captionlab-chart .title { font-size: 14px; font-weight: 600 }
.captionlab-chart .tick { font-size: 11px }
.captionlab-chart .frame { fill: none }
`

// rules are the style rules of the palette. They name the chart's class, so that they affect nothing else on a page
// that includes the chart inline. Values are written out, since not every SVG renderer knows CSS variables.
func (p palette) rules() string {
	var out strings.Builder
	rule := func(selector, property, value string) {
		fmt.Fprintf(&out, ".captionlab-chart %s { %s: %s }\n", selector, property, value)
	}
	rule(".paper", "fill", p.paper)
	rule("text", "fill", p.ink)
	rule(".tick", "fill", p.muted)
	rule(".grid", "stroke", p.grid)
	rule(".frame", "stroke", p.frame)
	for i, color := range p.series {
		rule(fmt.Sprintf(".s%d", i), "stroke", color)
		rule(fmt.Sprintf(".mark.s%d, .captionlab-chart .filled.s%d", i, i), "fill", color)
	}
	return out.String()
}
