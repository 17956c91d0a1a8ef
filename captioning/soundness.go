package captioning

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"captionlab/captioning/decoder"
)

// Prefixes of the names of a checkpoint's arrays: the model's weights and the optimizer's state.
const (
	weightPrefix = "model/"
	statePrefix  = "adam/"
)

// maxWeight is beyond the reach of training: Adam moves a weight by about the learning rate, at most 10, per step.
const maxWeight = 1e10

// errUnsound reports arrays that no sound training leaves.
var errUnsound = errors.New("these are not the numbers of a trained model")

// checkArray reports numbers of one array of a checkpoint that are not finite and weights that were never drawn at
// random: those that are too large and those that are all the same, like zeros.
func checkArray(name string, data []float32) error {
	isWeight := strings.HasPrefix(name, weightPrefix)
	same := isWeight && len(data) > 1
	for i, x := range data {
		if v := float64(x); !isFinite(v) || isWeight && math.Abs(v) > maxWeight {
			return fmt.Errorf("tensor %q is %v at position %d: %w", name, x, i, errUnsound)
		}
		same = same && x == data[0]
	}
	if same {
		return fmt.Errorf("all %d numbers of tensor %q are %v: %w", len(data), name, data[0], errUnsound)
	}
	return nil
}

// check reports values of a header that Train never writes.
func (h *header) check() error {
	s := h.Settings
	s.Loss = objectives[0].Name // Check knows neither custom objectives nor custom cells
	if err := s.Check(func(name string) bool { return name != "" }); err != nil {
		return err
	}
	if h.Encoder.FeatureDim < 1 || h.Encoder.FeatureDim > 1<<20 {
		return fmt.Errorf("the encoder has %d features", h.Encoder.FeatureDim)
	}
	if h.Places < 0 || h.Places > 1<<20 {
		return fmt.Errorf("the grids have %d places", h.Places)
	}
	for id, word := range h.Vocabulary.Words() {
		if strings.TrimSpace(word) == "" {
			return fmt.Errorf("word %d of the vocabulary is empty", id)
		}
	}
	return h.Training.check()
}

// check reports counts that contradict each other.
func (t Training) check() error {
	if t.Epoch != len(t.Curve) || t.Batch < 0 || t.Best < 0 || t.Best > t.Epoch || t.LearningRate < 0 {
		return fmt.Errorf("%d epochs with %d points of the curve, batch %d, best epoch %d, learning rate %g", t.Epoch,
			len(t.Curve), t.Batch, t.Best, t.LearningRate)
	}
	for i, p := range t.Curve {
		if (p.Sampled == nil) != (t.Curve[0].Sampled == nil) {
			return fmt.Errorf("only some points of the curve are of sampled captions")
		}
		if p.Epoch != i+1 {
			return fmt.Errorf("point %d of the curve is of epoch %d", i+1, p.Epoch)
		}
	}
	return nil
}

// fits reports arrays that do not belong to the model m.
func (c *Checkpoint) fits(m decoder.Model) error {
	if err := m.CheckValues(c.Values); err != nil {
		return err
	}
	for _, w := range m.Weights() {
		if shape, ok := c.shapes[w.Name]; ok && !slices.Equal(shape, w.Shape) {
			return fmt.Errorf("weight %q has shape %v, want %v", w.Name, shape, w.Shape)
		}
	}
	return m.CheckState(c.State)
}

// checkSameRun reports checkpoints in the folder of the best one, read from file, that belong to another run.
func (c *Checkpoint) checkSameRun(file string) error {
	dir := filepath.Dir(file)
	for _, name := range []string{lastFile, previousFile} {
		other, err := readHeader(filepath.Join(dir, name))
		if err == nil && (other.Settings != c.Settings || other.Data != c.Data || other.Encoder != c.Encoder) {
			return fmt.Errorf("%s holds checkpoints of two runs: %s and %s differ in settings, data or encoder; "+
				"keep only those of one run", dir, filepath.Base(file), name)
		}
	}
	return nil
}

// holdsLast reports whether a run in the folder dir has begun.
func holdsLast(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, lastFile))
	return !errors.Is(err, fs.ErrNotExist)
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
