package nbkit

import (
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/datasets"
	"captionlab/datasets/shapes"
)

// smallShapes is a lab on a few drawn pictures.
func smallShapes(t *testing.T) *Lab {
	t.Helper()
	ds, err := shapes.Open(shapes.WithSize(40, 8, 8), shapes.WithImageSize(64))
	if err != nil {
		t.Fatal(err)
	}
	return &Lab{Context: t.Context(), Dataset: ds, Experiment: experiment.Experiment{Name: "baseline", Settings: experiment.Defaults()}, Seed: 1}
}

// doubled says that the first test picture is in training, too, by its bytes, or by its id.
type doubled struct {
	datasets.Dataset
	byID bool
}

func (d doubled) Examples(split datasets.Split) []datasets.Example {
	all := slices.Clone(d.Dataset.Examples(split))
	if split == datasets.Test {
		all[0].ID = "copy"
		if d.byID {
			all[0].ID = d.Dataset.Examples(datasets.Train)[0].ID
		}
	}
	return all
}

func (d doubled) OpenImage(id string) (io.ReadCloser, error) {
	if id == "copy" {
		id = d.Dataset.Examples(datasets.Train)[0].ID
	}
	return d.Dataset.OpenImage(id)
}

func TestSplitTableFindsSharedPictures(t *testing.T) {
	l := smallShapes(t)
	clean, err := l.SplitTable()
	if err != nil || !strings.Contains(string(clean), "of 56 pictures none has the bytes") {
		t.Errorf("%v in %s", err, clean)
	}
	whole := l.Dataset
	l.Dataset = doubled{whole, true}
	if _, err := l.SplitTable(); err == nil || !strings.Contains(err.Error(), "is in split train and in test") {
		t.Errorf("a shared id gives the error %v", err)
	}
	l.Dataset = doubled{whole, false}
	if table, err := l.SplitTable(); err != nil || !strings.Contains(string(table), "copy of test is 100001 of train") {
		t.Errorf("%v: a picture of training under another name in test is not told: %s", err, table)
	}
	l.Dataset = words{map[datasets.Split][]string{datasets.Train: {"a"}}}
	if _, err := l.SplitTable(); err == nil || !strings.Contains(err.Error(), "there are no pictures") {
		t.Errorf("a picture that cannot be read gives the error %v", err)
	}
}

func TestHeldOutAndNewNGrams(t *testing.T) {
	l := smallShapes(t)
	held, err := l.HeldOut()
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(string(held), "<tr>")
	cell := func(row, column int) string {
		_, text, _ := strings.Cut(strings.Split(rows[row], "</td>")[column], `top">`)
		return text
	}
	if train := cell(2, 1); train == "0" || cell(2, 2) != train || cell(3, 2) != "0" || cell(4, 2) != "0" {
		t.Errorf("combinations that training shows: %s of %s in train, %s in val, %s in test; want all, 0, 0", cell(2, 2), train, cell(3, 2), cell(4, 2))
	}
	fresh, err := l.NewNGrams()
	if err != nil || !strings.Contains(string(fresh), "test") {
		t.Errorf("%v in %s", err, fresh)
	}
}

func TestWordsAreCountedAsTrainingDoes(t *testing.T) {
	l := smallShapes(t)
	l.Dataset = words{map[datasets.Split][]string{
		datasets.Train: {"a dog runs", "A dog sits", "a cat"}, // a, dog twice or more
		datasets.Val:   {"a dog"}, datasets.Test: {"a cat runs far", "a dog"}}}
	v, err := l.Vocabulary()
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Words()[4:]; !slices.Equal(got, []string{"a", "dog"}) {
		t.Fatalf("the vocabulary is %q", got)
	}
	table, err := l.WordTable(v)
	if err != nil || !strings.Contains(string(table), "3 (50.00 %)") || !strings.Contains(string(table), "1 (50.0 %)") {
		t.Errorf("%v: 3 of test's 6 tokens, in 1 of its 2 captions, are unknown, but the table is %s", err, table)
	}
	counts, err := l.MinCounts(1, 2)
	if err != nil || !strings.Contains(string(counts), ">9<") || !strings.Contains(string(counts), ">6<") {
		t.Errorf("%v: there are 5 words, 2 of them seen twice, and 4 specials, but the table is %s", err, counts)
	}
	way, err := l.OnItsWay(v, "A dog flies")
	if err != nil || !strings.Contains(string(way), "[1 4 5 3 2]") || !strings.Contains(string(way), "a dog &lt;unk&gt;") {
		t.Errorf("%v in %s", err, way)
	}
	l.Experiment.Settings.MaxTokens = 4
	lengths, err := l.CaptionLengths()
	if err != nil || !strings.Contains(string(lengths), "2 of 3 training captions (66.67 %) are longer than 2 words") {
		t.Errorf("%v in %s", err, lengths[strings.LastIndex(string(lengths), "<div"):])
	}
}

