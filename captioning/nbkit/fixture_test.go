package nbkit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/janpfeifer/gonb/gonbui/protocol"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/cache"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
	"captionlab/datasets/shapes"
)

// TestMain gives all tests one cache folder, so that they share the features of a few images. It shares the encoder's
// weights with the user's.
func TestMain(m *testing.M) {
	os.Setenv("XLA_FLAGS", "--xla_backend_optimization_level=0") // compiling takes most of the time of these tests
	folder, err := testCache()
	if err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

func testCache() (string, error) {
	weights, err := cache.Weights()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(weights, 0o755); err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "captionlab-nbkit-")
	if err != nil {
		return "", err
	}
	if err := os.Symlink(weights, filepath.Join(folder, "weights")); err != nil {
		return "", err
	}
	return folder, os.Setenv("CAPTIONLAB_CACHE", folder)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wholeShapes is the embedded dataset.
var wholeShapes = sync.OnceValues(func() (datasets.Dataset, error) { return captioning.OpenDataset("shapes", "", "") })

// meanColor is an encoder that is compiled in no time: the mean color of an image of the given side.
func meanColor(side int) *encoder.Spec {
	return &encoder.Spec{Name: fmt.Sprintf("mean-color-%d", side), FeatureDim: 3, Resize: side, Crop: side,
		Std:   [3]float32{255, 255, 255},
		Graph: func(images *graph.Node, _ []*graph.Node) *graph.Node { return graph.ReduceMean(images, 1, 2) }}
}

// newLab is a lab on a few images of the embedded dataset with a tiny encoder.
func newLab(t *testing.T) *Lab {
	l := newPlainLab(t)
	var err error
	l.data, err = l.openData(l.Dataset, meanColor(64))
	must(t, err)
	return l
}

// newPlainLab is a lab on a few images of the embedded dataset with the default encoder.
func newPlainLab(t *testing.T) *Lab {
	backend := xlatest.OpenForTest(t)
	whole, err := wholeShapes()
	must(t, err)
	e, err := named("baseline")
	must(t, err)
	l := &Lab{Context: t.Context(), Dataset: datasets.Subset(whole, 24, 8, 8), Experiment: e, Seed: 1, backend: backend}
	t.Cleanup(l.close)
	return l
}

// newRecordsLab is a lab on the embedded dataset with the records of the repository.
func newRecordsLab(t *testing.T) *Lab {
	t.Setenv(protocol.GONB_DIR_ENV, filepath.Join("..", "..", "notebooks"))
	ds, err := wholeShapes()
	must(t, err)
	e, err := named("baseline")
	must(t, err)
	return &Lab{Context: t.Context(), Dataset: ds, Experiment: e, Seed: 1}
}

// newSmallLab is a lab on a few small images, without an encoder.
func newSmallLab(t *testing.T) *Lab {
	t.Helper()
	ds, err := shapes.Open(shapes.WithSize(40, 8, 8), shapes.WithImageSize(64))
	must(t, err)
	e := experiment.Experiment{Name: "baseline", Settings: experiment.Defaults()}
	return &Lab{Context: t.Context(), Dataset: ds, Experiment: e, Seed: 1}
}

// captionsOnly is a dataset without images: one caption per example.
type captionsOnly struct{ captions map[datasets.Split][]string }

func (c captionsOnly) Name() string { return "captions" }
func (c captionsOnly) Examples(split datasets.Split) []datasets.Example {
	var out []datasets.Example
	for _, caption := range c.captions[split] {
		out = append(out, datasets.Example{ID: caption, Captions: []string{caption}})
	}
	return out
}
func (c captionsOnly) Oddities() []string { return nil }
func (c captionsOnly) OpenImage(id string) (io.ReadCloser, error) {
	return nil, errors.New("there are no images")
}
