package score

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	e, err := Explain("the the cat", []string{"the cat sat", "a cat on the the mat"}, "whitespace")
	if err != nil {
		t.Fatal(err)
	}
	want := []Match{{[]string{"the"}, []int{0, 1}, []int{1, 2}, 2}, {[]string{"cat"}, []int{2}, []int{1, 1}, 1}}
	if !reflect.DeepEqual(e.Matches[0], want) {
		t.Errorf("single words %+v, want %+v", e.Matches[0], want)
	}
	want = []Match{
		{[]string{"the", "the"}, []int{0}, []int{0, 1}, 1},
		{[]string{"the", "cat"}, []int{1}, []int{1, 0}, 1},
	}
	if !reflect.DeepEqual(e.Matches[1], want) {
		t.Errorf("bigrams %+v, want %+v", e.Matches[1], want)
	}
	if e.Clipped != [4]int{3, 2, 0, 0} || e.Total != [4]int{3, 2, 1, 0} {
		t.Errorf("matches %v of %v", e.Clipped, e.Total)
	}
	if e.Length != 3 || e.Closest != 3 || math.Abs(e.BrevityPenalty-1) > 1e-9 {
		t.Errorf("length %d, closest reference %d, penalty %g", e.Length, e.Closest, e.BrevityPenalty)
	}
	// An explanation agrees with the scores of any caption.
	random := rand.New(rand.NewPCG(2, 2))
	for range 30 {
		refs, captions := randomCorpus(random, 1)
		s := mustCoco(t, refs, captions)
		e, err := Explain(captions[0].Text, refs["0"], "whitespace")
		if err != nil || e.Coco != s.BLEU {
			t.Fatalf("explained as %v, scored as %v, error %v", e.Coco, s.BLEU, err)
		}
		for n, matches := range e.Matches {
			clipped, total := 0, 0
			for _, m := range matches {
				clipped, total = clipped+m.Clipped, total+len(m.At)
			}
			if clipped != e.Clipped[n] || total != e.Total[n] {
				t.Fatalf("%d-grams: %d of %d in total, want %d of %d", n+1, clipped, total, e.Clipped[n], e.Total[n])
			}
		}
	}
	if _, err := Explain("a", nil, ""); err == nil {
		t.Error("no references were accepted")
	}
	if _, err := Explain("a", []string{"a"}, "nosuch"); err == nil {
		t.Error("an unknown tokenizer was accepted")
	}
	empty, err := Explain("", []string{"a"}, "ptb")
	if err != nil || !strings.Contains(fmt.Sprint(empty), "brevity penalty") {
		t.Errorf("%v, %v", empty, err)
	}
}
