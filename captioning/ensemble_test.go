package captioning

import (
	"context"
	"strings"
	"testing"

	"captionlab/captioning/decoder"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

// An ensemble of a run with itself is that run; one of two seeds has a lower loss than either.
func TestEnsembles(t *testing.T) {
	backend, ctx := xlatest.OpenForTest(t), context.Background()
	one, other := wholeRun(t), newToyRun(t, t.TempDir())
	other.Settings.Seed = 2
	_, err := other.train(backend)
	must(t, err)
	losses := make(map[string]float64)
	captions := make(map[string]string)
	for name, dir := range map[string]string{"one": one, "other": other.Dir, "one twice": one + "," + one,
		"both": one + "," + other.Dir} {
		if !IsRun(dir) {
			t.Errorf("%s is no run", dir)
		}
		m, err := OpenModel(backend, dir, ModelOptions{})
		must(t, err)
		e, err := m.Evaluate(ctx, other.data, datasets.Test, decoder.GenerateOptions{Beam: 3})
		m.Close()
		must(t, err)
		losses[name] = e.Losses.Token
		for _, c := range e.Captions {
			captions[name] += c.Text + "\n"
		}
	}
	diff := losses["one"] - losses["one twice"]
	if diff > 1e-5 || diff < -1e-5 || captions["one"] != captions["one twice"] {
		t.Errorf("losses %v", losses)
	}
	if !(losses["both"] < losses["one"] && losses["both"] < losses["other"]) {
		t.Errorf("losses %v: an ensemble should have the lowest one", losses)
	}
	stranger := newToyRun(t, t.TempDir())
	stranger.Settings.MinCount, stranger.Settings.Epochs = 35, 1
	_, err = stranger.train(backend)
	must(t, err)
	for want, dir := range map[string]string{
		"different vocabularies":       one + "," + stranger.Dir,
		"both sides of each comma":     one + ",",
		"is not the folder of a train": one + "," + t.TempDir(),
	} {
		if _, err := OpenModel(backend, dir, ModelOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", dir, err, want)
		}
	}
}