// words is a dataset of captions alone, a picture each.
type words struct{ captions map[datasets.Split][]string }

func (w words) Name() string { return "words" }
func (w words) Examples(split datasets.Split) []datasets.Example {
	var out []datasets.Example
	for _, c := range w.captions[split] {
		out = append(out, datasets.Example{ID: c, Captions: []string{c}})
	}
	return out
}
func (w words) Oddities() []string { return nil }
func (w words) OpenImage(id string) (io.ReadCloser, error) {
	return nil, errors.New("there are no pictures")
}

func TestShares(t *testing.T) {
	bins, err := shares([]float64{1, 1.4, 3, 2.6}, 1)
	if err != nil || len(bins) != 3 {
		t.Fatalf("%v, %v", bins, err)
	}
	for i, want := range []float64{50, 0, 50} {
		if bins[i].Weight != want || bins[i].Min != float64(i)+0.5 {
			t.Errorf("bin %d is %v, want %g %% from %g", i, bins[i], want, float64(i)+0.5)
		}
	}
	for name, values := range map[string][]float64{"far apart": {0, 1e6}, "no number": {0, math.NaN()}} {
		if _, err := shares(values, 1); err == nil || !strings.Contains(err.Error(), "use wider ones") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBeside(t *testing.T) {
	a := &encoder.Pixels{Width: 1, Height: 2, RGB: []uint8{1, 1, 1, 2, 2, 2}}
	b := &encoder.Pixels{Width: 2, Height: 1, RGB: []uint8{3, 3, 3, 4, 4, 4}}
	got := Beside(a, b)
	if got.Width != 3 || got.Height != 1 || !slices.Equal(got.RGB, []uint8{1, 1, 1, 3, 3, 3, 4, 4, 4}) {
		t.Errorf("side by side they are %+v", got)
	}
}

func TestSourcesAreScoredOnSharedPictures(t *testing.T) {
	references := score.References{"1": {"a dog runs on the grass"}, "2": {"a cat sits on a mat"}, "3": {"two birds fly over the sea"}}
	good := Source{"good", []score.Caption{{ID: "1", Text: "a dog runs on the grass"}, {ID: "2", Text: "a cat sits on a mat"}, {ID: "3", Text: "xyzzy"}}}
	bad := Source{"bad", []score.Caption{{ID: "1", Text: "xyzzy"}, {ID: "2", Text: "a cat on a mat"}}}
	all, pictures, err := shared(references, []Source{good, bad})
	if err != nil || pictures != 2 || all[0].pa4.BLEU1 != 100 || all[1].pa4.BLEU1 >= 100 {
		t.Errorf("%d pictures, %+v, %v; the good one's third caption must not count", pictures, all, err)
	}
	if _, _, err := shared(references, []Source{good, {"other", []score.Caption{{ID: "9", Text: "a"}}}}); err == nil || !strings.Contains(err.Error(), "same dataset") {
		t.Errorf("captions of other pictures give the error %v", err)
	}
}

func TestBrevityCurve(t *testing.T) {
	if _, err := BrevityCurve("too short", []string{"too short"}); err == nil || !strings.Contains(err.Error(), "at least 4") {
		t.Errorf("got the error %v", err)
	}
	if curve, err := BrevityCurve("one two three four", []string{"one two three four"}); err != nil || !strings.Contains(string(curve), "data:image/svg+xml") {
		t.Errorf("%v", err)
	}
}

// TestGoodButLow: of the drawn pictures, the worst captions come first, and each is the picture's own first reference.
func TestGoodButLow(t *testing.T) {
	l := smallShapes(t)
	cards, err := l.GoodButLow(3, 32)
	if err != nil || len(cards) != 3 {
		t.Fatalf("%d cards, %v", len(cards), err)
	}
	last := -1.0
	for _, c := range cards {
		var own datasets.Example
		for _, ex := range l.Dataset.Examples(datasets.Test) {
			if ex.ID == c.Title {
				own = ex
			}
		}
		if own.Captions[0] != c.Caption || !slices.Equal(own.Captions[1:], c.References) {
			t.Errorf("picture %s is shown with %q and %q", c.Title, c.Caption, c.References)
		}
		e, err := score.Explain(c.Caption, c.References, "whitespace")
		if err != nil || e.PA4[1] < last {
			t.Errorf("BLEU-4 of %s is %g, after %g (%v)", c.Title, e.PA4[1], last, err)
		}
		last = e.PA4[1]
	}
}

func TestStrip(t *testing.T) {
	if strip, err := Strip([]float32{0, 1, -1}, 2, 1); err != nil || !strings.Contains(string(strip), `width:8px;height:8px`) {
		t.Errorf("%v in %s", err, strip)
	}
	if _, err := Strip(nil, 2, 1); err == nil || !strings.Contains(err.Error(), "must be above 0") {
		t.Errorf("no values give the error %v", err)
	}
}
