package chart

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
)

// elements parses an SVG and returns its elements with the texts inside them.
func elements(t *testing.T, svg string) (starts []xml.StartElement, texts []string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return starts, texts
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			starts = append(starts, e.Copy())
			texts = append(texts, "")
		case xml.CharData:
			if len(texts) > 0 {
				texts[len(texts)-1] += strings.TrimSpace(string(e))
			}
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// named are the texts of the elements with the given class.
func named(t *testing.T, svg, class string) []string {
	t.Helper()
	starts, texts := elements(t, svg)
	var out []string
	for i, e := range starts {
		if attribute(e, "class") == class {
			out = append(out, texts[i])
		}
	}
	return out
}

func TestChartsAreValidXMLAndShowTheirPoints(t *testing.T) {
	c := Chart{Title: "a < b & c", X: "rate", Left: "loss", Right: "share", LogX: true, Series: []Series{
		{Name: "one", Points: [][2]float64{{1e-4, 2}, {1e-3, 3}, {1e-2, math.NaN()}, {0, 1}}},
		{Name: "two", Points: [][2]float64{{1e-4, 0.5}}, OnRight: true},
		{Name: "none"},
	}}
	svg := c.SVG()
	if svg != c.SVG() {
		t.Error("equal charts give different texts")
	}
	count := make(map[string]int)
	starts, _ := elements(t, svg)
	for _, e := range starts {
		count[e.Name.Local]++
	}
	if count["circle"] != 3 || count["polyline"] != 3 {
		t.Errorf("%d points and %d lines, want 3 and 3", count["circle"], count["polyline"])
	}
	for _, bad := range []string{"NaN", "Inf"} {
		if strings.Contains(svg, bad) {
			t.Errorf("the chart contains %s", bad)
		}
	}
	if empty := (Chart{}).SVG(); !strings.Contains(empty, "</svg>") {
		t.Error("an empty chart is not an SVG")
	}
}

func TestTicksAreRoundAndInside(t *testing.T) {
	for _, ends := range [][2]float64{{0, 1}, {2.61, 2.94}, {-5, 120}, {7, 7}, {0, 0}, {0.99, 1e6}} {
		a := axis{}
		a.include(ends[0])
		a.include(ends[1])
		a.setSpan(0, 600, 60)
		if len(a.ticks) < 2 || len(a.ticks) > 12 {
			t.Errorf("%v: %d ticks %v", ends, len(a.ticks), a.ticks)
		}
		for _, tick := range a.ticks {
			if p := a.place(tick.value); p < 0 || p > 600 {
				t.Errorf("%v: tick %v is outside", ends, tick)
			}
			v, err := strconv.ParseFloat(strings.ReplaceAll(tick.text, ",", ""), 64)
			if err != nil || math.Abs(v-tick.value) > 1e-9 {
				t.Errorf("%v: tick %v is labelled %q", ends, tick.value, tick.text)
			}
		}
	}
}

// epochs is a line with n epochs.
func epochs(name string, n int) Series {
	s := Series{Name: name}
	for e := 1; e <= n; e++ {
		s.Points = append(s.Points, [2]float64{float64(e), 3 + 1/float64(e)})
	}
	return s
}

func TestEpochsAreWholeNumbers(t *testing.T) {
	for n := 1; n <= 40; n++ {
		svg := Chart{X: "epoch", WholeX: true, Series: []Series{epochs("", n)}}.SVG()
		whole := 0
		for _, text := range named(t, svg, "tick") {
			if _, err := strconv.Atoi(text); err == nil {
				whole++
			} else if v, _ := strconv.ParseFloat(text, 64); v < 2.7 || v > 4.4 { // not a tick of the loss
				t.Errorf("%d epochs: tick %q", n, text)
			}
		}
		if whole == 0 {
			t.Errorf("%d epochs: no whole ticks", n)
		}
	}
}

func TestLogarithmicAxisHasTicksAtFewValues(t *testing.T) {
	c := Chart{LogX: true, Series: []Series{{Points: [][2]float64{{256, 1}, {512, 2}, {1024, 3}, {2048, 4}}}}}
	ticks := strings.Join(named(t, c.SVG(), "tick"), " ")
	if !strings.HasPrefix(ticks, "256 512 1,024 2,048 ") {
		t.Errorf("ticks %s", ticks)
	}
}

// TestLegendOfManySeries checks that 18 names have places of their own below the frame and inside the image, and that
// no two series look the same.
func TestLegendOfManySeries(t *testing.T) {
	c := Chart{X: "epoch", Left: "loss", WholeX: true}
	for i := range 18 {
		c.Series = append(c.Series, epochs(fmt.Sprintf("experiment-%d", i), 20))
	}
	starts, texts := elements(t, c.SVG())
	var height, frame float64
	fmt.Sscan(attribute(starts[0], "height"), &height)
	places, looks := make(map[string]bool), make(map[string]bool)
	for i, e := range starts {
		switch {
		case attribute(e, "class") == "frame":
			var y, h float64
			fmt.Sscan(attribute(e, "y"), &y)
			fmt.Sscan(attribute(e, "height"), &h)
			frame = y + h
		case e.Name.Local == "polyline":
			looks[attribute(e, "class")+attribute(e, "stroke-dasharray")] = true
		case strings.HasPrefix(texts[i], "experiment-"):
			var y float64
			fmt.Sscan(attribute(e, "y"), &y)
			if y <= frame+30 || y >= height {
				t.Errorf("%s is at %v, the frame ends at %v and the image at %v", texts[i], y, frame, height)
			}
			places[attribute(e, "x")+" "+attribute(e, "y")] = true
		}
	}
	if len(places) != 18 || len(looks) != 18 {
		t.Errorf("%d places and %d looks for 18 series", len(places), len(looks))
	}
}

func TestMarkersOnlyOnShortLines(t *testing.T) {
	for n, want := range map[int]int{maxMarked: maxMarked, maxMarked + 1: 0} {
		svg := Chart{Series: []Series{epochs("loss", n)}}.SVG()
		if got := strings.Count(svg, "<circle"); got != want {
			t.Errorf("%d points have %d markers, want %d", n, got, want)
		}
	}
}

func TestBarsStandOnZero(t *testing.T) {
	d := drawing{Chart: Chart{WholeX: true, Series: []Series{
		{Name: "a", Bars: 1, Points: [][2]float64{{1, 10}, {2, 30}, {5, 20}}},
		{Name: "b", Bars: 1, Points: [][2]float64{{1, 20}}},
	}}, width: 400, height: 200}
	d.measure()
	if y := &d.sides[0]; y.place(0) != float64(d.bottom) {
		t.Errorf("zero is at %v, the frame ends at %d", y.place(0), d.bottom)
	}
	if low, high := d.x.low, d.x.high; low != 0.5 || high != 5.5 {
		t.Errorf("the x axis covers %v to %v, want 0.5 to 5.5", low, high)
	}
	path := d.outline(d.Series[0].Points, 1, &d.sides[0])
	if strings.Count(path, "M") != 2 || strings.Count(path, "H") != 3 {
		t.Errorf("outline %s: want two groups with three bars", path)
	}
	svg := d.Chart.SVG()
	if strings.Count(svg, `class="line s0 filled"`) != 1 || strings.Contains(svg, "s1 filled") {
		t.Error("not just the first series is filled")
	}
}

func TestSeriesCanShareAColor(t *testing.T) {
	d := drawing{Chart: Chart{Series: []Series{{}, {SameColor: true, OnRight: true}, {}}}}
	for i, want := range []string{"s0", `s0 stroke-dasharray="6 4"`, "s1"} {
		if class, dash := d.style(i); class+dash != want {
			t.Errorf("series %d is drawn as %s%s, want %s", i, class, dash, want)
		}
	}
}

// TestColorSchemes checks that both schemes style the same things, and only inside the chart.
func TestColorSchemes(t *testing.T) {
	light, dark, ok := strings.Cut(styleSheet, "@media (prefers-color-scheme: dark) {")
	if !ok || len(lightColors) != len(darkColors) {
		t.Fatal("the style sheet has no dark scheme with as many colors")
	}
	for _, selector := range []string{".paper", "text", ".tick", ".grid", ".frame", ".s0", ".s7", ".mark.s7"} {
		if rule := ".captionlab-chart " + selector; !strings.Contains(light, rule) || !strings.Contains(dark, rule) {
			t.Errorf("no rule for %s in both schemes", selector)
		}
	}
	for line := range strings.Lines(styleSheet) {
		limited := strings.HasPrefix(line, ".captionlab-chart ") || strings.HasPrefix(line, "@media")
		if strings.Contains(line, ": ") && !limited {
			t.Errorf("rule %q is not limited to the chart", line)
		}
	}
}
