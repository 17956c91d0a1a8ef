package nbkit

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/datasets"
)

// tiny is a plan that trains in seconds. name keeps the runs of tests apart, which share a cache folder.
func tiny(l *Lab, name string) Plan {
	s := experiment.Defaults()
	s.Embedding, s.Hidden, s.Epochs, s.Batching = 12, 16, 2, "shuffled"
	return Plan{Name: name, Settings: s, Train: 20, Val: 4, Test: 6, Watch: l.TestExamples(2)}
}

func TestTrainingIsStoppedResumedAndOpened(t *testing.T) {
	l := newLab(t)
	plan := tiny(l, "tiny")
	if _, err := l.Trained(plan); err == nil || !strings.Contains(err.Error(), "not trained yet") {
		t.Errorf("a missing run: error %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	l.Context = ctx
	first := plan
	first.AfterEpoch = func(*captioning.Model, experiment.CurvePoint) error { stop(); return nil }
	if _, err := l.Train(first); !errors.Is(err, captioning.ErrStopped) {
		t.Fatalf("interrupted after the first epoch: error %v", err)
	}
	l.Context = t.Context()
	if _, err := l.Trained(plan); err == nil || !strings.Contains(err.Error(), "1 of 2 epochs") {
		t.Errorf("an unfinished run: error %v", err)
	}
	run, err := l.Train(plan)
	must(t, err)
	if len(run.Curve) != 2 {
		t.Errorf("the run has %d epochs, want 2", len(run.Curve))
	}
	var seen watched
	must(t, experiment.ReadJSON(filepath.Join(run.Dir, "watched.json"), &seen))
	if len(seen.Captions[1]) != 2 || len(seen.Captions[2]) != 2 {
		t.Errorf("captions of two watched images in two epochs: %v", seen.Captions)
	}
	again, err := l.Trained(plan)
	must(t, err)
	if again.Dir != run.Dir {
		t.Errorf("the same plan is in %s, want %s", again.Dir, run.Dir)
	}
	scored, err := l.Scored(plan)
	must(t, err)
	if n := len(scored.Coco.Images); n != 6 {
		t.Errorf("%d test images are scored, want 6", n)
	}
	if s := string(ScoreTable(scored)); strings.Contains(s, "NaN") || !strings.Contains(s, "of 6<") {
		t.Errorf("the scores are %s", s)
	}
	model, err := l.Open(run)
	must(t, err)
	examples := l.TestExamples(4)[2:]
	cards, err := l.Captioned(model, examples, decoder.GenerateOptions{}, 32)
	must(t, err)
	if len(cards) != 2 || cards[0].Caption == "" || cards[0].Title != examples[0].ID {
		t.Errorf("the gallery's cards are %+v", cards)
	}
}

// meanCell is a cell whose state becomes the scaled sum of state and input. wide gives the state a wrong shape.
type meanCell struct {
	scale float64
	wide  bool
}

func (meanCell) Name() string { return "mean" }
func (meanCell) Weights(in, hidden int) []decoder.Weight {
	return []decoder.Weight{{Name: "x", Shape: []int{in, hidden}}}
}
func (meanCell) NumStates() int            { return 1 }
func (meanCell) Start(image *Node) []*Node { return []*Node{image} }
func (c meanCell) Step(w decoder.Weights, x *Node, state []*Node) []*Node {
	next := MulScalar(Add(state[0], MatMul(x, w["x"])), c.scale)
	if c.wide {
		next = Concatenate([]*Node{next, next}, 1)
	}
	return []*Node{next}
}

func TestAChangedCellIsAnotherTraining(t *testing.T) {
	l := newLab(t)
	with := func(c meanCell) Plan {
		plan := tiny(l, "mean")
		plan.Settings.Cell, plan.Cell, plan.Settings.Epochs = "mean", c, 1
		return plan
	}
	run, err := l.Train(with(meanCell{scale: 0.5}))
	must(t, err)
	same, err := l.Trained(with(meanCell{scale: 0.5}))
	must(t, err)
	if same.Dir != run.Dir {
		t.Errorf("the same cell's run is in %s, want %s", same.Dir, run.Dir)
	}
	if _, err := l.Open(same); err != nil {
		t.Errorf("a run with a custom cell does not open: %v", err)
	}
	_, err = l.Trained(with(meanCell{scale: 0.4}))
	if err == nil || !strings.Contains(err.Error(), "not trained yet") {
		t.Errorf("a changed cell of the same name: error %v", err)
	}
	_, err = l.Train(with(meanCell{scale: 0.5, wide: true}))
	if err == nil || !strings.Contains(err.Error(), "[2, 32]") || !strings.Contains(err.Error(), "hidden=16") {
		t.Errorf("a state of the wrong shape: error %v, want both shapes", err)
	}
}

func TestACustomEncoderEncodesThePlansImages(t *testing.T) {
	l := newLab(t)
	plan := tiny(l, "colors")
	plan.Settings.Epochs = 1
	plan.Encoder = meanColor(32)
	run, err := l.Train(plan)
	must(t, err)
	features, err := run.Data.Features(t.Context())
	must(t, err)
	if features.Dim() != 3 || features.Len() != 30 {
		t.Errorf("%d images with %d features, want the plan's 30 with 3", features.Len(), features.Dim())
	}
	scored, err := l.Scored(plan)
	must(t, err)
	if n := len(scored.Coco.Images); n != 6 {
		t.Errorf("%d test images are scored, want 6", n)
	}
	whole, err := l.Data()
	must(t, err)
	if len(whole.Dataset.Examples(datasets.Train)) != 24 {
		t.Error("the plan changed the notebook's data")
	}
}
