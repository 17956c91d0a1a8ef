package encoder

import (
	"context"
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/weights"
)

// efficientNetLite0 is the small encoder, whose weights are fetched when they are needed.
func efficientNetLite0(dtype dtypes.DType) Spec {
	n := efficientNetLite0Network()
	return Spec{
		Name: "efficientnet-lite0", FeatureDim: 1280, Resize: 224, Crop: 224, BatchSize: 16, DType: dtype,
		Mean: [3]float32{127, 127, 127}, Std: [3]float32{128, 128, 128},
		Load: n.load, Graph: n.graph, Grid: n.grid, Places: 7 * 7, Weights: efficientNetLite0Weights, network: n,
	}
}

func efficientNetLite0Weights(ctx context.Context) (string, error) {
	source, err := weights.EfficientNetLite0(ctx)
	return source.Path, err
}

// mbBlock is a mobile inverted bottleneck block.
type mbBlock struct {
	stride int
	expand bool   // it begins with a 1x1 convolution to more channels
	linked bool   // its input is added to its output
	ends   string // the stage that it ends, if any
}

// mbStages are the stages of EfficientNet-Lite0: repeats, kernel, stride, expansion, output channels.
var mbStages = []struct{ repeats, kernel, stride, expand, out int }{
	{1, 3, 1, 1, 16}, {2, 3, 2, 6, 24}, {2, 5, 2, 6, 40}, {3, 3, 2, 6, 80}, {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192},
	{1, 3, 1, 6, 320},
}

// efficientNetLite0Network is EfficientNet-B0 without squeeze-and-excitation and with ReLU6.
//
// Reference: Tan and Le 2019; the tables of TensorFlow's efficientnet-lite; efficientnet-lite-pytorch 0.1.0.
func efficientNetLite0Network() *network {
	n := &network{epsilon: 1e-3, ignored: []string{"_fc."}, ends: []int{32}}
	n.convs = append(n.convs, convSpec{conv: "_conv_stem", norm: "_bn0", out: 32, in: 3, k: 3})
	var blocks []mbBlock
	in := 32
	for stage, s := range mbStages {
		for i := range s.repeats {
			block := mbBlock{stride: s.stride, expand: s.expand != 1}
			if i > 0 {
				block.stride = 1
			}
			if i == s.repeats-1 {
				block.ends = fmt.Sprintf("stage %d", stage+1)
			}
			block.linked = block.stride == 1 && in == s.out
			prefix := fmt.Sprintf("_blocks.%d.", len(blocks))
			wide := in * s.expand
			if block.expand {
				n.convs = append(n.convs,
					convSpec{conv: prefix + "_expand_conv", norm: prefix + "_bn0", out: wide, in: in, k: 1})
			}
			n.convs = append(n.convs,
				convSpec{conv: prefix + "_depthwise_conv", norm: prefix + "_bn1", out: wide, in: 1, k: s.kernel},
				convSpec{conv: prefix + "_project_conv", norm: prefix + "_bn2", out: s.out, in: wide, k: 1})
			blocks = append(blocks, block)
			in = s.out
		}
		n.ends = append(n.ends, in)
	}
	n.ends = append(n.ends, 1280)
	n.convs = append(n.convs, convSpec{conv: "_conv_head", norm: "_bn1", out: 1280, in: in, k: 1})
	n.build = func(b *builder, x *graph.Node) *graph.Node { return buildEfficientNetLite0(b, x, blocks) }
	return n
}

func buildEfficientNetLite0(b *builder, x *graph.Node, blocks []mbBlock) *graph.Node {
	x = relu6(b.convSame(x, 2))
	b.survey.stage("stem", x)
	for _, block := range blocks {
		y := x
		if block.expand {
			y = relu6(b.convSame(y, 1))
		}
		y = relu6(b.depthwiseSame(y, block.stride))
		y = b.convSame(y, 1)
		if block.linked {
			y = graph.Add(y, x)
		}
		x = y
		if block.ends != "" {
			b.survey.stage(block.ends, x)
		}
	}
	x = relu6(b.convSame(x, 1))
	b.survey.stage("head", x)
	return x
}
