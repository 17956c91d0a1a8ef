package decoder

import (
	"math"
	"testing"

	"captionlab/captioning/xla/xlatest"
)

// precisionModels are trained in both precisions.
var precisionModels = map[string]Model{
	"lstm":        {Cell: LSTM{}, Vocabulary: 60, Features: 24, Embedding: 32, Hidden: 48},
	"rnn":         {Cell: RNN{}, Vocabulary: 60, Features: 24, Embedding: 32, Hidden: 48},
	"image first": {Cell: LSTM{}, Vocabulary: 60, Features: 24, Embedding: 32, Hidden: 48, ImageFirst: true},
}

// The long test covers all models, by hand and with Autodiff.
func TestGradientsInBfloat16(t *testing.T) {
	testGradientsInBfloat16(t, "lstm", false)
	testGradientsInBfloat16(t, "rnn", false)
}

// testGradientsInBfloat16 compares the gradients with bfloat16 factors, by hand or by autodiff, to those in float32 by
// the same method. bfloat16 keeps 8 bits, so that a factor is off by at most 1/256, and a sum of many factors by much
// less.
func testGradientsInBfloat16(t *testing.T, name string, autodiff bool) {
	m := precisionModels[name]
	gradients := func(precision string) Values {
		options := TrainOptions{LearningRate: 1, Precision: precision, Autodiff: autodiff}
		trainer, err := NewTrainer(xlatest.OpenForTest(t), m, m.Initialize(1), nil, options)
		if err != nil {
			t.Fatal(err)
		}
		defer trainer.Finalize()
		_, gradients, err := trainer.firstStep(benchBatch(m, 8, 3))
		if err != nil {
			t.Fatal(err)
		}
		return gradients
	}
	rounded := gradients("bfloat16")
	for weight, exact := range gradients("float32") {
		var difference, norm float64
		for i, x := range exact {
			d := float64(rounded[weight][i] - x)
			difference, norm = difference+d*d, norm+float64(x)*float64(x)
		}
		off := math.Sqrt(difference / norm)
		if off > 0.02 || math.IsNaN(off) {
			t.Errorf("%s, autodiff %v: the gradient of %s is off by %.2g of its norm", name, autodiff, weight, off)
		}
		if weight == outputWeight && off == 0 {
			t.Errorf("%s, autodiff %v: the gradient of %s equals float32's: nothing was rounded",
				name, autodiff, weight)
		}
	}
}

func TestUnknownPrecision(t *testing.T) {
	m := precisionModels["lstm"]
	options := TrainOptions{LearningRate: 1, Precision: "float8"}
	if _, err := NewTrainer(xlatest.OpenForTest(t), m, m.Initialize(1), nil, options); err == nil {
		t.Error("precision float8 was accepted")
	}
}
