package score

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestDiversity(t *testing.T) {
	samples := map[ID][]string{"1": {"a dog runs", "a dog sits", "A dog runs"}, "2": {"the cat"}}
	d, err := Diversity(samples, []string{"the CAT", "a bird"}, "whitespace")
	if err != nil {
		t.Fatal(err)
	}
	// Self-BLEU by hand, with NLTK's method 1 (0.1 matches for orders without any): "a dog runs" equals another
	// sample, so its precisions are 1, 1, 1 and 0.1/1; "a dog sits" has 2/3, 1/2, 0.1/1, 0.1/1.
	same, other := math.Pow(0.1, 0.25), math.Pow(2.0/3*0.5*0.1*0.1, 0.25)
	want := DiversityScores{
		Captions: 4, Different: 3, Distinct1: 6.0 / 11, Distinct2: 4.0 / 7, Words: 6, MeanWords: 11.0 / 4,
	}
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
			t.Errorf("%v was accepted", bad)
		}
	}
}

func TestSeenGivesWhatDiversityGives(t *testing.T) {
	refs, _ := randomCorpus(rand.New(rand.NewPCG(6, 9)), 20)
	training := []string{refs["3"][0], "a b", fmt.Sprint(refs["5"][0], ".")}
	for _, training := range [][]string{nil, {}, training} {
		seen, err := NewSeen(training, "")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, err := seen.Diversity(refs)
			want, _ := Diversity(refs, training, "ptb")
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, %v, want %+v", got, err, want)
			}
		}
	}
	if _, err := NewSeen(nil, "nosuch"); err == nil {
		t.Error("an unknown tokenizer was accepted")
	}
}
