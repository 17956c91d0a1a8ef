package chart

import (
	"encoding/xml"
	"io"
	"math"
	"strings"
	"testing"
)

func TestChartsAreSoundXMLAndCarryTheirPoints(t *testing.T) {
	c := Chart{Title: "a < b & c", X: "rate", Left: "loss", Right: "share", LogX: true, Series: []Series{
		{Name: "one", Points: [][2]float64{{1e-4, 2}, {1e-3, 3}, {1e-2, math.NaN()}, {0, 1}}},
		{Name: "two", Points: [][2]float64{{1e-4, 0.5}}, OnRight: true},
		{Name: "none"},
	}}
	svg := c.SVG()
	if svg != c.SVG() {
		t.Error("the same chart gave another text")
	}
	circles, lines := 0, 0
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok {
			switch e.Name.Local {
			case "circle":
				circles++
			case "polyline":
				lines++
			}
		}
	}
	if circles != 3 || lines != 3 {
		t.Errorf("%d points and %d lines, want 3 and 3", circles, lines)
	}
	for _, bad := range []string{"NaN", "Inf"} {
		if strings.Contains(svg, bad) {
			t.Errorf("the chart holds %s", bad)
		}
	}
	if empty := (Chart{}).SVG(); !strings.Contains(empty, "</svg>") {
		t.Error("an empty chart is no chart")
	}
}

func TestTicksAreRoundAndInside(t *testing.T) {
	for _, ends := range [][2]float64{{0, 1}, {2.61, 2.94}, {-5, 120}, {7, 7}, {0, 0}} {
		a := axis{from: 0, to: 100}
		a.include(ends[0])
		a.include(ends[1])
		ticks := a.ticks()
		if len(ticks) < 2 || len(ticks) > 12 {
			t.Errorf("%v: %d ticks %v", ends, len(ticks), ticks)
		}
		for _, v := range ticks {
			if p := a.place(v); p < 0 || p > 100 {
				t.Errorf("%v: tick %v lies outside", ends, v)
			}
		}
	}
}
