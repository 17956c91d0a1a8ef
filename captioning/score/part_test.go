package score

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The rows of all parts, put together, have the scores and the intervals of one Measure, custom metrics included.
func TestJoinedPartsAreTheWhole(t *testing.T) {
	refs, captions := randomCorpus(rand.New(rand.NewPCG(5, 3)), 90)
	metrics := append(slices.Clone(cocoMetrics), wordsMetric)
	o := Options{Tokens: "whitespace"}
	want, err := Measure(refs, captions, metrics, o)
	if err != nil {
		t.Fatal(err)
	}
	images, left, err := Images(refs, captions, o)
	if err != nil || !slices.Equal(images, want.Images()) {
		t.Fatalf("images %q, %v", images, err)
	}
	rows := make(map[ID][]float64)
	all := &Part{Images: images}
	for k := range 3 {
		p, err := MeasurePart(refs, captions, metrics, o, func(id ID) bool { return int(id[len(id)-1])%3 == k })
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range p.Images {
			rows[id] = p.Row(i)
		}
		all.Widths = p.Widths
	}
	for _, id := range images {
		all.Rows = append(all.Rows, rows[id]...)
	}
	got, err := Join(all, metrics, o.Tokens, left)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Values(), want.Values()) || !slices.Equal(got.ImageValues(7), want.ImageValues(7)) {
		t.Errorf("joined parts have %v, the whole %v", got.Values(), want.Values())
	}
	ours, _ := Bootstrap(got, BootstrapOptions{Seed: 2})
	if theirs, err := Bootstrap(want, BootstrapOptions{Seed: 2}); err != nil || !slices.Equal(ours, theirs) {
		t.Errorf("intervals %v, want %v, %v", ours, theirs, err)
	}
}

func TestJoinRefuses(t *testing.T) {
	metrics := []Metric{wordsMetric}
	for want, p := range map[string]*Part{
		"no images":                    {Widths: []int{1}},
		"not sorted":                   {Images: []ID{"2", "1"}, Widths: []int{1}, Rows: []float64{1, 2}},
		"1 numbers of 2 images":        {Images: []ID{"1", "2"}, Widths: []int{1}, Rows: []float64{1}},
		"rows of [1 1], for 1 metrics": {Images: []ID{"1"}, Widths: []int{1, 1}, Rows: []float64{1, 2}},
	} {
		if _, err := Join(p, metrics, "ptb", Left{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := Join(&Part{}, nil, "ptb", Left{}); err == nil || !strings.Contains(err.Error(), "no metrics") {
		t.Errorf("error %v without metrics", err)
	}
}
