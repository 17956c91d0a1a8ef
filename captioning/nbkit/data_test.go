package nbkit

import (
	"io"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/encoder"
	"captionlab/datasets"
)

// doubled has the first training image in the test split too, by its bytes or by its id.
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

func TestSplitTableFindsSharedImages(t *testing.T) {
	l := newSmallLab(t)
	clean, err := l.SplitTable()
	if err != nil || !strings.Contains(string(clean), "of 56 images none has the same bytes") {
		t.Errorf("clean splits: error %v, table %s", err, clean)
	}
	whole := l.Dataset
	l.Dataset = doubled{whole, true}
	if _, err := l.SplitTable(); err == nil || !strings.Contains(err.Error(), "is in split train and in test") {
		t.Errorf("an id in two splits: error %v", err)
	}
	l.Dataset = doubled{whole, false}
	table, err := l.SplitTable()
	if err != nil || !strings.Contains(string(table), "copy of test is 100001 of train") {
		t.Errorf("an image in two splits under two names: error %v, table %s", err, table)
	}
	l.Dataset = captionsOnly{map[datasets.Split][]string{datasets.Train: {"a"}}}
	if _, err := l.SplitTable(); err == nil || !strings.Contains(err.Error(), "there are no images") {
		t.Errorf("an unreadable image: error %v", err)
	}
}

func TestHeldOutAndUnseenNGrams(t *testing.T) {
	l := newSmallLab(t)
	held, err := l.HeldOut()
	must(t, err)
	rows := strings.Split(string(held), "<tr>")
	cell := func(row, column int) string {
		_, text, _ := strings.Cut(strings.Split(rows[row], "</td>")[column], `top">`)
		return text
	}
	if train := cell(2, 1); train == "0" || cell(2, 2) != train || cell(3, 2) != "0" || cell(4, 2) != "0" {
		t.Errorf("combinations shown in training: %s of %s in train, %s in val, %s in test; want all, 0, 0",
			cell(2, 2), train, cell(3, 2), cell(4, 2))
	}
	unseen, err := l.UnseenNGrams()
	if err != nil || !strings.Contains(string(unseen), "test") {
		t.Errorf("unseen n-grams: error %v, table %s", err, unseen)
	}
}

func TestWordsAreCountedAsInTraining(t *testing.T) {
	l := newSmallLab(t)
	l.Dataset = captionsOnly{map[datasets.Split][]string{
		datasets.Train: {"a dog runs", "A dog sits", "a cat"}, // "a" and "dog" twice or more
		datasets.Val:   {"a dog"}, datasets.Test: {"a cat runs far", "a dog"}}}
	v, err := l.Vocabulary()
	must(t, err)
	if got := v.Words()[4:]; !slices.Equal(got, []string{"a", "dog"}) {
		t.Fatalf("the vocabulary is %q", got)
	}
	table, err := l.WordTable(v)
	if err != nil || !strings.Contains(string(table), "3 (50.00 %)") || !strings.Contains(string(table), "1 (50.0 %)") {
		t.Errorf("3 of 6 test tokens, in 1 of 2 captions, are unknown: error %v, table %s", err, table)
	}
	counts, err := l.MinCounts(1, 2)
	if err != nil || !strings.Contains(string(counts), ">9<") || !strings.Contains(string(counts), ">6<") {
		t.Errorf("5 words, 2 of them seen twice, and 4 special ids: error %v, table %s", err, counts)
	}
	trip, err := l.RoundTrip(v, "A dog flies")
	must(t, err)
	if s := string(trip); !strings.Contains(s, "[1 4 5 3 2]") || !strings.Contains(s, "a dog &lt;unk&gt;") {
		t.Errorf("round trip: %s", s)
	}
	l.Experiment.Settings.MaxTokens = 4
	lengths, err := l.CaptionLengths()
	want := "2 of 3 training captions (66.67 %) are longer than 2 words"
	if err != nil || !strings.Contains(string(lengths), want) {
		t.Errorf("caption lengths: error %v, want %q in %s", err, want, lengths)
	}
}

func TestSideBySide(t *testing.T) {
	a := &encoder.Pixels{Width: 1, Height: 2, RGB: []uint8{1, 1, 1, 2, 2, 2}}
	b := &encoder.Pixels{Width: 2, Height: 1, RGB: []uint8{3, 3, 3, 4, 4, 4}}
	got := SideBySide(a, b)
	if got.Width != 3 || got.Height != 1 || !slices.Equal(got.RGB, []uint8{1, 1, 1, 3, 3, 3, 4, 4, 4}) {
		t.Errorf("side by side: %+v", got)
	}
}
