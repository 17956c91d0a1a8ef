package decoder

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend"

	"captionlab/captioning/xla/xlatest"
)

// The pure Go backend, the fallback without a plugin, trains and generates like XLA. The long test runs every cell with
// every decoding strategy.
func TestPureGoBackendAgrees(t *testing.T) {
	testPureGoBackend(t, LSTM{}, GenerateOptions{MaxWords: 6}, GenerateOptions{MaxWords: 6, Beam: 3})
	testPureGoBackend(t, RNN{}, GenerateOptions{MaxWords: 6, Temperature: 1, Seed: 3})
}

func testPureGoBackend(t *testing.T, cell Cell, options ...GenerateOptions) {
	plain, err := compute.NewWithConfig("go")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Finalize()
	losses, captions := trainAndGenerate(t, plain, cell, options)
	wantLosses, wantCaptions := trainAndGenerate(t, xlatest.OpenForTest(t), cell, options)
	for step := range losses {
		if math.Abs(losses[step]-wantLosses[step]) > 1e-4 {
			t.Fatalf("%s: losses %v in pure Go, %v on XLA", cell.Name(), losses, wantLosses)
		}
	}
	if !slices.Equal(captions, wantCaptions) {
		t.Errorf("%s: captions %q in pure Go, %q on XLA", cell.Name(), captions, wantCaptions)
	}
}

// trainAndGenerate returns the losses of ten steps and then the ids of all captions.
func trainAndGenerate(t *testing.T, backend compute.Backend, cell Cell, options []GenerateOptions) (
	losses []float64, captions []string) {
	t.Helper()
	m := Model{Cell: cell, Vocabulary: 9, Features: 3, Embedding: 5, Hidden: 6}
	batch := &Batch{Size: 2, Steps: 3, Features: []float32{1, 0, 2, 0, 1, 1},
		Inputs: []int32{1, 1, 4, 6, 5, 7}, Targets: []int32{4, 6, 5, 7, 2, 2}, Weights: []float32{1, 1, 1, 1, 1, 0}}
	trainer, err := NewTrainer(backend, m, m.Initialize(1), nil, TrainOptions{LearningRate: 0.02, ClipNorm: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Finalize()
	for range 10 {
		loss, err := trainer.Step(batch)
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, loss)
	}
	for _, o := range options {
		generated, err := trainer.Generate(batch.Features, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, hypotheses := range generated {
			for _, h := range hypotheses {
				captions = append(captions, string(h.IDs))
			}
		}
	}
	return losses, captions
}
