package captioning

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

func TestTrainingLearnsAndCaptions(t *testing.T) {
	backend, dir := xlatest.OpenForTest(t), t.TempDir()
	c := newToyRun(t, dir)
	c.Settings.Epochs, c.Settings.Patience = 40, 0
	var points []experiment.CurvePoint
	c.Progress = func(p TrainProgress) {
		if p.Point != nil {
			points = append(points, *p.Point)
		}
	}
	trained, err := c.train(backend)
	must(t, err)
	if len(points) != 40 || points[39].TrainLoss > points[0].TrainLoss/2 {
		t.Fatalf("%d points of the curve, from %+v to %+v", len(points), points[0], points[len(points)-1])
	}
	best := points[0]
	for _, p := range points {
		if p.Val.Token < best.Val.Token {
			best = p
		}
	}
	if trained.Checkpoint.Training.Best != best.Epoch || trained.Training.Epoch != 40 {
		t.Errorf("the best epoch is %d, the checkpoint is of epoch %d of %d",
			best.Epoch, trained.Checkpoint.Training.Best, trained.Training.Epoch)
	}

	m, err := OpenModel(backend, dir, ModelOptions{})
	must(t, err)
	defer m.Close()
	losses, err := m.Losses(context.Background(), c.data, datasets.Val, false)
	must(t, err)
	if losses != best.Val {
		t.Errorf("the opened model's validation losses are %+v, those of the best epoch were %+v", losses, best.Val)
	}
	captions, err := m.CaptionSplit(context.Background(), c.data, datasets.Test, decoder.GenerateOptions{})
	must(t, err)
	for i, caption := range captions {
		colour, animal := toyShows(i)
		if !strings.Contains(caption.Text, colour) || !strings.Contains(caption.Text, animal) {
			t.Errorf("image %s of a %s %s is captioned %q", caption.ID, colour, animal, caption.Text)
		}
	}
	e, err := m.Evaluate(context.Background(), c.data, datasets.Test, decoder.GenerateOptions{})
	must(t, err)
	bleu1, _ := e.Coco.Value(score.BLEU1)
	if bleu1 < 0.9 || bleu1 > 1+1e-9 || len(e.Captions) != 9 || e.Distinct < 2 || e.Generation.MaxWords != 20 {
		t.Errorf("evaluation %+v of %d captions", e, len(e.Captions))
	}
}

var wholeRunDir string

// wholeRun is the folder of newToyRun's run, trained without a stop, once for all tests.
func wholeRun(t *testing.T) string {
	t.Helper()
	if wholeRunDir == "" {
		dir, err := os.MkdirTemp("", "captionlab-whole-run-")
		must(t, err)
		wholeRunDir = dir
		_, err = newToyRun(t, dir).train(xlatest.OpenForTest(t))
		must(t, err)
	}
	return wholeRunDir
}

// stopAfter trains until so many steps are done in all.
func stopAfter(t *testing.T, c toyRun, steps int) error {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	c.Progress = func(p TrainProgress) {
		if steps--; steps == 0 {
			stop()
		}
	}
	_, err := Train(ctx, xlatest.OpenForTest(t), c.data, c.TrainConfig)
	return err
}

// wantSameRun compares what two runs ended in, to the bit; only times may differ.
func wantSameRun(t *testing.T, wantDir, gotDir string) {
	t.Helper()
	for _, name := range []string{bestFile, lastFile} {
		want, err := ReadCheckpoint(filepath.Join(wantDir, name))
		must(t, err)
		got, err := ReadCheckpoint(filepath.Join(gotDir, name))
		must(t, err)
		for _, c := range []*Checkpoint{want, got} {
			c.Training.Seconds = 0
			for i := range c.Training.Curve {
				c.Training.Curve[i].Seconds = 0
			}
		}
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s: the runs differ: %+v and %+v", name, want.Training, got.Training)
		}
	}
}

