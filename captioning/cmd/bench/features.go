package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gomlx/compute"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/datasets"
)

// featureTask is a network that benchFeatures runs, the number of images, and the modes that PyTorch may try.
type featureTask struct {
	encoder string
	images  int
	modes   []string
}

var featureTasks = []featureTask{
	{"resnet50", 136, []string{"eager", "channels_last_frozen"}},
	{"efficientnet-lite0", 400, []string{"eager", "channels_last", "channels_last_frozen"}},
}

// encodingRate is what the worker features and features_reference.py print.
type encodingRate struct {
	ImagesPerSecond float64 `json:"images_per_second"`
}

// benchFeatures compares the path from JPEG files to pooled features with torchvision and efficientnet-lite-pytorch
// with a data loader.
func benchFeatures(b *bench) error {
	b.record.Data = "the first training images of Flickr8k (224 x 224 JPEG); ResNet-50's input is 256 x 256, " +
		"EfficientNet-Lite0's 224 x 224"
	ds, err := captioning.OpenDataset("flickr8k", "", "")
	if err != nil {
		return err
	}
	for _, task := range featureTasks {
		if err := exportImages(ds, filepath.Join(b.dir, task.encoder), task.images); err != nil {
			return err
		}
	}
	weights, err := b.resNet50Weights()
	if err != nil {
		return err
	}
	for range b.rounds {
		for _, task := range featureTasks {
			if err := task.measure(b, weights[task.encoder]); err != nil {
				return err
			}
		}
	}
	resnet := max(b.record.median("resnet50, PyTorch eager"), b.record.median("resnet50, PyTorch channels_last_frozen"))
	b.record.compare("resnet50: pictures/s, captionlab / PyTorch's best",
		b.record.median("resnet50, captionlab")/resnet, 1.2)
	b.record.compareMedians("efficientnet-lite0: pictures/s, captionlab / PyTorch eager",
		"efficientnet-lite0, captionlab", "efficientnet-lite0, PyTorch eager", 1)
	best := max(b.record.median("efficientnet-lite0, PyTorch channels_last"),
		b.record.median("efficientnet-lite0, PyTorch channels_last_frozen"))
	b.record.compare("efficientnet-lite0: pictures/s, captionlab / PyTorch's best",
		b.record.median("efficientnet-lite0, captionlab")/best, 1.7)
	b.record.Notes = append(b.record.Notes,
		"Decoding, resizing and encoding together, without the first batch (compiling, warming up). PyTorch's best is "+
			"channels_last, traced, frozen and optimized for inference, batches of 16, a DataLoader with 2 workers.")
	return nil
}

// measure encodes the task's images once in captionlab and once in each of PyTorch's modes.
func (task featureTask) measure(b *bench, weights string) error {
	var ours, theirs encodingRate
	m, err := b.worker(&ours, "features", task.encoder, weights, strconv.Itoa(task.images))
	if err != nil {
		return err
	}
	b.record.add(task.encoder+", captionlab", "pictures/s", ours.ImagesPerSecond)
	b.record.add(task.encoder+", captionlab, peak memory", "MB", m.peakMB)
	folder := filepath.Join(b.dir, task.encoder)
	for _, mode := range task.modes {
		if m, err = b.script(&theirs, "features_reference.py", task.encoder, weights, folder, mode); err != nil {
			return err
		}
		b.record.add(task.encoder+", PyTorch "+mode, "pictures/s", theirs.ImagesPerSecond)
	}
	b.record.add(task.encoder+", PyTorch, peak memory", "MB", m.peakMB)
	return nil
}

// exportImages writes the first n training images into a folder.
func exportImages(ds datasets.Dataset, dir string, n int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, ex := range ds.Examples(datasets.Train)[:n] {
		in, err := ds.OpenImage(ex.ID)
		if err != nil {
			return err
		}
		data, err := io.ReadAll(in)
		in.Close()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(ex.ID)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// featuresWorker encodes the first training images of Flickr8k, from JPEG to features. Its arguments are encoder,
// weights (see openEncoder) and number of images.
func featuresWorker(backend compute.Backend, args []string) (encodingRate, error) {
	var out encodingRate
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return out, err
	}
	ctx := context.Background()
	whole, err := captioning.OpenDataset("flickr8k", "", "")
	if err != nil {
		return out, err
	}
	enc, err := openEncoder(ctx, backend, args[0], args[1])
	if err != nil {
		return out, err
	}
	dir, err := os.MkdirTemp("", "captionlab-bench-features-")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	var firstAt, lastAt time.Time
	first, last := 0, 0
	options := encoder.FeatureOptions{Fingerprint: "benchmark", Progress: func(p encoder.Progress) {
		if firstAt.IsZero() { // the first batch included compiling
			firstAt, first = time.Now(), p.Done
		}
		lastAt, last = time.Now(), p.Done
	}}
	_, err = encoder.Build(ctx, enc, datasets.Subset(whole, n, 0, 0), dir, options)
	if err != nil {
		return out, err
	}
	out.ImagesPerSecond = float64(last-first) / lastAt.Sub(firstAt).Seconds()
	return out, nil
}
