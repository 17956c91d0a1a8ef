package score

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
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
				t.Errorf("%s: %g is not inside [%g, %g]", i.Metric, i.Value, i.Low, i.High)
			}
			if wide[m].Low > i.Low || wide[m].High < i.High {
				t.Errorf("%s: the 99 %% interval is narrower than the 95 %% one", i.Metric)
			}
		}
	}
}

// The interval of a mean is known: 1.96 standard errors to both sides.
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
	rouge := intervals[4]
	for _, got := range []float64{rouge.High - rouge.Value, rouge.Value - rouge.Low} {
		if math.Abs(got-half) > 0.08*half {
			t.Errorf("half the interval is %g, want about %g", got, half)
		}
	}
}

// Without a redraw, resampled sums give the scores themselves.
func TestStatisticsSumToTheScores(t *testing.T) {
	refs, captions := randomCorpus(rand.New(rand.NewPCG(9, 2)), 60)
	coco := mustCoco(t, refs, captions)
	pa4, _ := PA4(refs, captions, Options{})
	for _, c := range []Corpus{coco, pa4} {
		rows, finish := c.statistics()
		sum := make([]float64, len(rows[0]))
		for _, row := range rows {
			for k, x := range row {
				sum[k] += x
			}
		}
		for m, got := range finish(sum, len(rows)) {
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
			t.Errorf("changing sides gave %+v for %+v", d, mirrored)
		}
	}
	alike := 0
	for _, d := range mustCompare(t, b, c) {
		if d.P > 0.01 {
			alike++
		}
	}
	if alike < 5 {
		t.Errorf("captions that are equally bad differ in %d of 6 scores", 6-alike)
	}
	for _, d := range mustCompare(t, b, b) {
		if d.P != 1 || d.Delta != 0 || d.Low != 0 || d.High != 0 {
			t.Errorf("a file compared with itself: %+v", d)
		}
	}
}

// Where nothing differs in truth, p-values below 0.1 are seen one time in ten.
func TestPValuesAreUniformUnderTheNull(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	below, trials := 0, 200
	for trial := range trials {
		refs, first := randomCorpus(random, 40)
		_, second := randomCorpus(random, 40)
		d, err := Compare(mustCoco(t, refs, first), mustCoco(t, refs, second), BootstrapOptions{Draws: 199, Seed: uint64(trial)})
		if err != nil {
			t.Fatal(err)
		}
		if d[4].P <= 0.1 { // ROUGE-L
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
		"pictures":   {part, BootstrapOptions{}, "10 images in one file, 9 in the other"},
		"draws":      {a, BootstrapOptions{Draws: -1}, "-1 draws"},
		"confidence": {a, BootstrapOptions{Confidence: 1.5}, "confidence 1.5"},
		"empty":      {&CocoScores{}, BootstrapOptions{}, "alone"},
	} {
		if _, err := Compare(a, c.b, c.options); err == nil || (!strings.Contains(err.Error(), c.want) && name != "empty") {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
	if _, err := Bootstrap(&CocoScores{}, BootstrapOptions{}); err == nil {
		t.Error("scores without single pictures were resampled")
	}
}

func TestDiversity(t *testing.T) {
	samples := map[ID][]string{"1": {"a dog runs", "a dog sits", "A dog runs"}, "2": {"the cat"}}
	d, err := Diversity(samples, []string{"the CAT", "a bird"}, "whitespace")
	if err != nil {
		t.Fatal(err)
	}
	// Self-BLEU by hand, NLTK's method 1 with (0.1 for orders without a match): "a dog runs" equals another sample, so its
	// precisions are 1, 1, 1 and 0.1/1; "a dog sits" has 2/3, 1/2, 0.1/1, 0.1/1.
	same, other := math.Pow(0.1, 0.25), math.Pow(2.0/3*0.5*0.1*0.1, 0.25)
	want := DiversityScores{Captions: 4, Different: 3, Distinct1: 6.0 / 11, Distinct2: 4.0 / 7, Words: 6, MeanWords: 11.0 / 4}
	if *d.Unseen != 0.75 {
		t.Errorf("%g of the captions are unseen, want 0.75", *d.Unseen)
	}
	compare(t, "self-BLEU", *d.SelfBLEU, (2*same+other)/3, 1e-12)
	d.SelfBLEU, d.Unseen = nil, nil
	if !reflect.DeepEqual(*d, want) {
		t.Errorf("%+v, want %+v", *d, want)
	}
	alone, err := Diversity(map[ID][]string{"1": {"a"}}, nil, "whitespace")
	if err != nil || alone.SelfBLEU != nil || alone.Unseen != nil {
		t.Errorf("%+v, %v", alone, err)
	}
	for _, bad := range []map[ID][]string{nil, {"1": nil}} {
		if _, err := Diversity(bad, nil, ""); err == nil {
			t.Errorf("%v was measured", bad)
		}
	}
}

func TestExplain(t *testing.T) {
	e, err := Explain("the the cat", []string{"the cat sat", "a cat on the the mat"}, "whitespace")
	if err != nil {
		t.Fatal(err)
	}
	want := []Match{{[]string{"the"}, []int{0, 1}, []int{1, 2}, 2}, {[]string{"cat"}, []int{2}, []int{1, 1}, 1}}
	if !reflect.DeepEqual(e.Matches[0], want) {
		t.Errorf("single words %+v, want %+v", e.Matches[0], want)
	}
	want = []Match{{[]string{"the", "the"}, []int{0}, []int{0, 1}, 1}, {[]string{"the", "cat"}, []int{1}, []int{1, 0}, 1}}
	if !reflect.DeepEqual(e.Matches[1], want) {
		t.Errorf("bigrams %+v, want %+v", e.Matches[1], want)
	}
	if e.Clipped != [4]int{3, 2, 0, 0} || e.Total != [4]int{3, 2, 1, 0} || e.Length != 3 || e.Closest != 3 || math.Abs(e.BrevityPenalty-1) > 1e-9 {
		t.Errorf("%+v", e)
	}
	// An explanation agrees with the scores, whatever the caption.
	random := rand.New(rand.NewPCG(2, 2))
	for range 30 {
		refs, captions := randomCorpus(random, 1)
		s := mustCoco(t, refs, captions)
		e, err := Explain(captions[0].Text, refs["0"], "whitespace")
		if err != nil || e.Coco != s.BLEU {
			t.Fatalf("explained as %v, scored %v, %v", e.Coco, s.BLEU, err)
		}
		for n, matches := range e.Matches {
			clipped, total := 0, 0
			for _, m := range matches {
				clipped, total = clipped+m.Clipped, total+len(m.At)
			}
			if clipped != e.Clipped[n] || total != e.Total[n] {
				t.Fatalf("%d-grams: %d of %d in all, want %d of %d", n+1, clipped, total, e.Clipped[n], e.Total[n])
			}
		}
	}
	if _, err := Explain("a", nil, ""); err == nil {
		t.Error("explained without references")
	}
	if _, err := Explain("a", []string{"a"}, "nosuch"); err == nil {
		t.Error("explained with an unknown tokenizer")
	}
	if empty, err := Explain("", []string{"a"}, "ptb"); err != nil || !strings.Contains(fmt.Sprint(empty), "brevity penalty") {
		t.Errorf("%v, %v", empty, err)
	}
}
