package nbkit

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/weights"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newLab is a lab on a few drawn pictures with a cache folder of its own, which shares the encoder's weights with the user's.
func newLab(t *testing.T) *Lab {
	backend := xlatest.OpenForTest(t)
	mine, err := weights.CacheDir()
	must(t, err)
	must(t, os.MkdirAll(filepath.Join(mine, "weights"), 0o755))
	cache := t.TempDir()
	must(t, os.Symlink(filepath.Join(mine, "weights"), filepath.Join(cache, "weights")))
	t.Setenv("CAPTIONLAB_CACHE", cache)
	whole, err := captioning.OpenDataset("shapes", "")
	must(t, err)
	e, err := named("baseline")
	must(t, err)
	l := &Lab{Context: t.Context(), Dataset: datasets.Subset(whole, 24, 8, 8), Experiment: e, Seed: 1, fingerprint: "a few", backend: backend}
	t.Cleanup(l.close)
	return l
}

func tiny(l *Lab) Training {
	s := experiment.Defaults()
	s.Embedding, s.Hidden, s.Epochs, s.Batching = 12, 16, 2, "shuffled"
	return Training{Name: "tiny", Settings: s, Train: 20, Val: 4, Test: 6, Watch: l.Watched(2)}
}

func TestTrainingIsStoppedGoesOnAndIsOpenedAgain(t *testing.T) {
	l := newLab(t)
	if _, err := l.Trained(tiny(l)); err == nil || !strings.Contains(err.Error(), "not trained yet") {
		t.Errorf("a run that is not there gives the error %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	l.Context = ctx
	first := tiny(l)
	first.AfterEpoch = func(*captioning.Model, captioning.CurvePoint) error { stop(); return nil }
	if _, err := l.Train(first); !errors.Is(err, captioning.ErrStopped) {
		t.Fatalf("interrupted after the first epoch, it gives the error %v", err)
	}
	l.Context = t.Context()
	if _, err := l.Trained(tiny(l)); err == nil || !strings.Contains(err.Error(), "1 of 2 epochs") {
		t.Errorf("a half-trained run gives the error %v", err)
	}
	run, err := l.Train(tiny(l))
	must(t, err)
	if len(run.Curve) != 2 {
		t.Errorf("the run has %d epochs, want 2", len(run.Curve))
	}
	var seen watched
	must(t, experiment.ReadJSON(filepath.Join(run.Dir, "watched.json"), &seen))
	if len(seen.Captions[1]) != 2 || len(seen.Captions[2]) != 2 {
		t.Errorf("two pictures were watched for two epochs, kept is %v", seen.Captions)
	}
	again, err := l.Trained(tiny(l))
	must(t, err)
	if again.Dir != run.Dir {
		t.Errorf("the same training is looked for in %s, it is in %s", again.Dir, run.Dir)
	}
	scored, err := l.Scored(tiny(l))
	must(t, err)
	if n := len(scored.Coco.Images); n != 6 {
		t.Errorf("%d test pictures were scored, the part has 6", n)
	}
	model, err := l.Open(run, nil)
	must(t, err)
	cards, err := l.Captioned(model, l.Dataset.Examples(datasets.Test)[2:4], decoder.GenerateOptions{}, 32)
	must(t, err)
	if len(cards) != 2 || cards[0].Caption == "" || cards[0].Title != l.Dataset.Examples(datasets.Test)[2].ID {
		t.Errorf("the gallery's cards are %+v", cards)
	}
	file, err := l.PictureFile(cards[0].Title)
	must(t, err)
	defer os.RemoveAll(filepath.Dir(file))
	own, err := l.CaptionFiles(model, decoder.GenerateOptions{}, file)
	must(t, err)
	if own[0].Caption != cards[0].Caption {
		t.Errorf("as a file, the picture is captioned %q, from the cached features %q", own[0].Caption, cards[0].Caption)
	}
}

// mean is a cell whose state becomes the mean of state and embedding, scaled; wide makes its shape wrong.
type mean struct {
	scale float64
	wide  bool
}

func (mean) Name() string { return "mean" }
func (mean) Weights(in, hidden int) []decoder.Weight {
	return []decoder.Weight{{Name: "x", Shape: []int{in, hidden}}}
}
func (mean) NumStates() int            { return 1 }
func (mean) Start(image *Node) []*Node { return []*Node{image} }
func (c mean) Step(w decoder.Weights, x *Node, state []*Node) []*Node {
	next := MulScalar(Add(state[0], MatMul(x, w["x"])), c.scale)
	if c.wide {
		next = Concatenate([]*Node{next, next}, 1)
	}
	return []*Node{next}
}

func TestACellThatChangesIsAnotherTraining(t *testing.T) {
	l := newLab(t)
	with := func(c mean) Training {
		training := tiny(l)
		training.Settings.Cell, training.Cell, training.Settings.Epochs = "mean", c, 1
		return training
	}
	run, err := l.Train(with(mean{scale: 0.5}))
	must(t, err)
	same, err := l.Trained(with(mean{scale: 0.5}))
	must(t, err)
	if same.Dir != run.Dir {
		t.Errorf("the same cell's run is looked for in %s, it is in %s", same.Dir, run.Dir)
	}
	if _, err := l.Trained(with(mean{scale: 0.4})); err == nil || !strings.Contains(err.Error(), "not trained yet") {
		t.Errorf("another cell of the same name finds the run of the first one: error %v", err)
	}
	_, err = l.Train(with(mean{scale: 0.5, wide: true}))
	if err == nil || !strings.Contains(err.Error(), "[2, 32]") || !strings.Contains(err.Error(), "hidden=16") {
		t.Errorf("a state that is too wide gives the error %v, want both shapes", err)
	}
}
