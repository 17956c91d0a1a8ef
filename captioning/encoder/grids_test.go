package encoder

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/xla/xlatest"
)

// quarterColours is meanColour with grids: the mean colours of the four quarters of an image.
func quarterColours(t *testing.T) Spec {
	t.Helper()
	s := meanColour()
	s.Places = 4
	s.Grid = func(images *graph.Node, _ []*graph.Node) *graph.Node {
		batch := images.Shape().Dim(0)
		return graph.ReduceMean(graph.Reshape(images, batch, 2, 4, 2, 4, 3), 2, 4)
	}
	s, err := s.WithGrids()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestGridsBesideTheirMean(t *testing.T) {
	image := constant(8, 8, [3]uint8{10, 20, 30})
	for x := 4; x < 8; x++ { // top right
		for y := range 4 {
			copy(image.RGB[3*(8*y+x):], []uint8{50, 60, 70})
		}
	}
	e := open(t, quarterColours(t), "")
	rows, err := e.Encode(context.Background(), []*Pixels{image})
	if err != nil {
		t.Fatal(err)
	}
	if want := []float32{20, 30, 40, 10, 20, 30, 50, 60, 70, 10, 20, 30, 10, 20, 30}; !slices.Equal(rows, want) {
		t.Errorf("%v, want %v", rows, want)
	}
	if plain := open(t, meanColour(), ""); e.Identity() != plain.Identity() {
		t.Errorf("with grids the encoder is %+v, without %+v", e.Identity(), plain.Identity())
	}
	if _, err := meanColour().WithGrids(); err == nil || !strings.Contains(err.Error(), "no feature maps") {
		t.Errorf("an encoder without grids: %v", err)
	}
}

// Folders of grids are built, stopped, resumed and opened like those of vectors, which they hold as well.
func TestBuildWithGrids(t *testing.T) {
	e, whole, folder := open(t, quarterColours(t), ""), t.TempDir(), t.TempDir()
	want := buildAll(t, e, whole)
	ds, bad, _ := fortyImages(t)
	ctx, stop := context.WithCancel(context.Background())
	o := eightAShard
	o.Progress = func(p Progress) {
		if p.Done >= 12 {
			stop()
		}
	}
	if _, err := Build(ctx, e, ds, folder, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a stop", err)
	}
	wantSameFeatures(t, want, buildAll(t, e, folder))
	wantSameFolder(t, whole, folder)
	opened, err := OpenFeaturesVerified(folder)
	if err != nil {
		t.Fatal(err)
	}
	vectors := buildAll(t, open(t, meanColour(), ""), t.TempDir())
	for id, vector := range vectors.rows {
		grid, row := opened.Grid(id), opened.rows[id]
		if len(grid) != 12 || !slices.Equal(grid, want.Grid(id)) {
			t.Fatalf("image %s has the grid %v, built as %v", id, grid, want.Grid(id))
		}
		for c, x := range vector {
			mean := (grid[c].Float32() + grid[3+c].Float32() + grid[6+c].Float32() + grid[9+c].Float32()) / 4
			if math.Abs(float64(mean-x)) > float64(x)/256 || math.Abs(float64(row[c]-x)) > 1e-3 {
				t.Errorf("image %s, channel %d: %g, the mean of the grid is %g, of the image %g", id, c, row[c],
					mean, x)
			}
		}
	}
	if opened.Grid(bad) != nil || vectors.Grid(bad) != nil {
		t.Error("an image that could not be read has a grid")
	}
	if _, err := Build(context.Background(), open(t, meanColour(), ""), ds, folder, eightAShard); err == nil ||
		!strings.Contains(err.Error(), folder) {
		t.Errorf("vectors built in a folder of grids: %v", err)
	}
	if a, b := GridFolder("root", "d", "f", e.identity), FeatureFolder("root", "d", "f", e.identity); a == b ||
		filepath.Dir(a) != filepath.Dir(b) {
		t.Errorf("folders %s and %s", a, b)
	}
}

// The grids of both networks are those whose means are their feature vectors: the goldens' features are means of
// PyTorch's feature maps.
func TestGridsOfTheKnownEncoders(t *testing.T) {
	for _, name := range Names() {
		plain := openGolden(t, name)
		spec, err := plain.Spec().WithGrids()
		if err != nil {
			t.Fatal(err)
		}
		var e *Encoder
		if name == "resnet50" {
			arrays, err := spec.Load(generated())
			if err != nil {
				t.Fatal(err)
			}
			e, err = build(xlatest.OpenForTest(t), spec, arrays)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(e.Finalize)
		} else {
			e = open(t, spec, lite0Weights(t))
		}
		image := probe(spec.Crop)
		want, err := plain.Encode(context.Background(), []*Pixels{image})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := e.Encode(context.Background(), []*Pixels{image})
		if err != nil {
			t.Fatal(err)
		}
		dim := spec.FeatureDim
		mean := make([]float32, dim)
		for place := range slices.Chunk(rows[dim:], dim) {
			for c, x := range place {
				mean[c] += x / float32(spec.Places)
			}
		}
		golden := make([]float64, dim)
		for i, x := range want {
			golden[i] = float64(x)
		}
		for what, got := range map[string][]float32{"vector": rows[:dim], "mean of the grid": mean} {
			if relative, _ := compare(t, got, golden); relative > 1e-4 {
				t.Errorf("%s: the %s differs by %.2g", name, what, relative)
			}
		}
		if first, last := rows[dim:2*dim], rows[len(rows)-dim:]; slices.Equal(first, last) {
			t.Errorf("%s: two places are the same", name)
		}
	}
}
