package datasets_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"captionlab/datasets"
)

func TestSubset(t *testing.T) {
	for _, c := range []struct {
		train, val, test int
		name             string
		ids              string // of all splits
		odd              string // the last oddity
	}{
		{2, 1, 1, "memory-first-2-1-1", "a b d f", "only the first 1 of 2 val images are used"},
		{0, 0, 1, "memory-first-0-0-1", "f", "only the first 0 of 2 val images are used"},
		{99, 0, 99, "memory-first-3-0-1", "a b c f", "only the first 0 of 2 val images are used"},
		{-1, 2, 0, "memory-first-0-2-0", "d e", "only the first 0 of 1 test images are used"},
		{3, 2, 1, "memory", "a b c d e f", "one is odd"},
		{9, 9, 9, "memory", "a b c d e f", "one is odd"},
	} {
		t.Run(fmt.Sprint(c.train, c.val, c.test), func(t *testing.T) {
			part := datasets.Subset(fresh(), c.train, c.val, c.test)
			if got := part.Name(); got != c.name {
				t.Errorf("name %q, want %q", got, c.name)
			}
			var ids []string
			for _, split := range datasets.Splits {
				for _, ex := range part.Examples(split) {
					ids = append(ids, ex.ID)
					f, err := part.OpenImage(ex.ID)
					if err != nil {
						t.Fatal(err)
					}
					if b, err := io.ReadAll(f); err != nil || string(b) != "image of "+ex.ID {
						t.Errorf("image %s is %q, %v", ex.ID, b, err)
					}
				}
			}
			if got := strings.Join(ids, " "); got != c.ids {
				t.Errorf("ids %q, want %q", got, c.ids)
			}
			if odd := part.Oddities(); odd[0] != "one is odd" || odd[len(odd)-1] != c.odd {
				t.Errorf("oddities %q", odd)
			}
		})
	}
}

func TestSubsetIsSeparate(t *testing.T) {
	whole := fresh()
	part := datasets.Subset(whole, 1, 2, 1)
	_, err := part.OpenImage("b")
	if err == nil || !strings.Contains(err.Error(), `"b"`) || !strings.Contains(err.Error(), "memory-first-1-2-1") {
		t.Errorf("an image outside the subset: %v", err)
	}
	_ = append(part.Examples(datasets.Train), datasets.Example{ID: "intruder"})
	if got := whole.Examples(datasets.Train)[1].ID; got != "b" {
		t.Errorf("appending to the subset wrote %q into the whole", got)
	}
	if got := whole.Oddities(); !slices.Equal(got, []string{"one is odd"}) {
		t.Errorf("oddities of the whole changed to %q", got)
	}
	all, err := datasets.Fingerprint(context.Background(), whole)
	if err != nil {
		t.Fatal(err)
	}
	if some, err := datasets.Fingerprint(context.Background(), part); err != nil || some == all {
		t.Errorf("fingerprints %s and %s, %v", some, all, err)
	}
}

func ExampleSubset() {
	part := datasets.Subset(fresh(), 2, 1, 1)
	fmt.Println(part.Name(), len(part.Examples(datasets.Train)))
	// Output: memory-first-2-1-1 2
}
