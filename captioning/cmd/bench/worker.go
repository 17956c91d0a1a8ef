package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/captioning/xla"
)

// workerCommand is the first argument of a worker: this program in a process of its own, whose memory can be measured.
const workerCommand = "worker"

// work runs one worker, which prints its measurements as JSON.
func work(args []string) error {
	backend, _, err := xla.Open(xla.OpenOptions{})
	if err != nil {
		return err
	}
	var result any
	switch {
	case (len(args) == 6 || len(args) == 7) && args[0] == "train":
		result, err = trainWorker(backend, args[1:])
	case len(args) == 3 && args[0] == "generate":
		result, err = generateWorker(backend, args[1], args[2])
	case len(args) == 3 && args[0] == "selfcritical":
		result, err = selfCriticalWorker(backend, args[1:])
	case len(args) == 4 && args[0] == "features":
		result, err = featuresWorker(backend, args[1:])
	case len(args) == 3 && args[0] == "profile":
		result, err = profileWorker(backend, args[1], args[2])
	case len(args) == 5 && args[0] == "open":
		result, err = openWorker(backend, args[1:])
	case len(args) == 5 && args[0] == "images":
		result, err = imagesWorker(backend, args[1:])
	case len(args) == 5 && args[0] == "memory":
		result, err = memoryWorker(backend, args[1:])
	case len(args) == 5 && args[0] == "run":
		result, err = runWorker(backend, args[1:])
	case len(args) == 2 && args[0] == "growth":
		result, err = growthWorker(backend, args[1])
	case len(args) == 4 && args[0] == "captions":
		result, err = captionsWorker(args[1:])
	case len(args) == 1 && args[0] == "beams":
		result, err = beamsWorker(backend)
	default:
		err = fmt.Errorf("unknown worker %q", args)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// flickr8k opens the dataset with EfficientNet-Lite0, as captionlab train does.
func flickr8k(ctx context.Context, backend compute.Backend) (*captioning.Data, error) {
	options := captioning.DataOptions{Encoder: captioning.EncoderOptions{Name: "efficientnet-lite0"}}
	return captioning.OpenData(ctx, backend, "flickr8k", options)
}

// openEncoder opens an encoder with a weights file, or with its own weights when weights is "-".
func openEncoder(ctx context.Context, backend compute.Backend, name, weights string) (*encoder.Encoder, error) {
	return captioning.OpenEncoder(ctx, backend, encoderOptions(name, weights))
}

func encoderOptions(name, weights string) captioning.EncoderOptions {
	if weights == "-" {
		weights = ""
	}
	return captioning.EncoderOptions{Name: name, Weights: weights}
}

func openFile(name string) (io.ReadCloser, error) { return os.Open(name) }

// filesIn returns the files of a folder in alphabetical order.
func filesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var names []string
	for _, entry := range entries {
		names = append(names, filepath.Join(dir, entry.Name()))
	}
	return names, err
}
