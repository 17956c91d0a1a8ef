package captioning

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

const toyPlaces = 4

// lookingData is the toy dataset with grids: one place shows the colour, another one the animal, which two differs from
// image to image. The feature vectors, their means, do not say which colour or animal it is.
func lookingData(t *testing.T) *Data {
	t.Helper()
	data := toyData(t)
	data.chosen.spec = encoder.Spec{Name: "toy", FeatureDim: toyDim, Places: toyPlaces,
		Grid: func(x *graph.Node, _ []*graph.Node) *graph.Node { return x }}
	d := newToy()
	var ids []string
	var rows []float32
	for _, split := range datasets.Splits {
		for i, ex := range d.Examples(split) {
			grid := make([]float32, toyPlaces*toyDim)
			grid[i%toyPlaces*toyDim+i%4] = 2
			grid[(i+1+i%3)%toyPlaces*toyDim+4+i%3] = 2
			ids, rows = append(ids, ex.ID), append(append(rows, make([]float32, toyDim)...), grid...)
		}
	}
	f, err := writeToyGrids(t.TempDir(), ids, rows)
	must(t, err)
	data.plain, data.grids = stored{}, stored{features: f}
	return data
}

func lookingSettings(cell string) experiment.Settings {
	s := toySettings()
	s.Cell, s.Attention, s.AttentionRegulariser, s.Epochs, s.Patience = cell, 16, 0.1, 30, 0
	return s
}

// A model that looks learns what the grids alone show, and says where it looked.
func TestTrainingOnGrids(t *testing.T) {
	backend, ctx := xlatest.OpenForTest(t), context.Background()
	for _, cell := range []string{"attention", "top-down"} {
		t.Run(cell, func(t *testing.T) {
			data := lookingData(t)
			c := TrainConfig{Dir: t.TempDir(), Settings: lookingSettings(cell)}
			m, err := Train(ctx, backend, data, c)
			must(t, err)
			defer m.Close()
			if m.Checkpoint.Places != toyPlaces || !m.Attends() {
				t.Errorf("%d places in the checkpoint, attends: %v", m.Checkpoint.Places, m.Attends())
			}
			e, err := m.Evaluate(ctx, data, datasets.Test, decoder.GenerateOptions{})
			must(t, err)
			for i, caption := range e.Captions {
				colour, animal := toyShows(i)
				if !strings.Contains(caption.Text, colour) || !strings.Contains(caption.Text, animal) {
					t.Errorf("image %s of a %s %s is captioned %q", caption.ID, colour, animal, caption.Text)
				}
			}
			ids := []string{"test-0", "test-5"}
			rows, err := m.Rows(ctx, data, ids)
			must(t, err)
			again, err := m.CaptionFeatures(ids, rows, decoder.GenerateOptions{})
			must(t, err)
			if again[1].Text != e.Captions[5].Text || math.Abs(again[1].LogProb-e.Captions[5].LogProb) > 1e-5 {
				t.Errorf("captioned %+v from its row, %+v from its grid", again[1], e.Captions[5])
			}
			looked, err := m.Attention(rows, []string{again[0].Text, "a strange dog"})
			must(t, err)
			if !slices.Equal(looked[1].Words, []string{"a", "strange", "dog", "<end>"}) || len(looked[1].Weights) != 4 {
				t.Errorf("%+v", looked[1])
			}
			candidates, err := m.Candidates(rows, 2, decoder.GenerateOptions{Temperature: 1, Seed: 1})
			must(t, err)
			for _, of := range candidates {
				sum := 0.0
				for _, w := range of[0].Words {
					sum += w.LogProb
				}
				if math.Abs(sum-of[0].LogProb) > 1e-4 {
					t.Errorf("the words of %q add up to %g, not %g", of[0].Text, sum, of[0].LogProb)
				}
			}
		})
	}
}

// A run of a model that looks ends in the same bits after a stop.
func TestTrainingOnGridsResumes(t *testing.T) {
	backend, data := xlatest.OpenForTest(t), lookingData(t)
	settings := lookingSettings("attention")
	settings.Epochs = 2
	var sums []string
	for _, stopsAt := range []int{0, 2} {
		c := TrainConfig{Dir: t.TempDir(), Settings: settings}
		if stopsAt > 0 {
			stopping, stop := context.WithCancel(context.Background())
			c.Progress = func(p TrainProgress) {
				if p.Epoch == 1 && p.Batch == stopsAt {
					stop()
				}
			}
			if _, err := Train(stopping, backend, data, c); !errors.Is(err, ErrStopped) {
				t.Fatalf("got %v, want a stop", err)
			}
			c.Progress, c.Resume = nil, true
		}
		m, err := Train(context.Background(), backend, data, c)
		must(t, err)
		sums = append(sums, m.Checkpoint.weightsSum())
		m.Close()
	}
	if sums[0] != sums[1] {
		t.Errorf("weights %s after a stop, %s without", sums[1], sums[0])
	}
}

// Self-critical training samples captions of images that it looks at.
func TestSelfCriticalTrainingOnGrids(t *testing.T) {
	backend, ctx, data := xlatest.OpenForTest(t), context.Background(), lookingData(t)
	start := TrainConfig{Dir: t.TempDir(), Settings: lookingSettings("attention")}
	start.Settings.Epochs = 6
	m, err := Train(ctx, backend, data, start)
	must(t, err)
	m.Close()
	c := TrainConfig{Dir: t.TempDir(), Settings: start.Settings, From: start.Dir}
	c.Settings.Loss, c.Settings.Epochs = experiment.SelfCritical, 4
	c.Settings.Dropout, c.Settings.AttentionRegulariser = 0, 0
	c.Settings.BatchSize, c.Settings.LearningRate = 35, 2e-3
	m, err = Train(ctx, backend, data, c)
	must(t, err)
	defer m.Close()
	curve := m.Training.Curve
	if first, last := curve[0].Sampled, curve[len(curve)-1].Sampled; !(last.Reward > first.Reward) {
		t.Errorf("the reward went from %g to %g", first.Reward, last.Reward)
	}
}

func TestCellsThatLookNeedGrids(t *testing.T) {
	backend, ctx := xlatest.OpenForTest(t), context.Background()
	_, err := Train(ctx, backend, toyData(t), TrainConfig{Dir: t.TempDir(), Settings: lookingSettings("attention")})
	if err == nil || !strings.Contains(err.Error(), `cell "attention" looks at feature maps`) {
		t.Errorf("got %v", err)
	}
	m, err := OpenModel(backend, wholeRun(t), ModelOptions{})
	must(t, err)
	defer m.Close()
	if _, err := m.Attention([][]float32{make([]float32, toyDim)}, []string{"a dog"}); err == nil ||
		!strings.Contains(err.Error(), "no attention") {
		t.Errorf("the attention of an LSTM: %v", err)
	}
}
