package score

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The metrics of a protocol give the same bits when Measure computes them.
func TestMeasureAgreesWithTheProtocols(t *testing.T) {
	refs, captions := randomCorpus(rand.New(rand.NewPCG(4, 2)), 80)
	coco := mustCoco(t, refs, captions)
	metrics, err := Select("coco")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Measure(refs, captions, metrics, Options{Tokens: "whitespace"})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Metrics(), coco.Metrics()) || !slices.Equal(s.Values(), coco.Values()) {
		t.Errorf("Measure gave %q %v, Coco %q %v", s.Metrics(), s.Values(), coco.Metrics(), coco.Values())
	}
	ours, err := Bootstrap(s, BootstrapOptions{Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	if theirs, _ := Bootstrap(coco, BootstrapOptions{Seed: 2}); !slices.Equal(ours, theirs) {
		t.Errorf("intervals %v, want %v", ours, theirs)
	}
	for _, d := range mustCompare(t, s, coco) {
		if d.P != 1 || d.Delta != 0 {
			t.Errorf("the same captions differ: %+v", d)
		}
	}
}

// wordsMetric is the mean number of words of a caption.
var wordsMetric = Metric{Name: "words", Prepare: func(p *Prepared) func(int) []float64 {
	return func(i int) []float64 { return []float64{float64(len(p.Caption(i)))} }
}}

func TestMeasureWithACustomMetric(t *testing.T) {
	refs := References{"1": {"a dog runs", "the dog"}, "2": {"a cat"}}
	captions := []Caption{{ID: "2", Text: "one cat sits here"}, {ID: "1", Text: "a dog"}}
	metrics, err := Select("BLEU", "CIDEr-D")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Measure(refs, captions, append(metrics, wordsMetric), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if x, ok := s.Value("words"); !ok || x != 3 || s.Scale("words") != 1 || s.Scale(CIDErD) != 100 {
		t.Errorf("%g words (%t), scales %g and %g", x, ok, s.Scale("words"), s.Scale(CIDErD))
	}
	intervals, err := Bootstrap(s, BootstrapOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if i, ok := intervals.Get("words"); !ok || i != (Interval{"words", 3, 2, 4}) {
		t.Errorf("interval %+v, %t", i, ok)
	}
	seen := Metric{Name: "seen", Prepare: func(p *Prepared) func(int) []float64 {
		for i, want := range [][][]string{{{"a", "dog"}, {"a", "dog", "runs"}, {"the", "dog"}},
			{{"one", "cat", "sits", "here"}, {"a", "cat"}}} {
			if got := append([][]string{p.Caption(i)}, p.References(i)...); !reflect.DeepEqual(got, want) {
				t.Errorf("image %s: a metric sees %q, want %q", p.ID(i), got, want)
			}
		}
		return func(int) []float64 { return []float64{0} }
	}}
	if _, err := Measure(refs, captions, []Metric{seen}, Options{}); err != nil {
		t.Error(err)
	}
}

func TestValuesByName(t *testing.T) {
	refs, captions := randomCorpus(rand.New(rand.NewPCG(6, 2)), 30)
	coco, pa4, err := Both(refs, captions)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		corpus Corpus
		metric string
		want   float64
		scale  float64
	}{
		{coco, BLEU1, coco.BLEU[0], 100}, {coco, BLEU2, coco.BLEU[1], 100}, {coco, BLEU3, coco.BLEU[2], 100},
		{coco, BLEU4, coco.BLEU[3], 100}, {coco, ROUGEL, coco.ROUGEL, 100}, {coco, CIDErD, coco.CIDEr, 100},
		{pa4, BLEU1, pa4.BLEU1, 1}, {pa4, BLEU4, pa4.BLEU4, 1}, {pa4, BLEU4Individual, pa4.BLEU4Individual, 1},
	} {
		if got, ok := c.corpus.Value(c.metric); !ok || got != c.want || c.corpus.Scale(c.metric) != c.scale {
			t.Errorf("%s is %g (%t), scale %g; want %g, scale %g",
				c.metric, got, ok, c.corpus.Scale(c.metric), c.want, c.scale)
		}
	}
	if _, ok := pa4.Value(CIDErD); ok {
		t.Error("pa4 has a CIDEr-D")
	}
	differences := mustCompare(t, coco, coco)
	if d, ok := differences.Get(ROUGEL); !ok || d != differences[4] {
		t.Errorf("difference %+v, %t", d, ok)
	}
	if _, ok := differences.Get("METEOR"); ok {
		t.Error("there is a difference in an unknown score")
	}
	if _, ok := (Intervals{}).Get(BLEU1); ok {
		t.Error("there is an interval without intervals")
	}
}

func TestMeasureRefuses(t *testing.T) {
	refs, captions := randomCorpus(rand.New(rand.NewPCG(6, 2)), 5)
	uneven := Metric{Name: "uneven", Prepare: func(*Prepared) func(int) []float64 {
		return func(i int) []float64 { return make([]float64, 1+i/3) }
	}}
	two := wordsMetric
	two.Scores = []string{"short", "long"}
	for _, c := range []struct {
		name    string
		metrics []Metric
		want    string
	}{
		{"none", nil, "no metrics"},
		{"one name twice", slices.Concat(cocoMetrics, pa4Metrics), `two scores are named "BLEU-1"`},
		{"uneven rows", []Metric{wordsMetric, uneven}, "metric uneven has 2 numbers for image 3, 1 for image 0"},
		{"too few scores", []Metric{two}, `metric words returned 1 scores for the names ["short" "long"]`},
		{"no Prepare", []Metric{{Name: "empty"}}, "metric empty has no Prepare"},
	} {
		_, err := Measure(refs, captions, c.metrics, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	other := Metric{Name: "words", Prepare: func(*Prepared) func(int) []float64 {
		return func(int) []float64 { return []float64{1, 1} }
	}, Total: func(sum []float64, n int) []float64 { return sum[:1] }}
	a, err := Measure(refs, captions, []Metric{wordsMetric}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Measure(refs, captions, []Metric{other}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compare(a, b, BootstrapOptions{}); err == nil || !strings.Contains(err.Error(), "same metrics") {
		t.Errorf("error %v for two metrics of one name", err)
	}
	if _, err := Select("BLEU", "BLEURT"); err == nil || !strings.Contains(err.Error(), "coco, pa4, BLEU, ROUGE-L") {
		t.Errorf("error %v does not list the metrics", err)
	}
	if _, _, err := Both(refs, captions[1:]); err == nil {
		t.Error("a missing caption was accepted")
	}
}
