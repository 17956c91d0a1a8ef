package encoder

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/internal/checksum"
	"captionlab/captioning/safetensors"
	"captionlab/captioning/xla/xlatest"
)

// meanColour is a custom encoder without weights: the mean colour of the image.
func meanColour() Spec {
	return Spec{
		Name: "mean-colour", FeatureDim: 3, Resize: 8, Crop: 8, BatchSize: 2, Std: [3]float32{1, 1, 1},
		Graph: func(images *graph.Node, _ []*graph.Node) *graph.Node { return graph.ReduceMean(images, 1, 2) },
	}
}

// scaledColour is a custom encoder with weights: the mean colour times the tensor "scale".
func scaledColour() Spec {
	s := meanColour()
	s.Name = "scaled-colour"
	s.Load = func(tensors map[string]safetensors.Tensor) ([]Array, error) {
		scale, ok := tensors["scale"]
		if !ok {
			return nil, errors.New(`tensor "scale" is missing`)
		}
		data, err := scale.Float32()
		return []Array{{scale.Shape, data}}, err
	}
	s.Graph = func(images *graph.Node, arrays []*graph.Node) *graph.Node {
		return graph.Mul(graph.ReduceMean(images, 1, 2), graph.ExpandLeftToRank(arrays[0], 2))
	}
	return s
}

func writeTensor(t *testing.T, name string, values ...float32) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "weights.safetensors")
	tensor := safetensors.FromFloat32([]int{len(values)}, values)
	if err := safetensors.Write(path, map[string]safetensors.Tensor{name: tensor}, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, spec Spec, weightsFile string) *Encoder {
	t.Helper()
	e, err := New(xlatest.OpenForTest(t), spec, weightsFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Finalize)
	return e
}

