package decoder

import (
	"testing"

	"captionlab/captioning/xla/xlatest"
)

// testdata/make_attention_goldens.py generated the goldens with torch 2.11.0. Further sizes of the script:
const goldenPlaces, goldenChannels, goldenSize = 3, 8, 10

func TestAttentionAgreesWithPyTorch(t *testing.T) {
	goldens := readGoldens(t, "attention_goldens.json")
	for _, c := range []struct {
		golden      string
		cell        Cell
		regulariser float64
		autodiff    bool
	}{
		{"attention", Attention{Size: goldenSize}, 0, false},
		{"attention", Attention{Size: goldenSize}, 0, true},
		{"attention_regularised", Attention{Size: goldenSize}, 0.7, false},
		{"attention_regularised", Attention{Size: goldenSize}, 0.7, true},
		{"top-down", TopDown{Size: goldenSize}, 0, false},
		{"top-down", TopDown{Size: goldenSize}, 0, true},
		{"top-down_regularised", TopDown{Size: goldenSize}, 0.7, false},
		{"top-down_regularised", TopDown{Size: goldenSize}, 0.7, true},
	} {
		name := c.golden + " by hand"
		if c.autodiff {
			name = c.golden + " by autodiff"
		}
		t.Run(name, func(t *testing.T) {
			m, values := goldenModel(c.cell, false)
			options := TrainOptions{LearningRate: 1e-2, Autodiff: c.autodiff, AttentionRegulariser: c.regulariser}
			trainer, err := NewTrainer(xlatest.OpenForTest(t), m, values, nil, options)
			if err != nil {
				t.Fatal(err)
			}
			defer trainer.Finalize()
			compareWithPyTorch(t, trainer, goldens[c.golden])
		})
	}
}
