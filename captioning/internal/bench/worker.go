package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/xla"
	"captionlab/datasets"
)

// workerCommand makes this program a worker of its own benchmarks, in a process whose memory can be measured.
const workerCommand = "worker"

// work runs one worker, which prints what it measured as JSON.
func work(args []string) error {
	backend, _, err := xla.Open(xla.OpenOptions{})
	if err != nil {
		return err
	}
	var result any
	switch {
	case len(args) == 5 && args[0] == "train":
		result, err = trainWorker(backend, args[1:])
	case len(args) == 3 && args[0] == "generate":
		result, err = generateWorker(backend, args[1], args[2])
	case len(args) == 4 && args[0] == "features":
		result, err = featuresWorker(backend, args[1:])
	case len(args) == 5 && args[0] == "open":
		result, err = openWorker(backend, args[1:])
	case len(args) == 5 && args[0] == "pictures":
		result, err = picturesWorker(backend, args[1:])
	case len(args) == 5 && args[0] == "memory":
		result, err = memoryWorker(backend, args[1:])
	case len(args) == 5 && args[0] == "run":
		result, err = runWorker(backend, args[1:])
	default:
		err = fmt.Errorf("unknown worker %q", args)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// flickr8k opens the dataset and its features, as captionlab train does.
func flickr8k(ctx context.Context, backend compute.Backend) (datasets.Dataset, string, *encoder.Features, error) {
	ds, err := captioning.OpenDataset("flickr8k", "")
	if err != nil {
		return nil, "", nil, err
	}
	enc, err := captioning.OpenEncoder(ctx, backend, captioning.EncoderOptions{Name: "efficientnet-lite0"})
	if err != nil {
		return nil, "", nil, err
	}
	fingerprint, err := datasets.Fingerprint(ctx, ds)
	if err != nil {
		return nil, "", nil, err
	}
	features, err := captioning.Features(ctx, ds, fingerprint, enc, nil)
	return ds, fingerprint, features, err
}

// trained is what a training worker measures.
type trained struct {
	TokensPerSecond float64 `json:"tokens_per_second"` // real tokens
	FirstStep       float64 `json:"first_step"`        // seconds from the start of the process to the end of the first step
	PeakGFLOPS      float64 `json:"peak_gflops"`       // of a matrix product of 2048 x 2048
	Vocabulary      int     `json:"vocabulary"`
}

// trainWorker trains with the given embedding and hidden size on Flickr8k: so many steps that are not counted, and then so
// many that are.
func trainWorker(backend compute.Backend, args []string) (trained, error) {
	var n [4]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[i]); err != nil {
			return trained{}, err
		}
	}
	started := time.Now()
	if at, err := strconv.ParseInt(os.Getenv(startVariable), 10, 64); err == nil {
		started = time.Unix(0, at)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ds, fingerprint, features, err := flickr8k(ctx, backend)
	if err != nil {
		return trained{}, err
	}
	dir, err := os.MkdirTemp("", "captionlab-bench-run-")
	if err != nil {
		return trained{}, err
	}
	defer os.RemoveAll(dir)
	s := experiment.Defaults()
	s.Embedding, s.Hidden = n[0], n[1]
	var out trained
	var warmAt time.Time
	steps, warmTokens := 0, 0
	_, err = captioning.Train(ctx, backend, captioning.TrainConfig{Dir: dir, Dataset: ds, Fingerprint: fingerprint, Features: features, Settings: s,
		CheckpointEvery: 24 * time.Hour, Progress: func(p captioning.TrainProgress) {
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
		}})
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

// matmulPeak is the rate of a product of two matrices of 2048 x 2048, the best of ten.
func matmulPeak(backend compute.Backend) (float64, error) {
	const size = 2048
	exec, err := graph.NewExec(backend, func(a, b *graph.Node) *graph.Node { return graph.ReduceAllMax(graph.MatMul(a, b)) })
	if err != nil {
		return 0, err
	}
	defer exec.Finalize()
	data := make([]float32, size*size)
	for i := range data {
		data[i] = float32(i%7) - 3
	}
	a, b := tensors.FromFlatDataAndDimensions(data, size, size), tensors.FromFlatDataAndDimensions(data, size, size)
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

// generated is what a generation worker measures: captions a second, and the captions.
type generated struct {
	Greedy   float64  `json:"greedy"`
	Beam     float64  `json:"beam"`
	Captions []string `json:"captions"`
	Beams    []string `json:"beams"`
}

// generateWorker captions rows of features, float32 in a raw file, with the run in dir.
func generateWorker(backend compute.Backend, dir, features string) (generated, error) {
	var out generated
	model, err := captioning.Open(backend, dir)
	if err != nil {
		return out, err
	}
	rows, err := readRows(features, model.Checkpoint.Encoder.FeatureDim)
	if err != nil {
		return out, err
	}
	ids := make([]string, len(rows))
	for _, task := range []struct {
		options  decoder.GenerateOptions
		rate     *float64
		captions *[]string
	}{{decoder.GenerateOptions{}, &out.Greedy, &out.Captions}, {decoder.GenerateOptions{Beam: 5}, &out.Beam, &out.Beams}} {
		for run := range 3 { // the first one compiles
			started := time.Now()
			captions, err := model.CaptionFeatures(ids, rows, task.options)
			if err != nil {
				return out, err
			}
			if run == 0 {
				for _, c := range captions {
					*task.captions = append(*task.captions, c.Text)
				}
				continue
			}
			*task.rate = max(*task.rate, float64(len(rows))/time.Since(started).Seconds())
		}
	}
	return out, nil
}

// featuresWorker encodes the first pictures of Flickr8k, from JPEG to features: encoder, weights ("-" for its own), number.
func featuresWorker(backend compute.Backend, args []string) (map[string]float64, error) {
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	whole, err := captioning.OpenDataset("flickr8k", "")
	if err != nil {
		return nil, err
	}
	enc, err := openEncoder(ctx, backend, args[0], args[1])
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "captionlab-bench-features-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var firstAt, lastAt time.Time
	first, last := 0, 0
	_, err = encoder.BuildFeatures(ctx, datasets.Subset(whole, n, 0, 0), "benchmark", enc, dir, encoder.FeatureOptions{Progress: func(p encoder.Progress) {
		if firstAt.IsZero() { // compiled now
			firstAt, first = time.Now(), p.Done
		}
		lastAt, last = time.Now(), p.Done
	}})
	if err != nil {
		return nil, err
	}
	return map[string]float64{"pictures_per_second": float64(last-first) / lastAt.Sub(firstAt).Seconds()}, nil
}
