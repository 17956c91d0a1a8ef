package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gomlx/compute"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/cache"
	"captionlab/captioning/internal/checksum"
	"captionlab/captioning/safetensors"
	"captionlab/datasets"
)

// grown holds what growthWorker measures.
type grown struct {
	TokensPerSecond float64 `json:"tokens_per_second"`
	MemoryMB        float64 `json:"memory_mb"` // resident, without mapped files
}

// growthWorker trains the baseline for a while on a number of images, its argument, with random features.
func growthWorker(backend compute.Backend, images string) (out grown, err error) {
	n, err := strconv.Atoi(images)
	if err != nil {
		return out, err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	data, err := captioning.NewData(ctx, backend, newScenes(n),
		captioning.DataOptions{Encoder: captioning.EncoderOptions{Name: "efficientnet-lite0"}})
	if err != nil {
		return out, err
	}
	folder, err := writeFeatures(data)
	if folder != "" {
		defer os.RemoveAll(folder)
	}
	if err != nil {
		return out, err
	}
	dir, err := os.MkdirTemp("", "captionlab-bench-run-")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	const warm, counted = 90, 60 // within the second epoch of 1,000 images
	var from time.Time
	steps, tokens := 0, 0
	var unknown error
	settings := experiment.Defaults()
	_, err = captioning.Train(ctx, backend, data, captioning.TrainConfig{Dir: dir, Settings: settings,
		CheckpointEvery: 24 * time.Hour, Progress: func(p captioning.TrainProgress) {
			switch steps++; steps {
			case warm:
				from, tokens = time.Now(), p.Tokens
			case warm + counted:
				out.TokensPerSecond = float64(p.Tokens-tokens) / time.Since(from).Seconds()
				out.MemoryMB, unknown = statusMB("self", "RssAnon:")
				stop()
			}
		}})
	if !errors.Is(err, captioning.ErrStopped) {
		return out, fmt.Errorf("training did not run for %d steps: %v", warm+counted, err)
	}
	return out, unknown
}

// writeFeatures writes random features for the images of data to the folder where Data looks for them.
func writeFeatures(data *captioning.Data) (folder string, err error) {
	root, err := cache.Features()
	if err != nil {
		return "", err
	}
	m := encoder.Manifest{Format: 1, Encoder: data.Encoder(), Dataset: data.Name(), Fingerprint: data.Fingerprint,
		Complete: true}
	folder = encoder.FeatureFolder(root, data.Name(), data.Fingerprint, data.Encoder())
	random := rand.New(rand.NewPCG(1, 2))
	for _, split := range datasets.Splits {
		examples := data.Dataset.Examples(split)
		for len(examples) > 0 {
			part := examples[:min(512, len(examples))]
			examples = examples[len(part):]
			shard := encoder.Shard{File: fmt.Sprintf("shard-%04d.safetensors", len(m.Shards))}
			rows := make([]float32, len(part)*m.Encoder.FeatureDim)
			for i := range rows {
				rows[i] = random.Float32()
			}
			for _, ex := range part {
				shard.IDs = append(shard.IDs, ex.ID)
			}
			path := filepath.Join(folder, shard.File)
			tensor := safetensors.FromFloat32([]int{len(part), m.Encoder.FeatureDim}, rows)
			if err := safetensors.Write(path, map[string]safetensors.Tensor{"features": tensor}, nil); err != nil {
				return folder, err
			}
			if shard.SHA256, err = checksum.HashFile(path); err != nil {
				return folder, err
			}
			m.Shards = append(m.Shards, shard)
		}
	}
	return folder, experiment.WriteJSON(filepath.Join(folder, "manifest.json"), m)
}

// scenes is a dataset of images that exist only as captions.
type scenes map[datasets.Split][]datasets.Example

// newScenes makes n images to train on, and 200 each to validate and to test.
func newScenes(n int) scenes {
	s, random := make(scenes), rand.New(rand.NewPCG(1, 3))
	for _, split := range datasets.Splits {
		count := 200
		if split == datasets.Train {
			count = n
		}
		for i := range count {
			ex := datasets.Example{ID: fmt.Sprintf("%s-%06d", split, i)}
			shown := newScene(random)
			for range 5 {
				ex.Captions = append(ex.Captions, shown.describe(random))
			}
			s[split] = append(s[split], ex)
		}
	}
	return s
}

func (s scenes) Name() string       { return "bench-growth" }
func (s scenes) Oddities() []string { return nil }

func (s scenes) Examples(split datasets.Split) []datasets.Example { return s[split] }

// OpenImage stands in for an image; only its checksum is used.
func (s scenes) OpenImage(id string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(id)), nil
}
