package captioning

import (
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/xla/xlatest"
)

// The average of two checkpoints of a run can be packed and opened; that of strangers is refused.
func TestAverageOfCheckpoints(t *testing.T) {
	dir := wholeRun(t)
	best, last := filepath.Join(dir, bestFile), filepath.Join(dir, previousFile)
	c, err := OpenAverage(best + "," + last)
	must(t, err)
	a, err := ReadCheckpoint(best)
	must(t, err)
	b, err := ReadCheckpoint(last)
	must(t, err)
	moved := false
	for name, data := range c.Values {
		for i, got := range data {
			x, y := a.Values[name][i], b.Values[name][i]
			if want := float32((float64(x) + float64(y)) / 2); got != want {
				t.Fatalf("%s[%d] is %g, want %g", name, i, got, want)
			}
			moved = moved || x != y
		}
	}
	if !moved {
		t.Error("both checkpoints have the same weights")
	}
	packed := filepath.Join(t.TempDir(), "mean.safetensors")
	must(t, c.Pack(packed, "float32"))
	m, err := OpenModel(xlatest.OpenForTest(t), packed, ModelOptions{})
	must(t, err)
	m.Close()
	if alone, err := OpenAverage(best); err != nil || alone.weightsSum() != a.weightsSum() {
		t.Errorf("the average of one checkpoint is another one (%v)", err)
	}

	other := *a
	other.Settings.Seed++
	_, err = Average([]*Checkpoint{a, &other})
	if err == nil || !strings.Contains(err.Error(), "started from other weights") {
		t.Errorf("two seeds: %v", err)
	}
	soup := *a
	soup.From = &experiment.Start{Identity: "x", Weights: "y"}
	other.From = &experiment.Start{Identity: "x", Weights: "y"}
	if _, err := Average([]*Checkpoint{&soup, &other}); err != nil {
		t.Errorf("two seeds that start from the same weights: %v", err)
	}
	larger := *a
	larger.Settings.Hidden++
	if _, err := Average([]*Checkpoint{a, &larger}); err == nil || !strings.Contains(err.Error(), "hidden=") {
		t.Errorf("two models: %v", err)
	}
}
