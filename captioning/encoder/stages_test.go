package encoder

import (
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/xla/xlatest"
)

// TestStages compares with published numbers. torchvision 0.26 counts 25,557,032 parameters for resnet50, of which
// the classifier has 2048*1000+1000; timm 1.0 counts 4,652,008 for EfficientNet-Lite0, of which the classifier has
// 1280*1000+1000. Sides and channels are those of He et al. 2016, table 1, and of Tan and Le 2019, table 1, for
// images of this side. Receptive fields were derived by hand. For layer4 of ResNet-50: 11 after the max pool, then
// for each 3x3 convolution (k-1) times the distance of neighbours in pixels, 3*2*4 + (2*4 + 3*2*8) + (2*8 + 5*2*16) +
// (2*16 + 2*2*32) = 416.
func TestStages(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	for _, c := range []struct {
		name         string
		parameters   int
		convolutions int
		sides        []int
		channels     []int
		receptive    map[int]int // by stage
	}{
		{"resnet50", 25557032 - 2049000, 53,
			[]int{128, 64, 64, 32, 16, 8, 1}, []int{64, 64, 256, 512, 1024, 2048, 2048},
			map[int]int{0: 7, 1: 11, 2: 35, 5: 11 + 416}},
		{"efficientnet-lite0", 4652008 - 1281000, 49,
			[]int{112, 112, 56, 28, 14, 14, 7, 7, 7, 1}, []int{32, 16, 24, 40, 80, 112, 192, 320, 1280, 1280},
			map[int]int{0: 3, 1: 3 + 2*2, 2: 7 + 2*2 + 2*4, 3: 19 + 4*4 + 4*8}},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec, err := Lookup(c.name)
			if err != nil {
				t.Fatal(err)
			}
			stages, err := spec.Stages(backend)
			if err != nil {
				t.Fatal(err)
			}
			if len(stages) != len(c.sides) {
				t.Fatalf("%d stages, want %d: %+v", len(stages), len(c.sides), stages)
			}
			parameters, convolutions := 0, 0
			for i, s := range stages {
				parameters, convolutions = parameters+s.Parameters, convolutions+s.Convolutions
				if s.Side != c.sides[i] || s.Channels != c.channels[i] {
					t.Errorf("%s has side %d and %d channels, want %d and %d",
						s.Name, s.Side, s.Channels, c.sides[i], c.channels[i])
				}
				if want, ok := c.receptive[i]; ok && s.Receptive != want {
					t.Errorf("%s depends on %d pixels, want %d", s.Name, s.Receptive, want)
				}
			}
			if parameters != c.parameters || convolutions != c.convolutions {
				t.Errorf("%d parameters in %d convolutions, want %d in %d",
					parameters, convolutions, c.parameters, c.convolutions)
			}
			if last := stages[len(stages)-1]; last.Channels != spec.FeatureDim || last.Receptive < spec.Crop {
				t.Errorf("%d features depend on %d pixels, want %d features that depend on the whole image",
					last.Channels, last.Receptive, spec.FeatureDim)
			}
		})
	}
}

// An encoder that ends after a stage has the channels that Stages lists; after the last one before the mean, its
// features are those of the whole.
func TestUpTo(t *testing.T) {
	backend, file := xlatest.OpenForTest(t), lite0Weights(t)
	whole, err := Open(backend, "efficientnet-lite0", file)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Finalize()
	stages, err := whole.Spec().Stages(backend)
	if err != nil {
		t.Fatal(err)
	}
	image := []*Pixels{probe(whole.Spec().Crop)}
	var features []float32
	for _, i := range []int{0, len(stages) - 2} {
		spec, err := whole.Spec().UpTo(i)
		if err != nil {
			t.Fatal(err)
		}
		part, err := New(backend, spec, file)
		if err != nil {
			t.Fatal(err)
		}
		defer part.Finalize()
		if features, err = part.Encode(t.Context(), image); err != nil || len(features) != stages[i].Channels {
			t.Fatalf("%s: %d features, want %d, %v", stages[i].Name, len(features), stages[i].Channels, err)
		}
	}
	if want, err := whole.Encode(t.Context(), image); err != nil || !slices.Equal(features, want) {
		t.Errorf("the last stage and the whole network differ, %v", err)
	}
	for _, stage := range []int{-1, len(stages) - 1} {
		if _, err := whole.Spec().UpTo(stage); err == nil || !strings.Contains(err.Error(), "want 0 to 8") {
			t.Errorf("stage %d: error %v", stage, err)
		}
	}
	resnet, err := Lookup("resnet50")
	if err != nil || len(resnet.network.ends) != 6 || resnet.network.ends[5] != resnet.FeatureDim {
		t.Errorf("ResNet-50 ends in %d, %v", resnet.network.ends, err)
	}
	if _, err := meanColour().UpTo(0); err == nil || !strings.Contains(err.Error(), "custom encoder") {
		t.Errorf("a custom encoder: error %v", err)
	}
}

// TestStagesProducts: the first convolution of ResNet-50 has 7*7*3*64 weights and 128*128 positions.
func TestStagesProducts(t *testing.T) {
	spec, err := Lookup("resnet50")
	if err != nil {
		t.Fatal(err)
	}
	stages, err := spec.Stages(xlatest.OpenForTest(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := 7 * 7 * 3 * 64 * 128 * 128; stages[0].Products != want {
		t.Errorf("conv1 takes %d products, want %d", stages[0].Products, want)
	}
}
