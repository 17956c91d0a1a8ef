package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"captionlab/captioning"
	"captionlab/captioning/experiment"
)

// trained holds what either side measures of training.
type trained struct {
	TokensPerSecond float64 `json:"tokens_per_second"` // real tokens
	FirstStep       float64 `json:"first_step"`        // seconds from process start to the end of the first step
	PeakGFLOPS      float64 `json:"peak_gflops"`       // of a 2048 x 2048 matrix product
	Vocabulary      int     `json:"vocabulary"`
}

// trainWorker trains on Flickr8k. Its arguments are precision, embedding size, hidden size, uncounted steps, counted
// steps and, for another than an LSTM, the cell.
func trainWorker(backend compute.Backend, args []string) (trained, error) {
	var n [4]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[1+i]); err != nil {
			return trained{}, err
		}
	}
	started := time.Now()
	if at, err := strconv.ParseInt(os.Getenv(startVariable), 10, 64); err == nil {
		started = time.Unix(0, at)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	data, err := flickr8k(ctx, backend)
	if err != nil {
		return trained{}, err
	}
	dir, err := os.MkdirTemp("", "captionlab-bench-run-")
	if err != nil {
		return trained{}, err
	}
	defer os.RemoveAll(dir)
	s := experiment.Defaults()
	s.Precision, s.Embedding, s.Hidden = args[0], n[0], n[1]
	if len(args) > 5 {
		s.Cell = args[5]
	}
	var out trained
	var warmAt time.Time
	steps, warmTokens := 0, 0
	_, err = captioning.Train(ctx, backend, data, captioning.TrainConfig{
		Dir: dir, Settings: s,
		CheckpointEvery: 24 * time.Hour,
		Progress: func(p captioning.TrainProgress) {
			steps++
			switch steps {
			case 1:
				out.FirstStep = time.Since(started).Seconds()
			case n[2]:
				warmAt, warmTokens = time.Now(), p.Tokens
			case n[2] + n[3]:
				out.TokensPerSecond = float64(p.Tokens-warmTokens) / time.Since(warmAt).Seconds()
				stop()
			}
		},
	})
	if !errors.Is(err, captioning.ErrStopped) {
		return trained{}, err
	}
	c, err := captioning.ReadCheckpoint(filepath.Join(dir, "last.safetensors"))
	if err != nil {
		return trained{}, err
	}
	out.Vocabulary = c.Vocabulary.Len()
	out.PeakGFLOPS, err = matmulPeak(backend)
	return out, err
}

// matmulPeak measures the rate of a 2048 x 2048 matrix product in GFLOP/s, the best of ten.
func matmulPeak(backend compute.Backend) (float64, error) {
	const size = 2048
	exec, err := graph.NewExec(backend, func(a, b *graph.Node) *graph.Node {
		return graph.ReduceAllMax(graph.MatMul(a, b))
	})
	if err != nil {
		return 0, err
	}
	defer exec.Finalize()
	data := make([]float32, size*size)
	for i := range data {
		data[i] = float32(i%7) - 3
	}
	a := tensors.FromFlatDataAndDimensions(data, size, size)
	b := tensors.FromFlatDataAndDimensions(data, size, size)
	best := 0.0
	for range 10 {
		started := time.Now()
		if _, err := exec.Call(a, b); err != nil {
			return 0, err
		}
		best = max(best, 2*size*size*size/time.Since(started).Seconds()/1e9)
	}
	return best, nil
}
