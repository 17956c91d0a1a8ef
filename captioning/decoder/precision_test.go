package decoder

import (
	"math"
	"testing"

	"captionlab/captioning/xla/xlatest"
)

// Gradients whose products have factors in bfloat16 point where those in float32 do. bfloat16 keeps 8 bits, so that a factor is
// off by a 256th at most, and a sum of many by much less.
func TestGradientsInBfloat16(t *testing.T) {
	for name, m := range map[string]Model{
		"lstm":        {Cell: LSTM{}, Vocabulary: 60, Features: 24, Embedding: 32, Hidden: 48},
		"rnn":         {Cell: RNN{}, Vocabulary: 60, Features: 24, Embedding: 32, Hidden: 48},
		"image first": {Cell: LSTM{}, Vocabulary: 60, Features: 24, Embedding: 32, Hidden: 48, ImageFirst: true},
	} {
		for _, autodiff := range []bool{false, true} {
			found := make(map[string]Values)
			for _, precision := range Precisions {
				trainer, err := NewTrainer(xlatest.OpenForTest(t), m, m.Initialize(1), nil, TrainOptions{LearningRate: 1, Precision: precision, Autodiff: autodiff})
				if err != nil {
					t.Fatal(err)
				}
				if found[precision], err = trainer.gradients(benchBatch(m, 8, 5)); err != nil {
					t.Fatal(err)
				}
				trainer.Finalize()
			}
			for weight, exact := range found["float32"] {
				var difference, norm float64
				for i, x := range exact {
					d := float64(found["bfloat16"][weight][i] - x)
					difference, norm = difference+d*d, norm+float64(x)*float64(x)
				}
				off := math.Sqrt(difference / norm)
				if off > 0.02 || math.IsNaN(off) {
					t.Errorf("%s, autodiff %v: the gradient of %s is off by %.2g of its norm", name, autodiff, weight, off)
				}
				if weight == outputWeight && off == 0 {
					t.Errorf("%s, autodiff %v: the gradient of %s is that of float32: nothing was rounded", name, autodiff, weight)
				}
			}
		}
	}
}

func TestUnknownPrecision(t *testing.T) {
	m := Model{Cell: LSTM{}, Vocabulary: 60, Features: 24, Embedding: 32, Hidden: 48}
	if _, err := NewTrainer(xlatest.OpenForTest(t), m, m.Initialize(1), nil, TrainOptions{LearningRate: 1, Precision: "float8"}); err == nil {
		t.Error("precision float8 was accepted")
	}
}
