package encoder

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"captionlab/captioning/safetensors"
	"captionlab/captioning/weights"
	"captionlab/captioning/xla/xlatest"
)

// The goldens were made by testdata/make_goldens.py with torch 2.11.0, torchvision 0.26.0, efficientnet-lite-pytorch 0.1.0.
// They keep every 16th feature.

type fileGolden struct {
	Lite0     []float64 `json:"efficientnet-lite0"`
	ResNet50  []float64 `json:"resnet50"`
	Sum224    []int     `json:"sum224"`
	Corner224 []int     `json:"corner224"`
}

var goldens = sync.OnceValue(func() (g struct {
	ResNet50 []float64 `json:"resnet50"`
	Lite0    []float64 `json:"efficientnet-lite0"`
	Files    map[string]fileGolden
}) {
	data, err := os.ReadFile("testdata/goldens.json")
	if err != nil {
		panic(err)
	}
	if err := json.Unmarshal(data, &g); err != nil {
		panic(err)
	}
	return g
})

// formula is the SplitMix64 stream of make_goldens.py.
func formula(n int, salt uint64) []float32 {
	out := make([]float32, n)
	for i := range out {
		z := salt + uint64(i+1)*0x9e3779b97f4a7c15
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		out[i] = float32(float64(z>>40)/(1<<23) - 1)
	}
	return out
}

// generatedResNet50 repeats make_goldens.py: names in sorted order, fc and the counters included in the count.
func generatedResNet50() map[string]safetensors.Tensor {
	shapes := map[string][]int{"fc.weight": {1000, 2048}, "fc.bias": {1000}}
	for _, s := range resNet50Network(true).convs {
		shapes[s.conv+".weight"] = []int{s.out, s.in, s.k, s.k}
		shapes[s.norm+".num_batches_tracked"] = nil
		for _, part := range []string{"weight", "bias", "running_mean", "running_var"} {
			shapes[s.norm+"."+part] = []int{s.out}
		}
	}
	names := make([]string, 0, len(shapes))
	for name := range shapes {
		names = append(names, name)
	}
	slices.Sort(names)
	out := make(map[string]safetensors.Tensor)
	for i, name := range names {
		shape := shapes[name]
		if shape == nil || strings.HasPrefix(name, "fc.") {
			continue
		}
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := formula(n, uint64(1000*(i+1)))
		for j, u := range values {
			switch {
			case strings.HasSuffix(name, "running_var"):
				values[j] = 1 + 0.5*u
			case len(shape) == 4:
				values[j] = u * float32(math.Sqrt(6/float64(shape[1]*shape[2]*shape[3])))
			case strings.HasSuffix(name, "weight"):
				values[j] = 0.75 + 0.25*u
			default:
				values[j] = 0.1 * u
			}
		}
		out[name] = safetensors.FromFloat32(shape, values)
	}
	return out
}

var generated = sync.OnceValue(generatedResNet50)

func openResNet50(t *testing.T, name string) *Encoder {
	t.Helper()
	spec, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := spec.Load(generated())
	if err != nil {
		t.Fatal(err)
	}
	e, err := build(xlatest.OpenForTest(t), spec, arrays)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Finalize)
	return e
}

// openLite0 opens the real weights where `captionlab setup` has put them.
func openLite0(t *testing.T, name string) *Encoder {
	t.Helper()
	backend := xlatest.OpenForTest(t)
	path, err := weights.EfficientNetLite0Path()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CAPTIONLAB_REQUIRE_XLA") != "" {
			t.Fatalf("%v: run `captionlab setup`", err)
		}
		t.Skipf("SKIPPED, NOT PASSED: no EfficientNet-Lite0 weights at %s; run `captionlab setup`", path)
	}
	e, err := Open(backend, name, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Finalize)
	return e
}

// formulaFeatures runs the network on one square picture of formula pixels and keeps every 16th feature.
func formulaFeatures(t *testing.T, e *Encoder, side int, salt uint64) []float32 {
	t.Helper()
	pixels := make([]uint8, side*side*3)
	for i, u := range formula(len(pixels), salt) {
		pixels[i] = uint8(float32(u*127.5) + 127.5)
	}
	out, err := e.run(tensors.FromFlatDataAndDimensions(pixels, 1, side, side, 3))
	if err != nil {
		t.Fatal(err)
	}
	return every16th(out)
}

func every16th(features []float32) []float32 {
	var kept []float32
	for i := 0; i < len(features); i += 16 {
		kept = append(kept, features[i])
	}
	return kept
}

