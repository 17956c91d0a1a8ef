//go:build long

package captioning

import (
	"math"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/xla/xlatest"
)

// A run in bfloat16 ends within a hundredth of the loss that the same run has in float32, and it did compute something
// else.
func TestLongBfloat16TrainsAsWell(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	losses := make(map[string]float64)
	for _, precision := range []string{"float32", "bfloat16"} {
		s := experiment.Defaults()
		s.Embedding, s.Hidden, s.Epochs, s.LearningRate, s.BatchSize, s.MinCount = 24, 48, 6, 3e-3, 16, 1
		s.Precision = precision
		c := newToyRun(t, t.TempDir())
		c.Settings = s
		model, err := c.train(backend)
		must(t, err)
		losses[precision] = model.Training.Curve[model.Training.Best-1].Val.Token
	}
	off := math.Abs(losses["bfloat16"]/losses["float32"] - 1)
	t.Logf("validation loss %.4f in float32, %.4f in bfloat16: %.2g %% apart", losses["float32"], losses["bfloat16"],
		100*off)
	if off == 0 || off > 0.01 || math.IsNaN(off) {
		t.Errorf("the losses %v are %.2g apart, want above 0 and at most 0.01", losses, off)
	}
}
