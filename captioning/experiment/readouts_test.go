package experiment

import (
	"math"
	"path/filepath"
	"testing"
)

func TestScoresAreReadByName(t *testing.T) {
	record, err := ReadReadouts(filepath.Join("..", "..", "results", "flickr8k", "best-lstm", "seed-1"))
	if err != nil {
		t.Fatal(err)
	}
	sampled, ok := record.Get("temperature-0.7")
	if !ok {
		t.Fatal("the record lacks temperature-0.7")
	}
	interval, ok := sampled.PA4.Get("BLEU-4")
	difference, found := sampled.PA4AgainstGreedy.Get("BLEU-4")
	if !ok || !found || interval.Value != sampled.PA4Value("BLEU-4") || difference.Metric != "BLEU-4" {
		t.Errorf("BLEU-4: interval %+v, difference %+v", interval, difference)
	}
	if v := sampled.CocoValue("CIDEr-D"); !(v > 0 && v < 1) {
		t.Errorf("CIDEr-D %v", v)
	}
	if _, ok := record.Get("beam-9"); ok {
		t.Error("the record has a strategy that does not exist")
	}
	if v := sampled.PA4Value("METEOR"); !math.IsNaN(v) {
		t.Errorf("METEOR is not in the record but has the value %v", v)
	}
}
