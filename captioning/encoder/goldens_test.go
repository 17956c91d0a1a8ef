package encoder

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"captionlab/captioning/safetensors"
	"captionlab/captioning/weights"
	"captionlab/captioning/xla/xlatest"
)

// testdata/make_goldens.py generated the goldens with torch 2.11.0, torchvision 0.26.0 and efficientnet-lite-pytorch
// 0.1.0. They hold every 16th feature.

type features struct {
	Lite0    []float64 `json:"efficientnet-lite0"`
	ResNet50 []float64 `json:"resnet50"`
}

// of returns the features of the encoder called name.
func (f features) of(name string) []float64 {
	return map[string][]float64{"resnet50": f.ResNet50, "efficientnet-lite0": f.Lite0}[name]
}

type fileGolden struct {
	features
	Sum224    []int `json:"sum224"`
	Corner224 []int `json:"corner224"`
}

var goldens = sync.OnceValue(func() (g struct {
	features
	Files map[string]fileGolden
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

// generatedResNet50 repeats the formula of make_goldens.py. The salt counts the sorted names, including fc and
// counters.
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

// goldenEncoders are the encoders that openGolden has opened. Tests share them.
var goldenEncoders = make(map[string]*Encoder)

// openGolden opens ResNet-50 with generated weights, or EfficientNet-Lite0 with the weights from `captionlab setup`.
func openGolden(t *testing.T, name string) *Encoder {
	t.Helper()
	if e := goldenEncoders[name]; e != nil {
		return e
	}
	backend := xlatest.OpenForTest(t)
	spec, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	var e *Encoder
	if spec.Network() == "resnet50" {
		var arrays []Array
		if arrays, err = spec.Load(generated()); err == nil {
			e, err = build(backend, spec, arrays)
		}
	} else {
		e, err = New(backend, spec, lite0Weights(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	goldenEncoders[name] = e
	return e
}

func lite0Weights(t *testing.T) (path string) {
	t.Helper()
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
	return path
}

// formulaFeatures runs the network on one square image of formula pixels and keeps every 16th feature.
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

// TestSameTensorSameFeatures: in bfloat16, features differ from those in float32 by the rounding to 8 bits in some
// fifty layers. The images are noise, for which the real weights of EfficientNet-Lite0 return small differences of
// large numbers: the observed difference is 0.08, the cosine 0.9976.
func TestSameTensorSameFeatures(t *testing.T) {
	for _, c := range []struct {
		name string
		side int
		salt uint64
	}{{"resnet50", 64, 7}, {"efficientnet-lite0", 224, 9}} {
		for _, p := range []struct {
			suffix         string
			least, most, c float64 // bounds of the relative difference; lower bound of the cosine
		}{{"", 0, 1e-4, 1 - 1e-6}, {halfSuffix, 1e-5, 0.15, 0.995}} {
			t.Run(c.name+p.suffix, func(t *testing.T) {
				got := formulaFeatures(t, openGolden(t, c.name+p.suffix), c.side, c.salt)
				relative, cosine := compare(t, got, goldens().of(c.name))
				t.Logf("largest relative difference %.2g, cosine %.5f", relative, cosine)
				if !(relative >= p.least && relative <= p.most && cosine >= p.c) {
					t.Errorf(
						"features differ by %.2g of their largest value, cosine %.5f: want %g to %g, and at least %g",
						relative, cosine, p.least, p.most, p.c)
				}
			})
		}
	}
}

func decodeTestdata(t *testing.T, name string) *Pixels {
	t.Helper()
	p, err := Decode(bytes.NewReader(readTestdata(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSameFileSameFeatures(t *testing.T) {
	names := slices.Sorted(maps.Keys(goldens().Files))
	for _, encoder := range []string{"efficientnet-lite0", "resnet50"} {
		t.Run(encoder, func(t *testing.T) {
			e := openGolden(t, encoder)
			var images []*Pixels
			for _, name := range names {
				p, err := e.spec.Preprocess(decodeTestdata(t, name))
				if err != nil {
					t.Fatal(err)
				}
				images = append(images, p)
			}
			features, err := e.Encode(context.Background(), images)
			if err != nil {
				t.Fatal(err)
			}
			for i, name := range names {
				row := features[i*e.spec.FeatureDim : (i+1)*e.spec.FeatureDim]
				relative, cosine := compare(t, every16th(row), goldens().Files[name].of(encoder))
				t.Logf("%s: cosine %.6f, largest relative difference %.2g", name, cosine, relative)
				if cosine < 0.999 {
					t.Errorf("%s: cosine %.6f, want at least 0.999", name, cosine)
				}
			}
		})
	}
}

// TestPreprocessingIsPIL checks the bytes after Resize and CenterCrop: exactly for PNG, whose decoding is fully
// specified, and with a small mean difference for JPEG, for which decoders may round differently.
func TestPreprocessingIsPIL(t *testing.T) {
	spec, err := Lookup("efficientnet-lite0")
	if err != nil {
		t.Fatal(err)
	}
	for name, golden := range goldens().Files {
		p, err := spec.Preprocess(decodeTestdata(t, name))
		if err != nil {
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
				t.Errorf("%s: sums %v, want %v; corner %v, want %v", name, sums, golden.Sum224, corner,
					golden.Corner224)
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
