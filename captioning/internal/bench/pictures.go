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
	"time"

	"github.com/gomlx/compute"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/datasets"
)

// pictureTasks are the encoders that benchPictures runs, on so many pictures, and how PyTorch is fastest.
var pictureTasks = []struct {
	encoder  string
	pictures int
	mode     string
}{
	{"resnet50", 96, "channels_last_frozen"},
	{"efficientnet-lite0", 320, "channels_last_frozen"},
}

// memoryPictures are encoded to see whether memory grows.
const memoryPictures = 10_000

// benchPictures measures whether decoding and resizing keep up with the encoder: JPEGs of 640 x 480 to features against the same
// pictures, decoded already, to features; and whether memory stays flat over many pictures.
func benchPictures(b *bench) error {
	const files = 320
	folder := filepath.Join(b.dir, "pictures")
	mean, err := writePhotographs(folder, files, 640, 480, false)
	if err != nil {
		return err
	}
	b.record.Data = fmt.Sprintf("%d JPEGs of 640 x 480 that the program draws, quality 90, %.0f kB each on average", files, mean/1000)
	weights := map[string]string{"resnet50": filepath.Join(b.dir, "resnet50.pth"), "efficientnet-lite0": "-"}
	if _, err := b.script(new(any), "resnet50_reference.py", "weights", b.dir); err != nil {
		return err
	}
	for range b.rounds {
		for _, task := range pictureTasks {
			var ours throughput
			if _, err := b.worker(&ours, "pictures", task.encoder, weights[task.encoder], folder, strconv.Itoa(task.pictures)); err != nil {
				return err
			}
			b.record.add(task.encoder+", decoded already", "pictures/s", ours.Alone)
			b.record.add(task.encoder+", from JPEG", "pictures/s", ours.FromFiles)
			b.record.add(task.encoder+", from JPEG / decoded already", "", ours.FromFiles/ours.Alone)
			b.record.add(task.encoder+", decoding and resizing one picture", "ms of a core", 1000*ours.Decoding)
			var theirs map[string]float64
			if _, err := b.script(&theirs, "features_reference.py", task.encoder, weights[task.encoder], folder, task.mode, strconv.Itoa(task.pictures)); err != nil {
				return err
			}
			b.record.add(task.encoder+", from JPEG, PyTorch "+task.mode, "pictures/s", theirs["pictures_per_second"])
		}
	}
	const small = "efficientnet-lite0"
	var resident []float64
	if _, err := b.worker(&resident, "memory", small, weights[small], folder, strconv.Itoa(memoryPictures)); err != nil {
		return err
	}
	for _, mb := range resident {
		b.record.add(fmt.Sprintf("memory after every %d of %d pictures", memoryPictures/10, memoryPictures), "MB", mb)
	}
	resnet := b.record.median("resnet50, from JPEG / decoded already")
	b.record.compare("resnet50: from JPEG / decoded already", resnet, 0.9)
	b.record.compare("efficientnet-lite0: from JPEG / decoded already", b.record.median(small+", from JPEG / decoded already"), 0)
	for _, task := range pictureTasks {
		b.record.compare(task.encoder+": from JPEG, captionlab / PyTorch",
			b.record.median(task.encoder+", from JPEG")/b.record.median(task.encoder+", from JPEG, PyTorch "+task.mode), 1)
	}
	b.record.compare("memory after 2,000 pictures / after 10,000", resident[1]/resident[len(resident)-1], 0.95)
	b.record.Notes = append(b.record.Notes,
		"Decoded already, and from JPEG, are measured one after the other in one process. XLA computes on every core, so that decoding takes from it what decoding needs.",
		"Memory: "+small+" through BuildFeatures, as captionlab features does; "+fmt.Sprint(files)+" files are read in turn.",
		"PyTorch: a DataLoader with 2 workers, traced, frozen, optimized for inference, batches of 16.")
	return nil
}

