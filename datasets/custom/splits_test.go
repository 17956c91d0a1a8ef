package custom_test

import (
	"fmt"
	"strings"
	"testing"

	"captionlab/datasets"
	"captionlab/datasets/custom"
)

// numbered is a folder of n images with two captions each, listed forwards or backwards.
func numbered(t *testing.T, n int, backwards bool) string {
	files := map[string]string{}
	rows := make([]string, n)
	for i := range n {
		name := fmt.Sprintf("%d.jpg", i)
		files[name] = name
		at := i
		if backwards {
			at = n - 1 - i
		}
		rows[at] = fmt.Sprintf("%s,a dog\n%s,a cat\n", name, name)
	}
	files["c.csv"] = "image,caption\n" + strings.Join(rows, "")
	return write(t, files)
}

// splitOf returns the split of each image, and fails if one is in two.
func splitOf(t *testing.T, ds datasets.Dataset) map[string]datasets.Split {
	t.Helper()
	out := make(map[string]datasets.Split)
	for _, split := range datasets.Splits {
		for _, ex := range ds.Examples(split) {
			if out[ex.ID] != "" || len(ex.Captions) != 2 {
				t.Errorf("image %s: in %s and %s, captions %q", ex.ID, out[ex.ID], split, ex.Captions)
			}
			out[ex.ID] = split
		}
	}
	return out
}

func TestDrawnSplits(t *testing.T) {
	first := splitOf(t, open(t, numbered(t, 40, false), custom.Options{}))
	count := map[datasets.Split]int{}
	for _, split := range first {
		count[split]++
	}
	if count[datasets.Train] != 32 || count[datasets.Val] != 4 || count[datasets.Test] != 4 {
		t.Errorf("splits of %v images", count)
	}
	for id, split := range splitOf(t, open(t, numbered(t, 40, true), custom.Options{})) {
		if split != first[id] {
			t.Errorf("image %s is in %s if the rows are reversed, before in %s", id, split, first[id])
		}
	}
	moved := 0
	for id, split := range splitOf(t, open(t, numbered(t, 40, false), custom.Options{Seed: 2})) {
		if split != first[id] {
			moved++
		}
	}
	if moved == 0 {
		t.Error("another seed gives the same splits")
	}
	few := splitOf(t, open(t, numbered(t, 3, false), custom.Options{Shares: custom.Shares{0.98, 0.01, 0.01}}))
	if len(few) != 3 || few["0.jpg"] == few["1.jpg"] || few["1.jpg"] == few["2.jpg"] || few["0.jpg"] == few["2.jpg"] {
		t.Errorf("three images: %v", few)
	}
}

// A split that the data lacks is taken from the training images; the others stay.
func TestMissingSplits(t *testing.T) {
	files := map[string]string{"c.csv": "image,caption,split\n"}
	for i := range 20 {
		name := fmt.Sprintf("%d.jpg", i)
		files[name] = name
		split := "train"
		if i >= 15 {
			split = "test"
		}
		files["c.csv"] += fmt.Sprintf("%s,a dog,%s\n%s,a cat,%s\n", name, split, name, split)
	}
	ds := open(t, write(t, files), custom.Options{})
	splitOf(t, ds)
	if train, val, test := len(ds.Examples(datasets.Train)), len(ds.Examples(datasets.Val)),
		len(ds.Examples(datasets.Test)); train != 13 || val != 2 || test != 5 {
		t.Errorf("%d, %d, %d images, want 13, 2, 5", train, val, test)
	}
	if !strings.Contains(strings.Join(ds.Oddities(), "\n"), "no val split, so it is drawn") {
		t.Errorf("oddities %q", ds.Oddities())
	}
}

func TestShares(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"0.7,0.2,0.1", ""}, {" 1, 0,0", ""},
		{"0.8,0.1", "give three"}, {"0.8,0.1,x", `"x" is not a number`}, {"0.8,0.1,0.2", "add up to 1.1"},
		{"0,0.5,0.5", "a share for train"}, {"1.5,-0.5,0", "not from 0 to 1"}, {"NaN,0,1", "not from 0 to 1"},
	} {
		s, err := custom.ParseShares(c.text)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, %v", c.text, s, err)
		}
	}
	if _, err := custom.Open(t.TempDir(), custom.Options{Shares: custom.Shares{1, 1, 1}}); err == nil {
		t.Error("shares of 3 were accepted")
	}
}
