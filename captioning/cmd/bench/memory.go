package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/gomlx/compute"

	"captionlab/captioning/encoder"
	"captionlab/datasets"
)

// memoryImages is the number of images that memoryWorker encodes.
const memoryImages = 10_000

// memoryWorker computes the features of many images and returns the resident memory in MB after each tenth of them. Its
// arguments are encoder, weights, folder and number of images.
func memoryWorker(backend compute.Backend, args []string) ([]float64, error) {
	ctx := context.Background()
	e, err := openEncoder(ctx, backend, args[0], args[1])
	if err != nil {
		return nil, err
	}
	names, err := filesIn(args[2])
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(args[3])
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "captionlab-bench-memory-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var out []float64
	var unknown error
	options := encoder.FeatureOptions{Fingerprint: "benchmark", Progress: func(p encoder.Progress) {
		if p.Done >= n/10*(len(out)+1) {
			var mb float64
			mb, unknown = statusMB("self", "VmRSS:")
			out = append(out, mb)
		}
	}}
	_, err = encoder.Build(ctx, e, &rotation{names, n}, dir, options)
	return out, errors.Join(err, unknown)
}

// rotation is a dataset of n images that repeats a few files.
type rotation struct {
	files []string
	n     int
}

func (d *rotation) Name() string       { return "rotation" }
func (d *rotation) Oddities() []string { return nil }

func (d *rotation) Examples(split datasets.Split) []datasets.Example {
	if split != datasets.Train {
		return nil
	}
	out := make([]datasets.Example, d.n)
	for i := range out {
		out[i] = datasets.Example{ID: fmt.Sprintf("%06d.jpg", i)}
	}
	return out
}

func (d *rotation) OpenImage(id string) (io.ReadCloser, error) {
	i, err := strconv.Atoi(strings.TrimSuffix(id, ".jpg"))
	if err != nil {
		return nil, err
	}
	return os.Open(d.files[i%len(d.files)])
}

// statusMB returns a line of a process's status in MB: "VmRSS:" for the resident memory, "RssAnon:" for the part of it
// that is not mapped from files. The process is a number or "self".
func statusMB(process, name string) (float64, error) {
	f, err := os.Open(filepath.Join("/proc", process, "status"))
	if err != nil {
		return 0, fmt.Errorf("the memory of a process cannot be read on %s: %w", runtime.GOOS, err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if kb, ok := strings.CutPrefix(lines.Text(), name); ok {
			v, err := strconv.ParseFloat(strings.Fields(kb)[0], 64)
			return v / 1024, err
		}
	}
	return 0, fmt.Errorf("the status of process %s has no line %s", process, name)
}