func TestCustomEncoder(t *testing.T) {
	var images []*Pixels
	for _, colour := range [][3]uint8{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}} {
		images = append(images, constant(8, 8, colour))
	}
	weightsFile := writeTensor(t, "scale", 1, 2, 4)
	half := scaledColour()
	half.DType = dtypes.BFloat16
	for _, c := range []struct {
		name      string
		e         *Encoder
		want      []float32
		tolerance float64 // relative
	}{
		{"without weights", open(t, meanColour(), ""), []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}, 0},
		{"with weights", open(t, scaledColour(), weightsFile), []float32{1, 4, 12, 4, 10, 24, 7, 16, 36}, 0},
		// its sums are rounded
		{"bfloat16", open(t, half, weightsFile), []float32{1, 4, 12, 4, 10, 24, 7, 16, 36}, 0.1},
	} {
		got, err := c.e.Encode(context.Background(), images)
		near := func(a, b float32) bool { return math.Abs(float64(a-b)) <= c.tolerance*float64(b) }
		if err != nil || !slices.EqualFunc(got, c.want, near) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

// TestCustomIdentity: the identity of a custom encoder follows weights and code, although the name stays.
func TestCustomIdentity(t *testing.T) {
	weightsFile, other := writeTensor(t, "scale", 1, 2, 4), writeTensor(t, "scale", 1, 2, 5)
	first := open(t, scaledColour(), weightsFile).Identity()
	if again := open(t, scaledColour(), weightsFile).Identity(); again != first {
		t.Errorf("identity %+v, then %+v", first, again)
	}
	changed := scaledColour()
	graphOf := changed.Graph
	changed.Graph = func(images *graph.Node, arrays []*graph.Node) *graph.Node {
		return graph.AddScalar(graphOf(images, arrays), 1)
	}
	versioned := changed
	versioned.Version = "2"
	versioned3 := changed
	versioned3.Version = "3"
	seen := map[string]string{first.WeightsSHA256: "the first"}
	for name, id := range map[string]Identity{
		"other weights": open(t, scaledColour(), other).Identity(),
		"other code":    open(t, changed, weightsFile).Identity(),
		"version 2":     open(t, versioned, weightsFile).Identity(),
		"version 3":     open(t, versioned3, weightsFile).Identity(),
	} {
		if same, ok := seen[id.WeightsSHA256]; ok || id.Name != "scaled-colour" || len(id.WeightsSHA256) != 64 {
			t.Errorf("%s: identity %+v, the same as %q", name, id, same)
		}
		seen[id.WeightsSHA256] = name
	}

	id, err := Identify(versioned, weightsFile)
	if want := open(t, versioned, weightsFile).Identity(); err != nil || id != want {
		t.Errorf("Identify says %+v, %v; New %+v", id, err, want)
	}
	if _, err := Identify(changed, weightsFile); err == nil || !strings.Contains(err.Error(), "Version") {
		t.Errorf("a custom encoder without a version: %v", err)
	}
}

// TestKnownIdentities pins the identities that existing features and checkpoints hold.
func TestKnownIdentities(t *testing.T) {
	t.Setenv("CAPTIONLAB_CACHE", t.TempDir())
	file := writeTensor(t, "any", 1)
	sum, err := checksum.HashFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []Identity{
		{"resnet50", sum, "shorter side 256, bilinear antialiased; centre crop 256; " +
			"(p-[123.675 116.28 103.53])/[58.395 57.12 57.375]", 2048},
		{"resnet50-bfloat16", sum, "shorter side 256, bilinear antialiased; centre crop 256; " +
			"(p-[123.675 116.28 103.53])/[58.395 57.12 57.375]", 2048},
		{"efficientnet-lite0", sum, "shorter side 224, bilinear antialiased; centre crop 224; " +
			"(p-[127 127 127])/[128 128 128]", 1280},
	} {
		spec, err := Lookup(want.Name)
		if err != nil || !spec.Known() {
			t.Fatalf("%s: %v, known %v", want.Name, err, spec.Known())
		}
		spec.Version = "ignored"
		if got, err := Identify(spec, file); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
}

// TestKnown: an encoder with the name of a known one but different code is a custom encoder.
func TestKnown(t *testing.T) {
	for name, change := range map[string]func(*Spec){
		"name":       func(s *Spec) { s.Name = "mine" },
		"graph":      func(s *Spec) { s.Graph = meanColour().Graph },
		"load":       func(s *Spec) { s.Load = nil },
		"dtype":      func(s *Spec) { s.DType = dtypes.BFloat16 },
		"other name": func(s *Spec) { s.Name = "efficientnet-lite0" },
		"features":   func(s *Spec) { s.FeatureDim = 3 },
	} {
		spec, err := Lookup("resnet50")
		if err != nil {
			t.Fatal(err)
		}
		if change(&spec); spec.Known() {
			t.Errorf("an encoder with another %s is a known one", name)
		}
	}
	if got := Names(); !slices.Equal(got, []string{"resnet50", "efficientnet-lite0"}) {
		t.Errorf("the encoders are %v", got)
	}
	if _, err := Lookup("resnet51"); err == nil || !strings.Contains(err.Error(), "resnet50, efficientnet-lite0") {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err := meanColour().Stages(nil); err == nil {
		t.Error("a custom encoder has stages")
	}
}

func TestBadSpecs(t *testing.T) {
	backend, file := xlatest.OpenForTest(t), writeTensor(t, "scale", 1, 2, 4)
	for want, change := range map[string]func(*Spec){
		"name without path separators": func(s *Spec) { s.Name = "a/b" },
		"Graph is nil":                 func(s *Spec) { s.Graph = nil },
		"FeatureDim is 0":              func(s *Spec) { s.FeatureDim = 0 },
		"Crop is 9 and Resize 8":       func(s *Spec) { s.Crop = 9 },
		"BatchSize is -1":              func(s *Spec) { s.BatchSize = -1 },
		"Std [0 1 1]":                  func(s *Spec) { s.Std[0] = 0 },
		"Mean is [0 NaN 0]":            func(s *Spec) { s.Mean[1] = float32(math.NaN()) },
		"DType is ":                    func(s *Spec) { s.DType = dtypes.Float64 },
		"wanted 4":                     func(s *Spec) { s.FeatureDim = 4 }, // the graph returns 3
		"array 0 of shape [4]": func(s *Spec) {
			s.Load = func(map[string]safetensors.Tensor) ([]Array, error) {
				return []Array{{[]int{4}, []float32{1}}}, nil
			}
		},
	} {
		spec := scaledColour()
		change(&spec)
		if _, err := New(backend, spec, file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that contains %q", err, want)
		}
	}
	wrong := writeTensor(t, "other", 1)
	_, err := New(backend, scaledColour(), wrong)
	if err == nil || !strings.Contains(err.Error(), wrong+`: tensor "scale" is missing`) {
		t.Errorf("wrong weights: error %v, want one that names file and tensor", err)
	}
	if _, err := New(backend, scaledColour(), ""); err == nil || !strings.Contains(err.Error(), "takes weights") {
		t.Errorf("no weights file: %v", err)
	}
}

func TestWeightsFile(t *testing.T) {
	t.Setenv("CAPTIONLAB_CACHE", t.TempDir())
	t.Setenv("TORCH_HOME", t.TempDir())
	ctx := context.Background()
	resNet, err := Lookup("resnet50-bfloat16")
	if err != nil {
		t.Fatal(err)
	}
	fetched := scaledColour()
	fetched.Weights = func(context.Context) (string, error) { return "found", nil }
	for _, c := range []struct {
		spec        Spec
		named, want string
		fails       string // part of the error
	}{
		{resNet, "named", "named", ""},
		{resNet, "", "", "resnet50-0676ba61.pth"},
		{fetched, "", "found", ""},
		{fetched, "named", "named", ""},
		{scaledColour(), "", "", "no default weights"},
		{meanColour(), "", "", ""},
		{meanColour(), "named", "", "takes no weights"},
	} {
		got, err := c.spec.WeightsFile(ctx, c.named)
		if got != c.want || (err == nil) != (c.fails == "") || (err != nil && !strings.Contains(err.Error(), c.fails)) {
			t.Errorf("%s, named %q: %q, %v, want %q and an error with %q", c.spec.Name, c.named, got, err, c.want,
				c.fails)
		}
	}
}
