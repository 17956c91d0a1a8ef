package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gomlx/compute"

	"captionlab/captioning/encoder"
)

// imageTask is an encoder that benchImages and benchCaption run, the number of images, and PyTorch's fastest mode.
type imageTask struct {
	encoder string
	images  int
	mode    string
}

var imageTasks = []imageTask{
	{"resnet50", 96, "channels_last_frozen"},
	{"efficientnet-lite0", 320, "channels_last_frozen"},
}

// benchImages measures whether decoding and resizing keep up with the encoder: 640 x 480 JPEGs to features against
// the same images to features when they are decoded beforehand. It also measures whether memory stays flat over many
// images.
func benchImages(b *bench) error {
	const files = 320
	folder := filepath.Join(b.dir, "images")
	mean, err := writeImages(folder, drawn{n: files, width: 640, height: 480})
	if err != nil {
		return err
	}
	b.record.Data = fmt.Sprintf("%d generated 640 x 480 JPEGs, quality 90, %.0f kB each on average", files, mean/1000)
	weights, err := b.resNet50Weights()
	if err != nil {
		return err
	}
	for range b.rounds {
		for _, task := range imageTasks {
			if err := task.measure(b, weights[task.encoder], folder); err != nil {
				return err
			}
		}
	}
	const small = "efficientnet-lite0"
	var resident []float64
	_, err = b.worker(&resident, "memory", small, weights[small], folder, strconv.Itoa(memoryImages))
	if err != nil {
		return err
	}
	for _, mb := range resident {
		b.record.add(fmt.Sprintf("memory after every %d of %d pictures", memoryImages/10, memoryImages), "MB", mb)
	}
	b.record.compare("resnet50: from JPEG / decoded already",
		b.record.median("resnet50, from JPEG / decoded already"), 0.97)
	b.record.compare(small+": from JPEG / decoded already",
		b.record.median(small+", from JPEG / decoded already"), 0.97)
	for _, task := range imageTasks {
		b.record.compareMedians(task.encoder+": from JPEG, captionlab / PyTorch",
			task.encoder+", from JPEG", task.encoder+", from JPEG, PyTorch "+task.mode, 1)
	}
	b.record.compare("memory after 2,000 pictures / after 10,000", resident[1]/resident[len(resident)-1], 0.95)
	b.record.Notes = append(b.record.Notes,
		"One process measures \"decoded already\" and then \"from JPEG\". XLA computes on every core, so decoding "+
			"takes its time from XLA.",
		fmt.Sprintf("Memory: %s through encoder.Build, as in captionlab features, reading the %d files in rotation.",
			small, files),
		"PyTorch: a DataLoader with 2 workers, traced, frozen, optimized for inference, batches of 16.")
	return nil
}

// measure encodes the images of a folder once on either side.
func (task imageTask) measure(b *bench, weights, folder string) error {
	var ours throughput
	if _, err := b.worker(&ours, "images", task.encoder, weights, folder, strconv.Itoa(task.images)); err != nil {
		return err
	}
	b.record.add(task.encoder+", decoded already", "pictures/s", ours.Alone)
	b.record.add(task.encoder+", from JPEG", "pictures/s", ours.FromFiles)
	b.record.add(task.encoder+", from JPEG / decoded already", "", ours.FromFiles/ours.Alone)
	b.record.add(task.encoder+", decoding and resizing one picture", "ms of a core", 1000*ours.Decoding)
	var theirs encodingRate
	_, err := b.script(&theirs, "features_reference.py",
		task.encoder, weights, folder, task.mode, strconv.Itoa(task.images))
	if err != nil {
		return err
	}
	b.record.add(task.encoder+", from JPEG, PyTorch "+task.mode, "pictures/s", theirs.ImagesPerSecond)
	return nil
}

// throughput holds what the worker images measures.
type throughput struct {
	Alone     float64 `json:"alone"`      // images per second, decoded beforehand
	FromFiles float64 `json:"from_files"` // images per second
	Decoding  float64 `json:"decoding"`   // seconds per image on one core
}

// imagesWorker encodes the images of a folder. Its arguments are encoder, weights, folder and number of images.
func imagesWorker(backend compute.Backend, args []string) (throughput, error) {
	var out throughput
	ctx := context.Background()
	e, err := openEncoder(ctx, backend, args[0], args[1])
	if err != nil {
		return out, err
	}
	names, err := filesIn(args[2])
	if err != nil {
		return out, err
	}
	n, err := strconv.Atoi(args[3])
	if err != nil || n > len(names) {
		return out, fmt.Errorf("%s of %d images (%w)", args[3], len(names), err)
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
	if out.Alone, err = encodingAlone(ctx, e, pixels); err != nil {
		return out, err
	}
	started = time.Now()
	if _, _, err := e.EncodeImages(ctx, names, openFile, 0, nil); err != nil {
		return out, err
	}
	out.FromFiles = float64(n) / time.Since(started).Seconds()
	return out, nil
}

// encodingAlone returns how many decoded images the encoder processes per second once it is compiled.
func encodingAlone(ctx context.Context, e *encoder.Encoder, pixels []*encoder.Pixels) (float64, error) {
	if _, err := e.Encode(ctx, pixels[:e.Spec().BatchSize]); err != nil { // compiles
		return 0, err
	}
	started := time.Now()
	_, err := e.Encode(ctx, pixels)
	return float64(len(pixels)) / time.Since(started).Seconds(), err
}
