package captioning

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/vocab"
	"captionlab/captioning/xla/xlatest"
)

// rewardedRun continues wholeRun with self-critical training.
func rewardedRun(t *testing.T, dir string) toyRun {
	c := newToyRun(t, dir)
	c.Settings, c.From = rewardedSettings(), wholeRun(t)
	return c
}

func rewardedSettings() experiment.Settings {
	s := toySettings()
	s.Loss, s.Dropout, s.Epochs, s.Patience = experiment.SelfCritical, 0, 3, 0
	s.BatchSize, s.Samples, s.LearningRate = 35, 5, 2e-3
	return s
}

func TestSelfCriticalTrainingRaisesTheReward(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	c := rewardedRun(t, t.TempDir())
	c.Settings.Epochs = 12
	c.Settings.Reward = "cider-d+0.1*bleu-2"
	var seen int
	c.Progress = func(p TrainProgress) {
		if p.Sampled == nil || p.Sampled.Entropy < 0 {
			t.Errorf("progress without figures of the samples: %+v", p)
		}
		seen++
	}
	before, err := OpenModel(backend, c.From, ModelOptions{})
	must(t, err)
	defer before.Close()
	m, err := Train(context.Background(), backend, c.data, c.TrainConfig)
	must(t, err)
	defer m.Close()
	curve := m.Training.Curve
	first, last := curve[0].Sampled, curve[len(curve)-1].Sampled
	if len(curve) != 12 || !(last.Reward > 1.2*first.Reward) || !(last.Entropy < first.Entropy) {
		t.Errorf("%d epochs, from %+v to %+v", len(curve), first, last)
	}
	if seen != 12*(6+1) { // 40 images, 7 a step, and the end of each epoch
		t.Errorf("%d calls of the progress hook", seen)
	}
	best := slices.MaxFunc(curve, func(a, b experiment.CurvePoint) int {
		return cmpFloat(a.Sampled.CIDErD, b.Sampled.CIDErD)
	})
	if m.Checkpoint.Training.Best != best.Epoch {
		t.Errorf("epoch %d was kept, the best validation CIDEr-D is that of epoch %d", m.Checkpoint.Training.Best,
			best.Epoch)
	}
	// The checkpoint says what it started from, and the start is unchanged.
	identity, err := experiment.Identity(before.Checkpoint.Settings, "toy", before.Checkpoint.Encoder)
	must(t, err)
	want := experiment.Start{Identity: identity, Weights: before.Checkpoint.weightsSum()}
	if m.Checkpoint.From == nil || *m.Checkpoint.From != want {
		t.Errorf("started from %+v, want %+v", m.Checkpoint.From, want)
	}
	// Records keep the curve's columns.
	dir := t.TempDir()
	must(t, experiment.WriteCurve(dir, curve))
	read, err := experiment.ReadCurve(dir)
	must(t, err)
	if len(read) != 12 || read[11].Sampled == nil || math.Abs(read[11].Sampled.CIDErD-last.CIDErD) > 1e-6 {
		t.Errorf("the curve became %+v", read[len(read)-1])
	}
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// A run that is stopped anywhere ends in the same bits, also when what it started from is gone.
func TestStoppedSelfCriticalRunsEndInTheSameBits(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	for _, critic := range []string{"samples", "greedy"} {
		whole := rewardedRun(t, t.TempDir())
		whole.Settings.Critic = critic
		_, err := whole.train(backend)
		must(t, err)
		stopped := rewardedRun(t, t.TempDir())
		stopped.Settings.Critic, stopped.Resume = critic, true
		for _, steps := range []int{2, 5, 3} { // within an epoch, at its end, in the next one
			if err := stopAfter(t, stopped, steps); !errors.Is(err, ErrStopped) {
				t.Fatalf("error %v, want ErrStopped", err)
			}
			stopped.From = filepath.Join(t.TempDir(), "gone")
		}
		_, err = stopped.train(backend)
		must(t, err)
		wantSameRun(t, whole.Dir, stopped.Dir)
	}
}

func TestStartsThatDoNotFit(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	for name, c := range map[string]struct {
		change func(*toyRun)
		wants  []string
	}{
		"none":        {func(c *toyRun) { c.From = "" }, []string{"self-critical", "start from"}},
		"no run":      {func(c *toyRun) { c.From = "nosuch" }, []string{"the run to start from", "nosuch"}},
		"other model": {func(c *toyRun) { c.Settings.Hidden = 25 }, []string{"another model", "hidden=25, wanted 24"}},
		"encoder": {func(c *toyRun) { c.data.identity.Name = "other" },
			[]string{"features of toy", "these are of other"}},
		"one sample": {func(c *toyRun) { c.Settings.Samples = 1 }, []string{"samples=1"}},
		"reward":     {func(c *toyRun) { c.Settings.Reward = "nice" }, []string{"reward", "cider-d"}},
	} {
		run := rewardedRun(t, t.TempDir())
		c.change(&run)
		_, err := run.train(backend)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		wantError(t, err, c.wants...)
		if holdsLast(run.Dir) {
			t.Errorf("%s: the folder holds a checkpoint", name)
		}
	}
}

// Any objective can start from a run: the first loss is then the one that the run ended with.
func TestCrossEntropyFromATrainedRun(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	c := newToyRun(t, t.TempDir())
	c.Settings.Epochs, c.Settings.LearningRate = 1, 1e-6
	c.From = wholeRun(t)
	m, err := c.train(backend)
	must(t, err)
	start, err := ReadCheckpoint(filepath.Join(c.From, bestFile))
	must(t, err)
	want := start.Training.Curve[start.Training.Best-1].Val.Token
	if got := m.Training.Curve[0].Val.Token; math.Abs(got-want) > 1e-3 {
		t.Errorf("the validation loss is %v, the start's was %v", got, want)
	}
}

func TestAdvantages(t *testing.T) {
	got := aboveOthers([]float64{1, 2, 3, 0.1, 0.1, 0.1}, 3)
	if want := []float32{-1.5, 0, 1.5, 0, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("above the others: %v, want %v", got, want)
	}
	got = above([]float64{1, 2, 3, 4}, []float64{1.5, 5})
	if want := []float32{-0.5, 0.5, -2, -1}; !slices.Equal(got, want) {
		t.Errorf("above the baselines: %v, want %v", got, want)
	}
}

func TestSampledBatches(t *testing.T) {
	s := samples{[][]int32{{7, 8, 5, 6, vocab.End}, {7, 8, vocab.End}, {9, vocab.End}}, []int32{30, 20, 10},
		[]float32{2, -1, 0.5}}
	got := s.batches(4, 8)
	want := []*decoder.Batch{
		{Size: 2, Steps: 4, Rows: []int32{10, 20},
			Inputs:  []int32{1, 1, 9, 7, 0, 8, 0, 0},
			Targets: []int32{9, 7, 2, 8, 0, 2, 0, 0},
			Weights: []float32{0.5, -1, 0.5, -1, 0, -1, 0, 0}},
		{Size: 2, Steps: 5, Rows: []int32{30, 0},
			Inputs:  []int32{1, 1, 7, 0, 8, 0, 5, 0, 6, 0},
			Targets: []int32{7, 0, 8, 0, 5, 0, 6, 0, 2, 0},
			Weights: []float32{2, 0, 2, 0, 2, 0, 2, 0, 2, 0}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("batches %+v and %+v, want %+v and %+v", got[0], got[1], want[0], want[1])
	}
	s.weights = []float32{2, 0, 0}
	if got := s.batches(4, 8); len(got) != 1 || got[0].Rows[0] != 30 {
		t.Errorf("%d batches, want only the one with a weight", len(got))
	}
	for length, want := range map[int]int{1: 4, 4: 4, 5: 5, 6: 6, 7: 8, 8: 8} { // a caption of 8 was cut
		s := samples{[][]int32{make([]int32, length)}, []int32{0}, []float32{1}}
		if b := s.batches(1, 8); len(b) != 1 || b[0].Steps != want {
			t.Errorf("a caption of %d tokens has %d steps, want %d", length, b[0].Steps, want)
		}
	}
}

// Train does not compile a program for every step: batches have few shapes, and samples one.
func TestSelfCriticalStepsHaveFewShapes(t *testing.T) {
	r, err := beginRun(context.Background(), toyData(t), rewardedRun(t, t.TempDir()).TrainConfig)
	must(t, err)
	defer r.close()
	must(t, r.prepare(context.Background(), xlatest.OpenForTest(t)))
	s := r.stepper.(*selfCritical)
	images := 0
	for epoch := range 2 {
		for i := range s.plan(epoch) {
			if n := len(s.batches[i]); n < s.perStep-1 || n > s.perStep {
				t.Errorf("batch %d has %d images, %d were planned", i, n, s.perStep)
			}
			images += len(s.batches[i])
		}
	}
	if images != 80 || s.captions() != 35 {
		t.Errorf("two epochs have %d images, a step samples %d captions", images, s.captions())
	}
	_ = os.RemoveAll(r.Dir)
}
