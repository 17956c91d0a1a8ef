package score

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Frequencies counted from the references of the scored images, and read back from a file, give the same bits as
// scoring without any.
func TestFrequenciesOfTheSameReferences(t *testing.T) {
	refs, captions := randomCorpus(rand.New(rand.NewPCG(3, 3)), 60)
	path := filepath.Join(t.TempDir(), "df.json")
	for _, tokens := range Tokenizers {
		df, err := CountFrequencies(refs, tokens)
		if err != nil {
			t.Fatal(err)
		}
		if err := df.Write(path); err != nil {
			t.Fatal(err)
		}
		read, err := ReadFrequencies(path)
		if err != nil || !reflect.DeepEqual(read, df) {
			t.Fatalf("read %v, error %v, want %v", read, err, df)
		}
		want, err := Coco(refs, captions, Options{Tokens: tokens})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Coco(refs, captions, Options{Tokens: tokens, Frequencies: read})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, error %v, want %v", tokens, got, err, want)
		}
	}
}

// The expected numbers are those of CiderScorer of pycocoevalcap 1.2 with these document frequencies and ref_len, as
// testdata/make_frequency_golden.py computes them.
func TestFrequenciesOfOtherImages(t *testing.T) {
	refs := References{"1": {"a dog runs", "the dog runs fast"}, "2": {"a cat"}}
	captions := []Caption{{ID: "1", Text: "a dog runs fast"}, {ID: "2", Text: "a cat sleeps"}}
	df := &DocumentFrequencies{Images: 1000, Frequency: map[string]Frequency{
		"a": 900, "dog": 40, "a dog": 30, "runs": 20, "cat": 50, "zebra": 1, "unknown words here": 2, "fast": 0,
	}}
	s, err := Coco(refs, captions, Options{Frequencies: df})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{5.079520379876605, 2.7248567734834843} {
		if got := s.Images[i].CIDEr; math.Abs(got-want) > 1e-9 {
			t.Errorf("image %d: CIDEr-D %.12f, want %.12f", i+1, got, want)
		}
	}
}

func TestBadFrequencies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "df.json")
	for content, want := range map[string]string{
		`{}`:                                         "df.json: 0 images and 0 n-grams are no document frequencies",
		`[]`:                                         "want an object",
		`{"images":5,"frequency":{"a":6}}`:           `the n-gram "a" is in 6 of 5 images`,
		`{"images":5,"frequency":{"a":-1}}`:          "-1 is not a number of images",
		`{"images":5,"frequency":{"a":1.5}}`:         "1.5 is not a whole number",
		`{"images":5,"frequency":{"a":1e300}}`:       "not a whole number",
		`{"images":5,"frequency":{"a b c d e":1}}`:   `"a b c d e" is not an n-gram`,
		`{"images":5,"frequency":{"a  b":1}}`:        `"a  b" is not an n-gram`,
		`{"images":5,"frequency":{"":1}}`:            `"" is not an n-gram`,
		`{"images":0,"frequency":{"a":0}}`:           "0 images",
		`{"images":99999999999,"frequency":{"a":0}}`: "99999999999 images",
		`{"images":5,"frequency":{"a":1,"a":2}}`:     `"a" occurs twice`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFrequencies(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", content, err, want)
		}
	}
	refs, captions := randomCorpus(rand.New(rand.NewPCG(3, 3)), 5)
	df, err := CountFrequencies(refs, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Coco(refs, captions, Options{Tokens: "treebank", Frequencies: df})
	if err == nil || !strings.Contains(err.Error(), `count tokens of "ptb", the captions are scored with "treebank"`) {
		t.Errorf("another tokenizer: %v", err)
	}
	if _, err := Coco(refs, captions, Options{Frequencies: &DocumentFrequencies{}}); err == nil {
		t.Error("empty frequencies are accepted")
	}
}
