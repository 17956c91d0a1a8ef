package decoder

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend"

	"captionlab/captioning/xla/xlatest"
)

// The pure Go backend, which serves where there is no plugin, trains and generates what XLA does.
func TestPureGoBackendAgrees(t *testing.T) {
	plain, err := compute.NewWithConfig("go")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Finalize()
	for _, cell := range []Cell{LSTM{}, RNN{}} {
		m := Model{Cell: cell, Vocabulary: 9, Features: 3, Embedding: 5, Hidden: 6}
		batch := &Batch{Size: 2, Steps: 3, Features: []float32{1, 0, 2, 0, 1, 1},
			Inputs: []int32{1, 1, 4, 6, 5, 7}, Targets: []int32{4, 6, 5, 7, 2, 2}, Weights: []float32{1, 1, 1, 1, 1, 0}}
		var losses [2][]float64
		var captions [2][]string
		for i, backend := range []compute.Backend{plain, xlatest.OpenForTest(t)} {
			trainer, err := NewTrainer(backend, m, m.Initialize(1), nil, TrainOptions{LearningRate: 0.02, ClipNorm: 1})
			if err != nil {
				t.Fatal(err)
			}
			for range 10 {
				loss, err := trainer.Step(batch)
				if err != nil {
					t.Fatal(err)
				}
				losses[i] = append(losses[i], loss)
			}
			for _, o := range []GenerateOptions{{MaxWords: 6}, {MaxWords: 6, Beam: 3}, {MaxWords: 6, Temperature: 1, TopK: 5, TopP: 0.9, Seed: 3}} {
				generated, err := trainer.Generate(batch.Features, o)
				if err != nil {
					t.Fatal(err)
				}
				for _, hypotheses := range generated {
					for _, h := range hypotheses {
						captions[i] = append(captions[i], string(h.IDs))
					}
				}
			}
			trainer.Finalize()
		}
		for step := range losses[0] {
			if math.Abs(losses[0][step]-losses[1][step]) > 1e-4 {
				t.Fatalf("%s: losses %v in pure Go, %v on XLA", cell.Name(), losses[0], losses[1])
			}
		}
		if !slices.Equal(captions[0], captions[1]) {
			t.Errorf("%s: captions %q in pure Go, %q on XLA", cell.Name(), captions[0], captions[1])
		}
	}
}