func TestStoppedRunsEndInTheSameBits(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	stopped := newToyRun(t, t.TempDir())
	stopped.Resume = true
	// in the middle of an epoch, at its end (8 steps and a point), in the next ones
	for _, steps := range []int{1, 3, 8, 5} {
		if err := stopAfter(t, stopped, steps); !errors.Is(err, ErrStopped) {
			t.Fatalf("error %v, want ErrStopped", err)
		}
	}
	_, err := stopped.train(backend)
	must(t, err)
	wantSameRun(t, wholeRun(t), stopped.Dir)
	// A run that is over stays as it is.
	_, err = stopped.train(backend)
	must(t, err)
	wantSameRun(t, wholeRun(t), stopped.Dir)
}

func TestSecondRunInAFolder(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	c := newToyRun(t, t.TempDir())
	if err := stopAfter(t, c, 3); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	_, err := c.train(backend)
	wantError(t, err, c.Dir, "resume it")
	other := c
	other.Resume, other.Settings.Hidden = true, 25
	_, err = other.train(backend)
	wantError(t, err, c.Dir, "other settings", "hidden=24, wanted 25")
	other = c
	other.Resume, other.data = true, toyData(t)
	other.data.Fingerprint = "another"
	_, err = other.train(backend)
	wantError(t, err, c.Dir, "other data")
}

func TestTwoProcessesDoNotShareAFolder(t *testing.T) {
	c := newToyRun(t, t.TempDir())
	r, err := beginRun(context.Background(), c.data, c.TrainConfig)
	must(t, err)
	_, err = beginRun(context.Background(), c.data, c.TrainConfig)
	wantError(t, err, c.Dir, "in use by another process")
	r.close()
	r, err = beginRun(context.Background(), c.data, c.TrainConfig)
	must(t, err)
	r.close()
}

func TestLossThatIsNoNumberStopsTheRun(t *testing.T) {
	c := newToyRun(t, t.TempDir())
	bad, err := makeToyFeatures(t.TempDir(), "train-5")
	must(t, err)
	c.data = toyDataWith(bad)
	c.CheckpointEvery = time.Nanosecond
	_, err = c.train(xlatest.OpenForTest(t))
	wantError(t, err, "NaN", "step", "learning rate 0.01", c.Dir)
	last, err := readLast(c.Dir, func(line string) { t.Log(line) })
	must(t, err)
	if last != nil { // nil if the bad image was in the very first batch
		for name, data := range last.Values {
			for _, x := range data {
				if math.IsNaN(float64(x)) {
					t.Fatalf("the checkpoint that was kept holds NaN in %s", name)
				}
			}
		}
	}
}

func TestPatienceAndDecay(t *testing.T) {
	c := newToyRun(t, t.TempDir())
	c.Settings.Epochs, c.Settings.Patience, c.Settings.LRDecay, c.Settings.LearningRate = 400, 3, 0.5, 0.05
	var points []experiment.CurvePoint
	c.Progress = func(p TrainProgress) {
		if p.Point != nil {
			points = append(points, *p.Point)
		}
	}
	model, err := c.train(xlatest.OpenForTest(t))
	must(t, err)
	if len(points) == 400 || len(points) != model.Training.Best+3 {
		t.Fatalf("%d epochs with the best one %d and patience 3", len(points), model.Training.Best)
	}
	if first, last := points[0].LearningRate, points[len(points)-1].LearningRate; first != 0.05 ||
		last != points[model.Training.Best-1].LearningRate/4 {
		t.Errorf("the learning rate went from %g to %g, with two halvings since the best epoch's %g", first, last,
			points[model.Training.Best-1].LearningRate)
	}
}

func TestBadTraining(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o644))
	for name, c := range map[string]struct {
		change func(*toyRun)
		want   []string
	}{
		"folder is a file":  {func(c *toyRun) { c.Dir = file }, []string{file}},
		"setting":           {func(c *toyRun) { c.Settings.Hidden = 0 }, []string{"hidden=0", "use a value from 1"}},
		"unknown cell":      {func(c *toyRun) { c.Settings.Cell = "gru" }, []string{"gru", "lstm or rnn"}},
		"no example at all": {func(c *toyRun) { c.data.Dataset = toy{} }, []string{"0 captions", "min_count"}},
	} {
		t.Run(name, func(t *testing.T) {
			config := newToyRun(t, t.TempDir())
			c.change(&config)
			_, err := config.train(backend)
			wantError(t, err, c.want...)
		})
	}
}
