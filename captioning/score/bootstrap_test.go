package score

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestBootstrapIsSeededAndCoversTheScore(t *testing.T) {
	refs, captions := randomCorpus(rand.New(rand.NewPCG(1, 2)), 200)
	coco := mustCoco(t, refs, captions)
	pa4, err := PA4(refs, captions, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Corpus{coco, pa4} {
		first, err := Bootstrap(c, BootstrapOptions{Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		again, _ := Bootstrap(c, BootstrapOptions{Seed: 7})
		if !slices.Equal(first, again) {
			t.Errorf("the same seed gave %v and %v", first, again)
		}
		if other, _ := Bootstrap(c, BootstrapOptions{Seed: 8}); slices.Equal(first, other) {
			t.Error("another seed gave the same intervals")
		}
		wide, _ := Bootstrap(c, BootstrapOptions{Seed: 7, Confidence: 0.99})
		for m, i := range first {
			if !(i.Low < i.Value && i.Value < i.High) {
				t.Errorf("%s: %g is outside [%g, %g]", i.Metric, i.Value, i.Low, i.High)
			}
			if wide[m].Low > i.Low || wide[m].High < i.High {
				t.Errorf("%s: the 99 %% interval is narrower than the 95 %% one", i.Metric)
			}
		}
	}
}

// The interval of a mean is known: 1.96 standard errors on each side.
func TestBootstrapOfAMean(t *testing.T) {
	refs, captions := randomCorpus(rand.New(rand.NewPCG(3, 2)), 400)
	s := mustCoco(t, refs, captions)
	var squares float64
	for _, image := range s.Images {
		squares += (image.ROUGEL - s.ROUGEL) * (image.ROUGEL - s.ROUGEL)
	}
	n := float64(len(s.Images))
	half := 1.96 * math.Sqrt(squares/(n-1)/n)
	intervals, err := Bootstrap(s, BootstrapOptions{Draws: 5000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	rouge, _ := intervals.Get(ROUGEL)
	for _, got := range []float64{rouge.High - rouge.Value, rouge.Value - rouge.Low} {
		if math.Abs(got-half) > 0.08*half {
			t.Errorf("half of the interval is %g, want about %g", got, half)
		}
	}
}

// The sum of all rows gives the scores.
func TestStatisticsSumToTheScores(t *testing.T) {
	refs, captions := randomCorpus(rand.New(rand.NewPCG(9, 2)), 60)
	coco := mustCoco(t, refs, captions)
	pa4, _ := PA4(refs, captions, Options{})
	for _, c := range []Corpus{coco, pa4} {
		rows, total := c.statistics()
		sum := make([]float64, len(rows[0]))
		for _, row := range rows {
			for k, x := range row {
				sum[k] += x
			}
		}
		for m, got := range total(sum, len(rows)) {
			compare(t, c.Metrics()[m], got, c.Values()[m], 1e-9)
		}
	}
}

func TestCompare(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 5))
	refs, captions := randomCorpus(random, 300)
	better := slices.Clone(captions)
	for i := range better {
		if i%5 == 0 {
			better[i].Text = refs[better[i].ID][0]
		}
	}
	_, shuffled := randomCorpus(random, 300) // as bad as captions, by construction
	a, b, c := mustCoco(t, refs, better), mustCoco(t, refs, captions), mustCoco(t, refs, shuffled)
	for _, d := range mustCompare(t, a, b) {
		if d.P > 0.01 || d.Low <= 0 || d.Delta != d.A-d.B {
			t.Errorf("clearly better captions: %+v", d)
		}
	}
	for m, d := range mustCompare(t, b, a) {
		if mirrored := mustCompare(t, a, b)[m]; d.P != mirrored.P || d.Delta != -mirrored.Delta {
			t.Errorf("swapping the files turned %+v into %+v", mirrored, d)
		}
	}
	alike := 0
	for _, d := range mustCompare(t, b, c) {
		if d.P > 0.01 {
			alike++
		}
	}
	if alike < 5 {
		t.Errorf("equally bad captions differ in %d of 6 scores", 6-alike)
	}
	for _, d := range mustCompare(t, b, b) {
		if d.P != 1 || d.Delta != 0 || d.Low != 0 || d.High != 0 {
			t.Errorf("a file differs from itself: %+v", d)
		}
	}
}

// Under the null hypothesis, one p-value in ten is at most 0.1.
func TestPValuesAreUniformUnderTheNull(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	below, trials := 0, 200
	for trial := range trials {
		refs, first := randomCorpus(random, 40)
		_, second := randomCorpus(random, 40)
		o := BootstrapOptions{Draws: 199, Seed: uint64(trial)}
		differences, err := Compare(mustCoco(t, refs, first), mustCoco(t, refs, second), o)
		if err != nil {
			t.Fatal(err)
		}
		if d, _ := differences.Get(ROUGEL); d.P <= 0.1 {
			below++
		}
	}
	if below < 8 || below > 36 { // 20 expected, standard deviation 4.2
		t.Errorf("%d of %d p-values are at most 0.1", below, trials)
	}
}

func mustCompare(t *testing.T, a, b Corpus) Differences {
	t.Helper()
	d, err := Compare(a, b, BootstrapOptions{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCompareRefuses(t *testing.T) {
	refs, captions := randomCorpus(rand.New(rand.NewPCG(1, 5)), 10)
	a := mustCoco(t, refs, captions)
	pa4, _ := PA4(refs, captions, Options{})
	part, err := Coco(refs, captions[:9], Options{Tokens: "whitespace", AllowMissing: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		b       Corpus
		options BootstrapOptions
		want    string
	}{
		"protocols":  {pa4, BootstrapOptions{}, "different protocols"},
		"images":     {part, BootstrapOptions{}, "10 images in one file, 9 in the other"},
		"draws":      {a, BootstrapOptions{Draws: -1}, "-1 draws"},
		"confidence": {a, BootstrapOptions{Confidence: 1.5}, "confidence 1.5"},
		"empty":      {&CocoScores{}, BootstrapOptions{}, "do not include those of each image"},
	} {
		if _, err := Compare(a, c.b, c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
	if _, err := Bootstrap(&CocoScores{}, BootstrapOptions{}); err == nil {
		t.Error("scores without images were resampled")
	}
}
