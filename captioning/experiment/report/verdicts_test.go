package report

import (
	"strings"
	"testing"

	"captionlab/captioning/score"
)

func TestVerdict(t *testing.T) {
	of := func(low, high, paper float64) finding {
		return finding{effect: score.Difference{Low: low, High: high}, agrees: low > 0, paper: paper}
	}
	for _, c := range []struct {
		findings []finding
		want     string
	}{
		{nil, "not measured"},
		{[]finding{of(1, 3, 0), of(2, 4, 0)}, "**holds**"},
		{[]finding{of(1, 3, 2), of(2, 4, 3)}, "**holds**"},
		{[]finding{of(1, 3, 7.7), of(2, 4, 3)}, "**holds in direction but not in size**"},
		{[]finding{of(-3, -1, 7.7), of(-4, -2, 4.7)}, "**does not hold**: the difference has the opposite sign"},
		{[]finding{of(-1, 1, 0), of(2, 4, 0)}, "**does not hold in full**"},
		{[]finding{of(-1, 1, 7.7), of(-1, 1, 4.7)}, "**does not hold**: no significant difference"},
		{[]finding{of(-1, 9, 7.7), of(-1, 1, 4.7)}, "**not shown**"},
		{[]finding{of(-1, 1, 0), of(-1, 1, 0)}, "**not shown**"},
	} {
		if got := verdict(c.findings); !strings.HasPrefix(got, c.want) {
			t.Errorf("%+v: %s, want %s", c.findings, got, c.want)
		}
	}
}
