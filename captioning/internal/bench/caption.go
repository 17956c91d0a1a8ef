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
	"time"

	"github.com/gomlx/compute"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/datasets"
	"captionlab/datasets/shapes"
)

// benchCaption gives captionlab caption a folder of 1,000 files of every kind, good and bad, and measures it against the encoder
// alone. It fails where a file is missing in the answer, or a good one is called bad or the other way round.
func benchCaption(b *bench) error {
	photographs, folder := filepath.Join(b.dir, "photographs"), filepath.Join(b.dir, "mixed")
	mean, err := writePhotographs(photographs, 320, 640, 480, false)
	if err != nil {
		return err
	}
	var files struct{ Good, Bad []string }
	if _, err := b.script(&files, "mixed_pictures.py", photographs, folder); err != nil {
		return err
	}
	b.record.Data = fmt.Sprintf("%d files, see mixed_pictures.py: %d pictures (photographs of 640 x 480 as JPEGs of %.0f kB for the greater part; JPEG, PNG, GIF and WebP of every kind, "+
		"1 x 1 to 5,000 x 3,750) and %d files that are none", len(files.Good)+len(files.Bad), len(files.Good), mean/1000, len(files.Bad))
	program := filepath.Join(b.dir, "captionlab")
	if _, err := b.process("go", "build", "-o", program, "./captioning/cmd/captionlab"); err != nil {
		return err
	}
	if _, err := b.script(new(any), "resnet50_reference.py", "weights", b.dir); err != nil {
		return err
	}
	weights := map[string]string{"resnet50": filepath.Join(b.dir, "resnet50.pth"), "efficientnet-lite0": "-"}
	for range b.rounds {
		for _, task := range pictureTasks {
			name, run := task.encoder, filepath.Join(b.dir, "run-"+task.encoder)
			var alone float64
			if _, err := b.worker(&alone, "run", name, weights[name], run, strconv.Itoa(task.pictures)); err != nil {
				return err
			}
			command := []string{"caption", run, "--json"}
			if weights[name] != "-" {
				command = append(command, "--weights", weights[name])
			}
			one, err := b.process(program, append(command, files.Good[0])...)
			if err != nil {
				return err
			}
			m, err := captionFolder(b, program, append(command, folder), files.Good, files.Bad)
			if err != nil {
				return err
			}
			rate := float64(len(files.Good)-1) / (m.seconds - one.seconds)
			b.record.add(name+", the encoder alone", "pictures/s", alone)
			b.record.add(name+", whole command", "s", m.seconds)
			b.record.add(name+", whole command on one picture", "s", one.seconds)
			b.record.add(name+", caption, after what one picture takes", "pictures/s", rate)
			b.record.add(name+", caption / the encoder alone", "", rate/alone)
			b.record.add(name+", peak memory", "MB", m.peakMB)
		}
	}
	b.record.compare("resnet50: caption / the encoder alone", b.record.median("resnet50, caption / the encoder alone"), 0.9)
	b.record.compare("efficientnet-lite0: caption / the encoder alone", b.record.median("efficientnet-lite0, caption / the encoder alone"), 0)
	b.record.Notes = append(b.record.Notes, "Every good file has a caption in the JSON, every bad one a line with its reason on standard error, the exit status is 1: checked in every round.",
		"The encoder alone takes pictures that are decoded already. One picture takes what every call takes: loading, compiling, one batch, one caption.",
		"Captions by greedy search, from a baseline model (300/512) trained on a few drawn pictures.")
	return nil
}

// captionFolder captions a folder and checks the answer.
func captionFolder(b *bench, program string, args, good, bad []string) (measured, error) {
	m, err := b.process(program, args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		return m, fmt.Errorf("exit status 1 is due because of the bad files, not: %w", err)
	}
	var rows []struct {
		ID      string  `json:"image_id"`
		Caption *string `json:"caption"`
	}
	if err := json.Unmarshal(m.standard, &rows); err != nil {
		return m, err
	}
	var captioned, listed []string
	for _, row := range rows {
		if row.Caption != nil {
			captioned = append(captioned, row.ID)
		}
	}
	for lines := bufio.NewScanner(strings.NewReader(m.errors)); lines.Scan(); {
		for _, file := range bad {
			if reason, ok := strings.CutPrefix(lines.Text(), file+": "); ok && reason != "" {
				listed = append(listed, file)
			}
		}
	}
	slices.Sort(captioned)
	slices.Sort(listed)
	if !slices.Equal(captioned, good) || !slices.Equal(listed, bad) {
		return m, fmt.Errorf("%d captions for %d pictures, %d of %d bad files listed; not as expected: %q", len(captioned), len(good), len(listed), len(bad),
			slices.Concat(lacking(good, captioned), lacking(captioned, good), lacking(bad, listed)))
	}
	return m, nil
}

// lacking are the names of one list that another one does not have.
func lacking(in, of []string) []string {
	return slices.DeleteFunc(slices.Clone(in), func(name string) bool { return slices.Contains(of, name) })
}

// runWorker trains a model for a little while, unless there is one in the folder, and returns how many pictures a second the
// encoder takes by itself: encoder, weights, folder of the run, number.
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
		if err := shortRun(ctx, backend, e, args[2]); err != nil {
			return 0, err
		}
	}
	pixels := make([]*encoder.Pixels, n)
	for i := range pixels {
		if pixels[i], err = e.Spec().Preprocess(encoder.FromImage(photograph(uint64(i%4), e.Spec().Crop, e.Spec().Crop))); err != nil {
			return 0, err
		}
	}
	if _, err := e.Encode(ctx, pixels[:e.Spec().BatchSize]); err != nil { // compiles
		return 0, err
	}
	started := time.Now()
	_, err = e.Encode(ctx, pixels)
	return float64(n) / time.Since(started).Seconds(), err
}

// shortRun trains the baseline on a few drawn pictures.
func shortRun(ctx context.Context, backend compute.Backend, e *encoder.Encoder, dir string) error {
	ds, err := shapes.Open(shapes.WithSize(64, 16, 16))
	if err != nil {
		return err
	}
	fingerprint, err := datasets.Fingerprint(ctx, ds)
	if err != nil {
		return err
	}
	features, err := encoder.BuildFeatures(ctx, ds, fingerprint, e, dir+"-features", encoder.FeatureOptions{})
	if err != nil {
		return err
	}
	s := experiment.Defaults()
	s.Epochs, s.LearningRate, s.MinCount = 5, 5e-3, 1
	_, err = captioning.Train(ctx, backend, captioning.TrainConfig{Dir: dir, Dataset: ds, Fingerprint: fingerprint, Features: features, Settings: s})
	return err
}
