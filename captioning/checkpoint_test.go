package captioning

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"captionlab/captioning/safetensors"
	"captionlab/captioning/xla/xlatest"
)

// stoppedRun is a copy of a run folder whose last checkpoint is at 7 steps and whose previous one is at 4.
func stoppedRun(t *testing.T) toyRun {
	t.Helper()
	stoppedOnce.Do(func() {
		dir, err := os.MkdirTemp("", "captionlab-stopped-run-")
		must(t, err)
		stoppedDir = dir
		c := newToyRun(t, dir)
		c.Resume = true
		for _, steps := range []int{4, 3} {
			if err := stopAfter(t, c, steps); !errors.Is(err, ErrStopped) {
				t.Fatal(err)
			}
		}
	})
	c := newToyRun(t, stoppedDir)
	c.Resume = true
	return copyRun(t, c)
}

var (
	stoppedOnce sync.Once
	stoppedDir  string
)

func damage(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, change(data), 0o644))
}

// damages are ways in which a file can be damaged.
var damages = map[string]func([]byte) []byte{
	"cut in half":    func(b []byte) []byte { return b[:len(b)/2] },
	"empty":          func(b []byte) []byte { return nil },
	"one bit":        func(b []byte) []byte { b[len(b)-100] ^= 4; return b },
	"one bit, early": func(b []byte) []byte { b[900] ^= 1; return b },
	"another file":   func(b []byte) []byte { return []byte(strings.Repeat("not a checkpoint ", 100)) },
}

// copyRun copies the files of a run folder to a new one.
func copyRun(t *testing.T, c toyRun) toyRun {
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
			damage(t, filepath.Join(c.Dir, lastFile), change)
			var warnings []string
			c.Warn = func(line string) { warnings = append(warnings, line) }
			r, err := beginRun(context.Background(), c.data, c.TrainConfig)
			must(t, err)
			defer r.close()
			if r.at.Epoch != 0 || r.at.Batch != 4 {
				t.Errorf("the run resumes from epoch %d, batch %d, want 0 and 4", r.at.Epoch, r.at.Batch)
			}
			if all := strings.Join(warnings, "\n"); !strings.Contains(all, lastFile) ||
				!strings.Contains(all, "epoch 0, batch 4") {
				t.Errorf("warnings %q do not name the file and the checkpoint before it", warnings)
			}
		})
	}
	// A run that resumes from the previous checkpoint ends in the same bits too.
	must(t, os.Remove(filepath.Join(stopped.Dir, lastFile)))
	_, err := stopped.train(xlatest.OpenForTest(t))
	must(t, err)
	wantSameRun(t, wholeRun(t), stopped.Dir)
}

func TestNoUsableCheckpoint(t *testing.T) {
	stopped := stoppedRun(t)
	for name, change := range damages {
		t.Run(name, func(t *testing.T) {
			c := copyRun(t, stopped)
			for _, file := range []string{lastFile, previousFile} {
				damage(t, filepath.Join(c.Dir, file), change)
			}
			_, err := c.train(xlatest.OpenForTest(t))
			wantError(t, err, "no usable checkpoint", c.Dir, lastFile, previousFile)
		})
	}
}

func TestOpenBadRuns(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	_, err := OpenModel(backend, filepath.Join(t.TempDir(), "none"), ModelOptions{})
	wantError(t, err, "none", bestFile, "is")

	c := newToyRun(t, wholeRun(t))
	c = copyRun(t, c)
	best := filepath.Join(c.Dir, bestFile)
	good, err := os.ReadFile(best)
	must(t, err)
	for name, change := range damages {
		t.Run(name, func(t *testing.T) {
			must(t, os.WriteFile(best, change(append([]byte(nil), good...)), 0o644))
			_, err := OpenModel(backend, c.Dir, ModelOptions{})
			wantError(t, err, best)
		})
	}

	// A valid safetensors file that is not a checkpoint.
	must(
		t,
		safetensors.Write(best, map[string]safetensors.Tensor{"x": safetensors.FromFloat32([]int{1}, []float32{1})},
			nil),
	)
	_, err = OpenModel(backend, c.Dir, ModelOptions{})
	wantError(t, err, best, "not written by captionlab")
}

func TestFeaturesOfAnotherEncoder(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	m, err := OpenModel(backend, wholeRun(t), ModelOptions{})
	must(t, err)
	defer m.Close()
	other := toyData(t)
	other.identity.Name = "other"
	_, err = m.CaptionSplit(context.Background(), other, "test", generateDefaults)
	wantError(t, err, "toy", "other")
	_, err = m.CaptionFeatures([]string{"a"}, [][]float32{{1, 2}}, generateDefaults)
	wantError(t, err, "image a: it has 2 features", "12")
	_, err = m.CaptionFeatures([]string{"a"}, nil, generateDefaults)
	wantError(t, err, "1 ids for 0")
	none, err := m.CaptionFeatures(nil, nil, generateDefaults)
	if err != nil || len(none) != 0 {
		t.Errorf("no images gave %v, %v", none, err)
	}
}
