package nbkit

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"
)

func TestShares(t *testing.T) {
	bins, err := shares([]float64{1, 1.4, 3, 2.6}, 1)
	if err != nil || len(bins) != 3 {
		t.Fatalf("%v, %v", bins, err)
	}
	for i, want := range [][2]float64{{1, 50}, {2, 0}, {3, 50}} {
		if bins[i] != want {
			t.Errorf("bin %d is %v, want centre and percent %v", i, bins[i], want)
		}
	}
	for name, values := range map[string][]float64{"far apart": {0, 1e6}, "not a number": {0, math.NaN()}} {
		if _, err := shares(values, 1); err == nil || !strings.Contains(err.Error(), "use wider ones") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadCharts(t *testing.T) {
	if _, err := Curves(Axes{}, Line{"a", []float64{1, 2}, []float64{1}}); err == nil ||
		!strings.Contains(err.Error(), "2 x values and 1 y values") {
		t.Errorf("uneven line: %v", err)
	}
	if _, err := Curves(Axes{LogX: true}, Line{"a", []float64{0}, []float64{1}}); err == nil ||
		!strings.Contains(err.Error(), "above 0") {
		t.Errorf("zero on a logarithmic axis: %v", err)
	}
	if _, err := Histogram("captions", "", 0); err == nil || !strings.Contains(err.Error(), "width above 0") {
		t.Errorf("bins without width: %v", err)
	}
}

// svgOf decodes the chart in an image element.
func svgOf(t *testing.T, image string) string {
	t.Helper()
	_, rest, _ := strings.Cut(image, "data:image/svg+xml;base64,")
	encoded, _, _ := strings.Cut(rest, `"`)
	svg, err := base64.StdEncoding.DecodeString(encoded)
	must(t, err)
	return string(svg)
}

func TestChartsFollowTheColorScheme(t *testing.T) {
	curves, err := Curves(lossAxes("loss"), Line{"a", []float64{1, 2}, []float64{3, 2}})
	must(t, err)
	histogram, err := Histogram("captions", "tokens", 1, Sample{"train", []float64{1, 2, 2}})
	must(t, err)
	for _, image := range []string{string(curves), string(histogram)} {
		if !strings.HasPrefix(image, "<img ") || strings.Contains(image, "background") {
			t.Errorf("not an image without its own background: %.80s", image)
		}
		if svg := svgOf(t, image); !strings.Contains(svg, "prefers-color-scheme") {
			t.Errorf("the chart has one color scheme: %.200s", svg)
		}
	}
}

func TestStrip(t *testing.T) {
	strip, err := Strip([]float32{0, 1, -1}, 2, 1)
	if err != nil || !strings.Contains(string(strip), `width:8px;height:8px`) {
		t.Errorf("error %v, strip %s", err, strip)
	}
	if _, err := Strip(nil, 2, 1); err == nil || !strings.Contains(err.Error(), "must be above 0") {
		t.Errorf("no values: error %v", err)
	}
}
