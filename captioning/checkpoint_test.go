package captioning

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/safetensors"
	"captionlab/captioning/xla/xlatest"
)

// stoppedRun leaves a run folder with a last checkpoint, at 7 steps, and the one before, at 4.
func stoppedRun(t *testing.T) TrainConfig {
	t.Helper()
	c := toyConfig(t, t.TempDir())
	c.Resume = true
	for _, steps := range []int{4, 3} {
		if err := stopAfter(t, c, steps); !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
	}
	return c
}

func damage(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, change(data), 0o644))
}

// damages are what may happen to a file.
var damages = map[string]func([]byte) []byte{
	"cut in half":    func(b []byte) []byte { return b[:len(b)/2] },
	"empty":          func(b []byte) []byte { return nil },
	"one bit":        func(b []byte) []byte { b[len(b)-100] ^= 4; return b },
	"one bit, early": func(b []byte) []byte { b[900] ^= 1; return b },
	"another file":   func(b []byte) []byte { return []byte(strings.Repeat("not a checkpoint ", 100)) },
}

// copyRun copies the files of a run folder to a new one.
func copyRun(t *testing.T, c TrainConfig) TrainConfig {
	t.Helper()
	from := c.Dir
	c.Dir = t.TempDir()
	must(t, os.CopyFS(c.Dir, os.DirFS(from)))
	return c
}

func TestDamagedCheckpointFallsBack(t *testing.T) {
	stopped := stoppedRun(t)
	for name, change := range damages {
		t.Run(name, func(t *testing.T) {
			c := copyRun(t, stopped)
			damage(t, filepath.Join(c.Dir, LastCheckpoint), change)
			var warnings []string
			c.Warn = func(line string) { warnings = append(warnings, line) }
			r, err := newTrainRun(xlatest.OpenForTest(t), c)
			must(t, err)
			defer r.close()
			if r.at.Epoch != 0 || r.at.Batch != 4 {
				t.Errorf("the run goes on from epoch %d, batch %d, want 0 and 4", r.at.Epoch, r.at.Batch)
			}
			if all := strings.Join(warnings, "\n"); !strings.Contains(all, LastCheckpoint) || !strings.Contains(all, "epoch 0, batch 4") {
				t.Errorf("warnings %q do not name the file and the checkpoint before it", warnings)
			}
		})
	}
	// From the checkpoint before the last one, too, the run ends in the same bits.
	must(t, os.Remove(filepath.Join(stopped.Dir, LastCheckpoint)))
	_, err := Train(context.Background(), xlatest.OpenForTest(t), stopped)
	must(t, err)
	wantSameRun(t, wholeRun(t), stopped.Dir)
}

func TestNoUsableCheckpoint(t *testing.T) {
	stopped := stoppedRun(t)
	for name, change := range damages {
		t.Run(name, func(t *testing.T) {
			c := copyRun(t, stopped)
			for _, file := range []string{LastCheckpoint, previousFile} {
				damage(t, filepath.Join(c.Dir, file), change)
			}
			_, err := Train(context.Background(), xlatest.OpenForTest(t), c)
			wantError(t, err, "no usable checkpoint", c.Dir, LastCheckpoint, previousFile)
		})
	}
}

func TestOpenBadRuns(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	_, err := Open(backend, filepath.Join(t.TempDir(), "none"))
	wantError(t, err, "none", bestFile, "is")

	c := toyConfig(t, t.TempDir())
	c.Settings.Epochs = 1
	_, err = Train(context.Background(), backend, c)
	must(t, err)
	best := filepath.Join(c.Dir, bestFile)
	good, err := os.ReadFile(best)
	must(t, err)
	for name, change := range damages {
		t.Run(name, func(t *testing.T) {
			must(t, os.WriteFile(best, change(append([]byte(nil), good...)), 0o644))
			_, err := Open(backend, c.Dir)
			wantError(t, err, best)
		})
	}

	// A sound safetensors file that is no checkpoint.
	must(t, safetensors.Write(best, map[string]safetensors.Tensor{"x": safetensors.FromFloat32([]int{1}, []float32{1})}, nil))
	_, err = Open(backend, c.Dir)
	wantError(t, err, best, "not written by captionlab")
}

func TestFeaturesOfAnotherEncoder(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	c := toyConfig(t, t.TempDir())
	c.Settings.Epochs = 1
	_, err := Train(context.Background(), backend, c)
	must(t, err)
	m, err := Open(backend, c.Dir)
	must(t, err)
	defer m.Finalize()
	other := *c.Features
	other.Manifest.Encoder.Name = "other"
	_, err = m.CaptionSplit(c.Dataset, "test", &other, generateDefaults)
	wantError(t, err, "toy", "other")
	_, err = m.CaptionFeatures([]string{"a"}, [][]float32{{1, 2}}, generateDefaults)
	wantError(t, err, "picture a has 2 features", "12")
	_, err = m.CaptionFeatures([]string{"a"}, nil, generateDefaults)
	wantError(t, err, "1 ids for 0")
	none, err := m.CaptionFeatures(nil, nil, generateDefaults)
	if err != nil || len(none) != 0 {
		t.Errorf("no pictures gave %v, %v", none, err)
	}
}
