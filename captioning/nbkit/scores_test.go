package nbkit

import (
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

func TestSourcesAreScoredOnSharedImages(t *testing.T) {
	references := score.References{"1": {"a dog runs on the grass"}, "2": {"a cat sits on a mat"},
		"3": {"two birds fly over the sea"}}
	good := Source{"good", []score.Caption{{ID: "1", Text: "a dog runs on the grass"},
		{ID: "2", Text: "a cat sits on a mat"}, {ID: "3", Text: "xyzzy"}}}
	bad := Source{"bad", []score.Caption{{ID: "1", Text: "xyzzy"}, {ID: "2", Text: "a cat on a mat"}}}
	all, images, err := shared(references, []Source{good, bad})
	must(t, err)
	if images != 2 || points(all[0].pa4, score.BLEU1) != 100 || points(all[1].pa4, score.BLEU1) >= 100 {
		t.Errorf("%d images, %+v; the third caption of the good source must not count", images, all)
	}
	other := Source{"other", []score.Caption{{ID: "9", Text: "a"}}}
	if _, _, err := shared(references, []Source{good, other}); err == nil ||
		!strings.Contains(err.Error(), "same dataset") {
		t.Errorf("captions of other images: error %v", err)
	}
}

func TestRulesAreScoredOnTheSameImages(t *testing.T) {
	l := newRecordsLab(t)
	images := l.TestExamples(3)
	right, wrong := Source{Name: "right"}, Source{Name: "wrong"}
	for _, ex := range images {
		right.Captions = append(right.Captions, score.Caption{ID: score.ID(ex.ID), Text: ex.Captions[0]})
		wrong.Captions = append(wrong.Captions, score.Caption{ID: score.ID(ex.ID), Text: "zebra"})
	}
	shown, err := RuleTable(images, right, wrong)
	must(t, err)
	rows := strings.Split(string(shown), "<tr>")
	if !strings.Contains(rows[2], ">100.0<") || !strings.Contains(rows[3], ">1 of 3<") {
		t.Errorf("a reference must score 100, and three equal captions count as one: %s", shown)
	}
}

func TestMetricTableShowsCustomMetrics(t *testing.T) {
	length := score.Metric{Name: "length", Scale: 10, Prepare: func(p *score.Prepared) func(i int) []float64 {
		return func(i int) []float64 { return []float64{float64(len(p.Caption(i)))} }
	}}
	references := score.References{"1": {"a dog"}, "2": {"a cat"}}
	captions := []score.Caption{{ID: "1", Text: "a dog"}, {ID: "2", Text: "a cat"}}
	s, err := score.Measure(references, captions, []score.Metric{length}, score.Options{})
	must(t, err)
	shown, err := MetricTable("score", Measured{"one", s}, Measured{"two", s})
	must(t, err)
	if n := strings.Count(string(shown), ">20.00 [20.00, 20.00]<"); n != 2 {
		t.Errorf("the value is shown %d times, want 2: %s", n, shown)
	}
	if _, err := MetricTable("score"); err != nil {
		t.Errorf("no captions: %v", err)
	}
}

func TestBrevityCurve(t *testing.T) {
	if _, err := BrevityCurve("too short", []string{"too short"}); err == nil ||
		!strings.Contains(err.Error(), "at least 4") {
		t.Errorf("a short caption: error %v", err)
	}
	curve, err := BrevityCurve("one two three four", []string{"one two three four"})
	if err != nil || !strings.Contains(string(curve), "data:image/svg+xml") {
		t.Errorf("error %v", err)
	}
}

// TestLowestReferences checks that the worst captions come first, and that each is the image's own first reference.
func TestLowestReferences(t *testing.T) {
	l := newSmallLab(t)
	cards, err := l.LowestReferences(3, 32)
	if err != nil || len(cards) != 3 {
		t.Fatalf("%d cards, %v", len(cards), err)
	}
	captions := make(map[string][]string)
	for _, ex := range l.Dataset.Examples(datasets.Test) {
		captions[ex.ID] = ex.Captions
	}
	last := -1.0
	for _, c := range cards {
		own := captions[c.Title]
		if own[0] != c.Caption || !slices.Equal(own[1:], c.References) {
			t.Errorf("image %s is shown with %q and %q", c.Title, c.Caption, c.References)
		}
		e, err := score.Explain(c.Caption, c.References, "whitespace")
		if err != nil {
			t.Fatal(err)
		}
		bleu4, ok := e.PA4BLEU(score.BLEU4)
		if !ok || bleu4 < last {
			t.Errorf("BLEU-4 of %s is %g, after %g", c.Title, bleu4, last)
		}
		last = bleu4
	}
}

func TestMissingScoreIsNotZero(t *testing.T) {
	s, err := score.PA4(score.References{"1": {"a"}}, []score.Caption{{ID: "1", Text: "a"}}, score.Options{})
	must(t, err)
	if v := experiment.CorpusValue(s, score.ROUGEL); v == v {
		t.Errorf("pa4 has no ROUGE-L, but it is %g", v)
	}
}