// compare returns the largest difference relative to the largest magnitude, and the cosine.
func compare(t *testing.T, got []float32, want []float64) (relative, cosine float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d features, want %d", len(got), len(want))
	}
	var worst, scale, dot, gg, ww float64
	for i, w := range want {
		g := float64(got[i])
		worst, scale = math.Max(worst, math.Abs(g-w)), math.Max(scale, math.Abs(w))
		dot, gg, ww = dot+g*w, gg+g*g, ww+w*w
	}
	return worst / scale, dot / math.Sqrt(gg*ww)
}

// In bfloat16 the features are those of float32 but for what 8 bits cost in some fifty layers. The real weights of
// EfficientNet-Lite0 answer noise, which these pictures are, with small differences of large numbers: 0.08 and cosine 0.9976 seen.
func TestSameTensorSameFeatures(t *testing.T) {
	for _, c := range []struct {
		name string
		got  func(name string) []float32
		want []float64
	}{
		{"resnet50", func(name string) []float32 { return formulaFeatures(t, openResNet50(t, name), 64, 7) }, goldens().ResNet50},
		{"efficientnet-lite0", func(name string) []float32 { return formulaFeatures(t, openLite0(t, name), 224, 9) }, goldens().Lite0},
	} {
		for _, p := range []struct {
			suffix         string
			least, most, c float64 // of the relative difference; least of the cosine
		}{{"", 0, 1e-4, 1 - 1e-6}, {halfSuffix, 1e-5, 0.15, 0.995}} {
			t.Run(c.name+p.suffix, func(t *testing.T) {
				relative, cosine := compare(t, c.got(c.name+p.suffix), c.want)
				t.Logf("largest relative difference %.2g, cosine %.5f", relative, cosine)
				if !(relative >= p.least && relative <= p.most && cosine >= p.c) {
					t.Errorf("features differ by %.2g of their largest value, cosine %.5f: want %g to %g, and at least %g", relative, cosine, p.least, p.most, p.c)
				}
			})
		}
	}
}

func TestSameFileSameFeatures(t *testing.T) {
	for _, e := range []*Encoder{openLite0(t, "efficientnet-lite0"), openResNet50(t, "resnet50")} {
		for name, golden := range goldens().Files {
			t.Run(e.spec.Name+" "+name, func(t *testing.T) {
				f, err := os.Open(filepath.Join("testdata", name))
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				p, err := Decode(f)
				if err != nil {
					t.Fatal(err)
				}
				p, err = e.spec.Preprocess(p)
				if err != nil {
					t.Fatal(err)
				}
				features, err := e.Encode(context.Background(), []*Pixels{p})
				if err != nil {
					t.Fatal(err)
				}
				want := golden.Lite0
				if e.spec.Name == "resnet50" {
					want = golden.ResNet50
				}
				relative, cosine := compare(t, every16th(features), want)
				t.Logf("cosine %.6f, largest relative difference %.2g", cosine, relative)
				if cosine < 0.999 {
					t.Errorf("cosine %.6f, want at least 0.999", cosine)
				}
			})
		}
	}
}

// TestPreprocessingIsPIL checks bytes after Resize and CenterCrop: exactly for a PNG, whose decoding leaves no choice, and
// to a small mean difference for JPEGs, where decoders may round differently.
func TestPreprocessingIsPIL(t *testing.T) {
	spec, err := Lookup("efficientnet-lite0")
	if err != nil {
		t.Fatal(err)
	}
	for name, golden := range goldens().Files {
		f, err := os.Open(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		if p, err = spec.Preprocess(p); err != nil {
			t.Fatal(err)
		}
		sums := make([]int, 3)
		for i, v := range p.RGB {
			sums[i%3] += int(v)
		}
		var corner []int
		for y := range 4 {
			for _, v := range p.RGB[3*y*p.Width : 3*y*p.Width+12] {
				corner = append(corner, int(v))
			}
		}
		if strings.HasSuffix(name, ".png") {
			if !slices.Equal(sums, golden.Sum224) || !slices.Equal(corner, golden.Corner224) {
				t.Errorf("%s: sums %v, want %v; corner %v, want %v", name, sums, golden.Sum224, corner, golden.Corner224)
			}
			continue
		}
		for c := range 3 {
			if mean := math.Abs(float64(sums[c]-golden.Sum224[c])) / (224 * 224); mean > 0.25 {
				t.Errorf("%s: channel %d differs by %.3f on average", name, c, mean)
			}
		}
		for i := range corner {
			if d := corner[i] - golden.Corner224[i]; d < -2 || d > 2 {
				t.Errorf("%s: corner byte %d is %d, want %d", name, i, corner[i], golden.Corner224[i])
			}
		}
	}
}
