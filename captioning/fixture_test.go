package captioning

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/safetensors"
	"captionlab/datasets"
)

// toy is a dataset without pictures: what a picture shows is known from its number alone.
type toy struct {
	examples map[datasets.Split][]datasets.Example
}

const toyDim = 12

// newToy has captions of different lengths that say which of four colours and three animals a picture shows.
func newToy() toy {
	d := toy{make(map[datasets.Split][]datasets.Example)}
	for split, n := range map[datasets.Split]int{datasets.Train: 40, datasets.Val: 11, datasets.Test: 9} {
		for i := range n {
			colour, animal := toyShows(i)
			d.examples[split] = append(d.examples[split], datasets.Example{ID: fmt.Sprintf("%s-%d", split, i), Captions: []string{
				fmt.Sprintf("a %s %s", colour, animal),
				fmt.Sprintf("there is a %s %s in the picture", colour, animal),
				fmt.Sprintf("the %s is %s", animal, colour),
			}})
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
	return io.NopCloser(strings.NewReader("picture " + id)), nil
}

// toyFeatures makes the features of newToy. bad replaces those of that picture by not-a-number.
func toyFeatures(t testing.TB, bad string) *encoder.Features {
	t.Helper()
	f, err := makeToyFeatures(t.TempDir(), bad)
	must(t, err)
	return f
}

// makeToyFeatures writes a feature folder for newToy and opens it: one-hot colour and animal with a little noise.
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
	file := filepath.Join(folder, "shard-0000.safetensors")
	if err := safetensors.Write(file, map[string]safetensors.Tensor{"features": safetensors.FromFloat32([]int{len(ids), toyDim}, rows)}, nil); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	manifest := encoder.Manifest{Format: 1, Encoder: encoder.Identity{Name: "toy", FeatureDim: toyDim}, Dataset: "toy",
		Fingerprint: "toy", Complete: true, Shards: []encoder.Shard{{File: filepath.Base(file), SHA256: hex.EncodeToString(sum[:]), IDs: ids}}}
	if err := experiment.WriteJSON(filepath.Join(folder, "manifest.json"), manifest); err != nil {
		return nil, err
	}
	return encoder.OpenFeatures(folder)
}

func toySettings() experiment.Settings {
	s := experiment.Defaults()
	s.Embedding, s.Hidden, s.LearningRate, s.BatchSize, s.Epochs, s.Dropout, s.ClipNorm = 16, 24, 1e-2, 16, 6, 0.1, 5
	return s
}

func toyConfig(t testing.TB, dir string) TrainConfig {
	return TrainConfig{Dir: dir, Dataset: newToy(), Fingerprint: "toy", Features: toyFeatures(t, ""), Settings: toySettings()}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError fails unless err says all that is wanted.
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
