package encoder

import (
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