// throughput is what the worker pictures measures.
type throughput struct {
	Alone     float64 `json:"alone"`      // pictures a second, decoded already
	FromFiles float64 `json:"from_files"` // pictures a second
	Decoding  float64 `json:"decoding"`   // seconds a picture, on one core
}

// picturesWorker encodes the pictures of a folder: encoder, weights, folder, number.
func picturesWorker(backend compute.Backend, args []string) (throughput, error) {
	var out throughput
	ctx := context.Background()
	e, err := openEncoder(ctx, backend, args[0], args[1])
	if err != nil {
		return out, err
	}
	names, err := picturesIn(args[2])
	if err != nil {
		return out, err
	}
	n, err := strconv.Atoi(args[3])
	if err != nil || n > len(names) {
		return out, fmt.Errorf("%s of %d pictures (%w)", args[3], len(names), err)
	}
	names = names[:n]
	started := time.Now()
	pixels := make([]*encoder.Pixels, n)
	for i, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return out, err
		}
		pixels[i], err = e.Spec().Decode(f)
		f.Close()
		if err != nil {
			return out, err
		}
	}
	out.Decoding = time.Since(started).Seconds() / float64(n)
	if _, err := e.Encode(ctx, pixels[:e.Spec().BatchSize]); err != nil { // compiles
		return out, err
	}
	started = time.Now()
	if _, err := e.Encode(ctx, pixels); err != nil {
		return out, err
	}
	out.Alone = float64(n) / time.Since(started).Seconds()
	started = time.Now()
	if _, _, err := e.EncodeImages(ctx, names, openFile, 0, nil); err != nil {
		return out, err
	}
	out.FromFiles = float64(n) / time.Since(started).Seconds()
	return out, nil
}

func openEncoder(ctx context.Context, backend compute.Backend, name, weights string) (*encoder.Encoder, error) {
	options := captioning.EncoderOptions{Name: name}
	if weights != "-" {
		options.Weights = weights
	}
	return captioning.OpenEncoder(ctx, backend, options)
}

// memoryWorker makes the features of many pictures and returns the resident memory, in MB, after each tenth: encoder, weights,
// folder, number.
func memoryWorker(backend compute.Backend, args []string) ([]float64, error) {
	ctx := context.Background()
	e, err := openEncoder(ctx, backend, args[0], args[1])
	if err != nil {
		return nil, err
	}
	names, err := picturesIn(args[2])
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
	_, err = encoder.BuildFeatures(ctx, &inTurn{names, n}, "benchmark", e, dir, encoder.FeatureOptions{Progress: func(p encoder.Progress) {
		if p.Done >= n/10*(len(out)+1) {
			var mb float64
			mb, unknown = residentMB()
			out = append(out, mb)
		}
	}})
	return out, errors.Join(err, unknown)
}

// inTurn is a dataset of so many pictures out of a few files.
type inTurn struct {
	files []string
	n     int
}

func (d *inTurn) Name() string       { return "in-turn" }
func (d *inTurn) Oddities() []string { return nil }

func (d *inTurn) Examples(split datasets.Split) []datasets.Example {
	if split != datasets.Train {
		return nil
	}
	out := make([]datasets.Example, d.n)
	for i := range out {
		out[i] = datasets.Example{ID: fmt.Sprintf("%06d.jpg", i)}
	}
	return out
}

func (d *inTurn) OpenImage(id string) (io.ReadCloser, error) {
	i, err := strconv.Atoi(strings.TrimSuffix(id, ".jpg"))
	if err != nil {
		return nil, err
	}
	return os.Open(d.files[i%len(d.files)])
}

// residentMB is the memory of this process.
func residentMB() (float64, error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("the memory of a process is not known on %s: %w", runtime.GOOS, err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if kb, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			v, err := strconv.ParseFloat(strings.Fields(kb)[0], 64)
			return v / 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/self/status says no VmRSS")
}
