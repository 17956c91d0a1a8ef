//go:build long

package decoder

import (
	"testing"

	"captionlab/captioning/xla/xlatest"
)

// Fifty steps on two, three and four devices have the losses of one device, with a weight for each batch and with a
// fixed one, also if the number of devices changes in the middle. The batch of four captions does not divide by three.
func TestLongSeveralDevices(t *testing.T) {
	if !xlatest.OnHostDevices(t) {
		return
	}
	for name, c := range map[string]deviceCase{
		"lstm":             {LSTM{}, TrainOptions{LearningRate: 1e-2, ClipNorm: 1}, 1e-5},
		"fixed weight":     {LSTM{}, TrainOptions{LearningRate: 1e-2, BatchWeight: 9}, 1e-5},
		"lstm in bfloat16": {LSTM{}, TrainOptions{LearningRate: 1e-3, Precision: "bfloat16"}, 1e-2},
		"attention": {Attention{Size: goldenSize}, TrainOptions{LearningRate: 1e-2, AttentionRegulariser: 0.5},
			1e-5},
	} {
		t.Run(name, func(t *testing.T) { c.compare(t, 50, []int{2}, []int{4}, []int{3}, []int{4, 1}, []int{1, 2}) })
	}
}
