package decoder

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"captionlab/captioning/xla/xlatest"
)

func env(name string, or int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return or
}

func benchBatch(m Model, size, steps int) *Batch {
	random := rand.New(rand.NewPCG(1, 1))
	b := &Batch{Size: size, Steps: steps, Features: make([]float32, size*m.Features)}
	for i := range b.Features {
		b.Features[i] = random.Float32()
	}
	if m.Looks() { // in a batch of real captions, hardly two are of the same image
		for i := range size {
			grid := make([]float32, m.gridSize())
			for j := range grid {
				grid[j] = random.Float32()
			}
			b.Grids, b.GridRows = append(b.Grids, NewGrid(grid)), append(b.GridRows, int32(i))
		}
	}
	for range size * steps {
		// In a batch of real captions, the number of distinct words is a third of the number of positions.
		b.Inputs = append(b.Inputs, int32(random.IntN(size*steps*3/8)))
		b.Targets = append(b.Targets, int32(random.IntN(m.Vocabulary)))
		b.Weights = append(b.Weights, 1)
	}
	return b
}

// BenchmarkTrainStep times one optimizer step. Set the environment variables CELL, HIDDEN, EMBEDDING, STEPS and
// PRECISION to change the model.
func BenchmarkTrainStep(b *testing.B) {
	m := Model{Cell: LSTM{}, Vocabulary: 4521, Features: 1280,
		Embedding: env("EMBEDDING", 300), Hidden: env("HIDDEN", 512)}
	if cell := os.Getenv("CELL"); cell != "" {
		var err error
		if m.Cell, err = Builtin(cell, env("ATTENTION", 0)); err != nil {
			b.Fatal(err)
		}
		m.Places, m.Channels = env("PLACES", 49), 1280
	}
	steps := env("STEPS", 12)
	options := TrainOptions{LearningRate: 5e-4, Precision: os.Getenv("PRECISION")}
	t, err := NewTrainer(xlatest.OpenForTest(b), m, m.Initialize(1), nil, options)
	if err != nil {
		b.Fatal(err)
	}
	batch := benchBatch(m, 64, steps)
	for range 2 {
		if _, err := t.Step(batch); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := t.Step(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(64*steps)*float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
}
