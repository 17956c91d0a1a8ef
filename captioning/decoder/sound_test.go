package decoder

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/tensors"

	"captionlab/captioning/vocab"
	"captionlab/captioning/xla/xlatest"
)

// extremes are changes to the weights of a model, and whether it still gives logits to choose words by.
var extremes = map[string]struct {
	change func(w Values)
	sound  bool
}{
	"none":       {func(w Values) {}, true},
	"all zero":   {func(w Values) { fill(w, 0) }, true},
	"<unk> high": {func(w Values) { w[outputBias][vocab.Unknown] = math.MaxFloat32 }, true},
	"<pad> and <start> high": {func(w Values) {
		w[outputBias][vocab.Pad], w[outputBias][vocab.Start] = 1e35, math.MaxFloat32
	}, true},
	"rows of the specials high": {func(w Values) {
		for i := range 6 * vocab.NumSpecials {
			w[outputWeight][i] = []float32{1e37, -1e37}[i%2]
		}
	}, true},
	"<end> high":            {func(w Values) { w[outputBias][vocab.End] = math.MaxFloat32 }, true},
	"<end> low":             {func(w Values) { w[outputBias][vocab.End] = -math.MaxFloat32 }, true},
	"all biases low":        {func(w Values) { fill(Values{"": w[outputBias]}, -math.MaxFloat32) }, false},
	"all as high as can be": {func(w Values) { fill(w, math.MaxFloat32) }, false},
	"products overflow": {func(w Values) {
		fill(Values{"": w[outputWeight]}, math.MaxFloat32)
		fill(Values{"": w[imageWeight]}, 9)
	}, false},
}

func fill(w Values, x float32) {
	for _, data := range w {
		for i := range data {
			data[i] = x
		}
	}
}

// A caption always has a word and never a forbidden one, whatever the weights and however extreme the options; weights
// that give no such caption are an error.
func TestCaptionsOfExtremeModels(t *testing.T) {
	plain, err := compute.NewWithConfig("go")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Finalize()
	options := []GenerateOptions{{MaxWords: 4}, {MaxWords: 4, Beam: 3},
		{MaxWords: 4, Temperature: MinTemperature}, {MaxWords: 4, Temperature: MaxTemperature},
		{MaxWords: 4, Temperature: 1, TopK: 3, TopP: MinTopP},
		{MaxWords: 4, Temperature: MaxTemperature, TopK: 3, TopP: 0.99}}
	for _, backend := range []compute.Backend{plain, xlatest.OpenForTest(t)} {
		m := Model{Cell: LSTM{}, Vocabulary: 9, Features: 3, Embedding: 5, Hidden: 6}
		d, err := New(backend, m, m.Initialize(1))
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range extremes {
			values := m.Initialize(1)
			c.change(values)
			for weight, data := range values { // instead of another decoder, whose programs would be compiled again
				v := d.store.GetVariable(variablePath(weight))
				if err := v.SetValue(tensors.FromFlatDataAndDimensions(data, v.Shape().Dimensions...)); err != nil {
					t.Fatal(err)
				}
			}
			for _, o := range options {
				t.Run(fmt.Sprintf("%s, %s, %+v", backend.Name(), name, o), func(t *testing.T) {
					testCaptions(t, d, o, c.sound)
				})
			}
		}
		d.Finalize()
	}
}

func testCaptions(t *testing.T, d *Decoder, o GenerateOptions, sound bool) {
	captions, err := d.Generate([]float32{1, 0, 2, 0, 1, 1, 3, 3, 3}, o)
	if !sound {
		if err == nil || !strings.Contains(err.Error(), "image 0: the model's logits are not finite") {
			t.Errorf("captions %v, error %v", captions, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, hypotheses := range captions {
		for _, h := range hypotheses {
			if len(h.IDs) == 0 || slices.Min(h.IDs) < vocab.NumSpecials || int(slices.Max(h.IDs)) >= d.Vocabulary {
				t.Errorf("caption %v", h)
			}
		}
	}
}

func TestFeaturesThatAreNotFinite(t *testing.T) {
	sharp := sharpModel(t)
	features := formula(3*goldenF, 5, 1)
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		features[goldenF+2] = float32(x)
		_, err := sharp.Generate(features, GenerateOptions{MaxWords: 6})
		if err == nil || !strings.Contains(err.Error(), "feature 2 of image 1 is") {
			t.Errorf("error %v", err)
		}
	}
}

func TestOptionsBeyondFloat32(t *testing.T) {
	for want, options := range map[string][]GenerateOptions{
		"use 0.001 to 1000": {{Temperature: 1e-38}, {Temperature: 1e-46}, {Temperature: 1e38}, {Temperature: 5e-324},
			{Temperature: math.Inf(1)}, {Temperature: 0.0009}, {Temperature: 1001}},
		"use 1e-06 to 1": {{Temperature: 1, TopP: 1e-46}, {Temperature: 1, TopP: 5e-324}, {Temperature: 1, TopP: 1e-7},
			{Temperature: 1, TopP: math.NaN()}, {Temperature: 1, TopP: math.Inf(1)}, {Temperature: 1, TopP: -0.1}},
		"top-k -1":     {{Temperature: 1, TopK: -1}},
		"use 0 to 100": {{LengthPenalty: 1e308}, {LengthPenalty: -1}, {LengthPenalty: math.NaN()}},
	} {
		for _, o := range options {
			if err := o.Check(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: error %v, want %q", o, err, want)
			}
		}
	}
	for _, o := range []GenerateOptions{{Temperature: MinTemperature}, {Temperature: MaxTemperature, TopP: MinTopP},
		{Temperature: 0.1, TopK: math.MaxInt, TopP: 1}} {
		if err := o.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestUnsoundOptimizerState(t *testing.T) {
	m := Model{Cell: RNN{}, Vocabulary: 6, Features: 2, Embedding: 2, Hidden: 2}
	good := func() State {
		s := make(State)
		for name, shape := range m.stateShapes() {
			s[name] = make([]float32, size(shape))
		}
		return s
	}
	if err := m.CheckState(good()); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(s State){
		"has 0 numbers":   func(s State) { delete(s, "model/image.bias_1st_moment") },
		"arrays, want":    func(s State) { s["other"] = nil },
		"is NaN":          func(s State) { s["model/image.bias_1st_moment"][1] = float32(math.NaN()) },
		"is -1":           func(s State) { s["model/image.bias_2nd_moment"][0] = -1 },
		`"step" is 1e+30`: func(s State) { s[stepState][0] = 1e30 },
	} {
		s := good()
		change(s)
		if err := m.CheckState(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
