package captioning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes/bfloat16"

	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/safetensors"
	"captionlab/captioning/weights"
	"captionlab/datasets"
)

// toy is a dataset without images: an image's number says what it shows.
type toy struct {
	examples map[datasets.Split][]datasets.Example
}

const toyDim = 12

// newToy has captions of two lengths that name which of four colours and three animals an image shows.
func newToy() toy {
	d := toy{make(map[datasets.Split][]datasets.Example)}
	for split, n := range map[datasets.Split]int{datasets.Train: 40, datasets.Val: 11, datasets.Test: 9} {
		for i := range n {
			colour, animal := toyShows(i)
			captions := []string{
				fmt.Sprintf("a %s %s", colour, animal),
				fmt.Sprintf("there is a %s %s here", colour, animal),
				fmt.Sprintf("the %s %s", colour, animal),
			}
			ex := datasets.Example{ID: fmt.Sprintf("%s-%d", split, i), Captions: captions}
			d.examples[split] = append(d.examples[split], ex)
		}
	}
	return d
}

func toyShows(i int) (colour, animal string) {
	return []string{"red", "green", "blue", "white"}[i%4], []string{"dog", "cat", "horse"}[i%3]
}

func (toy) Name() string                                       { return "toy" }
func (d toy) Examples(split datasets.Split) []datasets.Example { return d.examples[split] }
func (toy) Oddities() []string                                 { return nil }
func (toy) OpenImage(id string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("image " + id)), nil
}

// toyData is newToy with its features.
func toyData(t testing.TB) *Data {
	t.Helper()
	f, err := sharedToyFeatures()
	must(t, err)
	return toyDataWith(f)
}

func toyDataWith(f *encoder.Features) *Data {
	return &Data{Dataset: newToy(), Fingerprint: "toy", identity: f.Manifest.Encoder, plain: stored{features: f}}
}

// sharedToyFeatures are the features of newToy, made once for all tests.
var sharedToyFeatures = sync.OnceValues(func() (*encoder.Features, error) {
	folder, err := os.MkdirTemp("", "captionlab-toy-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	return makeToyFeatures(folder, "")
})

// makeToyFeatures writes a feature folder for newToy and opens it: one-hot colour and animal with a little noise. The
// features of the image bad become not a number.
func makeToyFeatures(folder, bad string) (*encoder.Features, error) {
	d, random := newToy(), rand.New(rand.NewPCG(7, 7))
	var ids []string
	var rows []float32
	for _, split := range datasets.Splits {
		for i, ex := range d.Examples(split) {
			row := make([]float32, toyDim)
			for j := range row {
				row[j] = float32(random.NormFloat64()) * 0.1
			}
			row[i%4]++
			row[4+i%3]++
			if ex.ID == bad {
				row[0] = float32(math.NaN())
			}
			ids, rows = append(ids, ex.ID), append(rows, row...)
		}
	}
	manifest := encoder.Manifest{Format: 1, Encoder: encoder.Identity{Name: "toy", FeatureDim: toyDim}, Dataset: "toy",
		Fingerprint: "toy", Complete: true}
	return writeToyFeatures(folder, manifest, ids, rows)
}

// writeToyFeatures writes a feature folder of one shard, with the features rows of the images ids, and opens it.
func writeToyFeatures(folder string, manifest encoder.Manifest, ids []string, rows []float32) (*encoder.Features,
	error) {
	tensors := map[string]safetensors.Tensor{"features": safetensors.FromFloat32([]int{len(ids), toyDim}, rows)}
	return writeToyShard(folder, manifest, ids, tensors)
}

// writeToyGrids is writeToyFeatures for rows of a feature vector and a grid each.
func writeToyGrids(folder string, ids []string, rows []float32) (*encoder.Features, error) {
	var vectors []float32
	var grids []bfloat16.BFloat16
	for row := range slices.Chunk(rows, toyDim*(1+toyPlaces)) {
		vectors, grids = append(vectors, row[:toyDim]...), append(grids, decoder.NewGrid(row[toyDim:])...)
	}
	manifest := encoder.Manifest{Format: 1, Encoder: encoder.Identity{Name: "toy", FeatureDim: toyDim}, Dataset: "toy",
		Fingerprint: "toy", Complete: true, Places: toyPlaces}
	return writeToyShard(folder, manifest, ids, map[string]safetensors.Tensor{
		"features": safetensors.FromFloat32([]int{len(ids), toyDim}, vectors),
		"grids":    safetensors.From16("BF16", []int{len(ids), toyPlaces, toyDim}, grids)})
}

// writeToyShard writes a feature folder of one shard and opens it.
func writeToyShard(folder string, manifest encoder.Manifest, ids []string, tensors map[string]safetensors.Tensor) (
	*encoder.Features, error) {
	file := filepath.Join(folder, "shard-0000.safetensors")
	if err := safetensors.Write(file, tensors, nil); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	manifest.Shards = []encoder.Shard{{File: filepath.Base(file), SHA256: hex.EncodeToString(sum[:]), IDs: ids}}
	if err := experiment.WriteJSON(filepath.Join(folder, "manifest.json"), manifest); err != nil {
		return nil, err
	}
	return encoder.OpenFeatures(folder)
}

func toySettings() experiment.Settings {
	s := experiment.Defaults()
	s.Embedding, s.Hidden, s.LearningRate, s.BatchSize, s.Epochs = 16, 24, 1e-2, 16, 6
	s.Dropout, s.ClipNorm = 0.1, 5
	return s
}

// toyRun is a training on the toy dataset.
type toyRun struct {
	TrainConfig
	data *Data
}

func newToyRun(t testing.TB, dir string) toyRun {
	return toyRun{TrainConfig{Dir: dir, Settings: toySettings()}, toyData(t)}
}

// train trains and closes the model, whose checkpoint and training can still be read.
func (r toyRun) train(backend compute.Backend) (*Model, error) {
	model, err := Train(context.Background(), backend, r.data, r.TrainConfig)
	if err == nil {
		model.Close()
	}
	return model, err
}

// cacheWithWeights is a fresh cache folder with the small encoder's weights.
func cacheWithWeights(t *testing.T) string {
	t.Helper()
	source, err := weights.EfficientNetLite0(context.Background())
	must(t, err)
	cache := t.TempDir()
	must(t, os.Mkdir(filepath.Join(cache, "weights"), 0o755))
	must(t, os.Symlink(source.Path, filepath.Join(cache, "weights", filepath.Base(source.Path))))
	return cache
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError fails unless err says everything that is wanted.
func wantError(t *testing.T, err error, wants ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", wants)
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}
