package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/compute"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/datasets/shapes"
)

// mixed is the folder that mixed_images.py fills, and the names of its readable and unreadable files.
type mixed struct {
	folder    string
	Good, Bad []string
}

// benchCaption runs captionlab caption on a folder of 1,000 good and bad files of every kind and compares its rate
// with the encoder's alone. It fails unless the output covers every file and tells good ones from bad ones.
func benchCaption(b *bench) error {
	sources, files := filepath.Join(b.dir, "images"), mixed{folder: filepath.Join(b.dir, "mixed")}
	mean, err := writeImages(sources, drawn{n: 320, width: 640, height: 480})
	if err != nil {
		return err
	}
	if _, err := b.script(&files, "mixed_images.py", sources, files.folder); err != nil {
		return err
	}
	b.record.Data = fmt.Sprintf("%d files, see mixed_images.py: %d images (mostly 640 x 480 JPEGs of %.0f kB; JPEG, "+
		"PNG, GIF and WebP of every kind, 1 x 1 to 5,000 x 3,750) and %d files that are not images",
		len(files.Good)+len(files.Bad), len(files.Good), mean/1000, len(files.Bad))
	program, err := b.build()
	if err != nil {
		return err
	}
	weights, err := b.resNet50Weights()
	if err != nil {
		return err
	}
	for range b.rounds {
		for _, task := range imageTasks {
			if err := task.measureCaption(b, program, weights[task.encoder], files); err != nil {
				return err
			}
		}
	}
	for _, task := range []struct {
		encoder string
		target  float64
	}{{"resnet50", 0.9}, {"efficientnet-lite0", 0}} {
		name := task.encoder + ", caption / the encoder alone"
		b.record.compare(task.encoder+": caption / the encoder alone", b.record.median(name), task.target)
	}
	b.record.Notes = append(b.record.Notes,
		"Checked in every round: every good file has a caption in the JSON, every bad one a line with its reason on "+
			"standard error, and the exit status is 1.",
		"\"The encoder alone\" gets decoded images. \"One picture\" is what every call costs: loading, compiling, one "+
			"batch, one caption.",
		"Captions by greedy search with a baseline model (300/512) trained on a few generated images.")
	return nil
}

// measureCaption measures the encoder alone, and captionlab caption on one image and on the whole folder.
func (task imageTask) measureCaption(b *bench, program, weights string, files mixed) error {
	name, run := task.encoder, filepath.Join(b.dir, "run-"+task.encoder)
	var alone float64
	if _, err := b.worker(&alone, "run", name, weights, run, strconv.Itoa(task.images)); err != nil {
		return err
	}
	command := []string{"caption", run, "--coco"}
	if weights != "-" {
		command = append(command, "--weights", weights)
	}
	one, err := b.process(program, append(command, files.Good[0])...)
	if err != nil {
		return err
	}
	m, err := b.process(program, append(command, files.folder)...)
	if err := checkCaptions(m, err, files); err != nil {
		return err
	}
	rate := float64(len(files.Good)-1) / (m.seconds - one.seconds)
	b.record.add(name+", the encoder alone", "pictures/s", alone)
	b.record.add(name+", whole command", "s", m.seconds)
	b.record.add(name+", whole command on one picture", "s", one.seconds)
	b.record.add(name+", caption, after what one picture takes", "pictures/s", rate)
	b.record.add(name+", caption / the encoder alone", "", rate/alone)
	b.record.add(name+", peak memory", "MB", m.peakMB)
	return nil
}

// checkCaptions fails unless the command exited with status 1, captioned every good file and listed every bad one.
func checkCaptions(m measured, err error, files mixed) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		return fmt.Errorf("the bad files require exit status 1, got: %w", err)
	}
	var rows []struct {
		ID      string  `json:"image_id"`
		Caption *string `json:"caption"`
	}
	if err := json.Unmarshal(m.standard, &rows); err != nil {
		return err
	}
	var captioned, listed []string
	for _, row := range rows {
		if row.Caption != nil {
			captioned = append(captioned, row.ID)
		}
	}
	for lines := bufio.NewScanner(strings.NewReader(m.errors)); lines.Scan(); {
		for _, file := range files.Bad {
			if reason, ok := strings.CutPrefix(lines.Text(), file+": "); ok && reason != "" {
				listed = append(listed, file)
			}
		}
	}
	slices.Sort(captioned)
	slices.Sort(listed)
	if !slices.Equal(captioned, files.Good) || !slices.Equal(listed, files.Bad) {
		wrong := slices.Concat(
			missing(files.Good, captioned), missing(captioned, files.Good), missing(files.Bad, listed))
		return fmt.Errorf("%d captions for %d images, %d of %d bad files listed; wrong: %q",
			len(captioned), len(files.Good), len(listed), len(files.Bad), wrong)
	}
	return nil
}

// missing returns the names that are in wanted but not in got.
func missing(wanted, got []string) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return slices.Contains(got, name) })
}

// runWorker trains a model briefly unless the folder holds one, and returns how many images per second the encoder
// alone processes. Its arguments are encoder, weights, run folder and number of images.
func runWorker(backend compute.Backend, args []string) (float64, error) {
	ctx := context.Background()
	e, err := openEncoder(ctx, backend, args[0], args[1])
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(args[3])
	if err != nil {
		return 0, err
	}
	if _, err := captioning.CheckpointFile(args[2]); err != nil {
		o := captioning.DataOptions{Encoder: encoderOptions(args[0], args[1])}
		if err := shortRun(ctx, backend, o, args[2]); err != nil {
			return 0, err
		}
	}
	pixels := make([]*encoder.Pixels, n)
	for i := range pixels {
		img := drawImage(uint64(i%4), e.Spec().Crop, e.Spec().Crop)
		if pixels[i], err = e.Spec().Preprocess(encoder.FromImage(img)); err != nil {
			return 0, err
		}
	}
	return encodingAlone(ctx, e, pixels)
}

// shortRun trains the baseline on a few images of the shapes dataset.
func shortRun(ctx context.Context, backend compute.Backend, o captioning.DataOptions, dir string) error {
	ds, err := shapes.Open(shapes.WithSize(64, 16, 16))
	if err != nil {
		return err
	}
	data, err := captioning.NewData(ctx, backend, ds, o)
	if err != nil {
		return err
	}
	defer data.Close()
	s := experiment.Defaults()
	s.Epochs, s.LearningRate, s.MinCount = 5, 5e-3, 1
	model, err := captioning.Train(ctx, backend, data, captioning.TrainConfig{Dir: dir, Settings: s})
	if err != nil {
		return err
	}
	model.Close()
	return nil
}
