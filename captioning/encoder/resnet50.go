package encoder

import (
	"context"
	"fmt"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/weights"
)

// resNet50 is the paper's encoder: ImageNet mean and standard deviation, 256 pixels (protocol pa4's starter code).
func resNet50(dtype dtypes.DType) Spec {
	n := resNet50Network(dtype != dtypes.BFloat16) // the transforms of Winograd's algorithm cost bfloat16 too many bits
	return Spec{
		Name: "resnet50", FeatureDim: 2048, Resize: 256, Crop: 256, BatchSize: 8, DType: dtype,
		Mean: [3]float32{0.485 * 255, 0.456 * 255, 0.406 * 255},
		Std:  [3]float32{0.229 * 255, 0.224 * 255, 0.225 * 255},
		Load: n.load, Graph: n.graph, Grid: n.grid, Places: 8 * 8, Weights: resNet50Weights, network: n,
	}
}

// resNet50Weights finds torchvision's weights, which the user has to fetch.
func resNet50Weights(context.Context) (string, error) {
	path, err := weights.ResNet50()
	if path != "" || err != nil {
		return path, err
	}
	folders, err := weights.ResNet50Folders()
	if err != nil {
		return "", err
	}
	return "", fmt.Errorf("no weights in %s: put torchvision's resnet50-0676ba61.pth there, "+
		"or name a .pth or safetensors file", strings.Join(folders, " or "))
}

// resNet50Depths are the numbers of blocks in the stages of ResNet-50.
var resNet50Depths = []int{3, 4, 6, 3}

// resNet50Network is ResNet-50 v1.5 as in torchvision: the stride of a stage is in its 3x3 convolution. winograd allows
// Winograd's algorithm.
//
// Reference: He, Zhang, Ren and Sun 2016; torchvision 0.26, torchvision/models/resnet.py.
func resNet50Network(winograd bool) *network {
	n := &network{epsilon: 1e-5, ignored: []string{"fc."}, build: buildResNet50, ends: []int{64, 64}}
	n.convs = append(n.convs, convSpec{conv: "conv1", norm: "bn1", out: 64, in: 3, k: 7})
	in := 64
	for stage, depth := range resNet50Depths {
		width := 64 << stage
		for i := range depth {
			prefix := fmt.Sprintf("layer%d.%d.", stage+1, i)
			if i == 0 {
				shortcut := prefix + "downsample."
				n.convs = append(n.convs,
					convSpec{conv: shortcut + "0", norm: shortcut + "1", out: 4 * width, in: in, k: 1})
			}
			n.convs = append(n.convs,
				convSpec{conv: prefix + "conv1", norm: prefix + "bn1", out: width, in: in, k: 1},
				convSpec{conv: prefix + "conv2", norm: prefix + "bn2", out: width, in: width, k: 3,
					// With stride 1 and 128 channels or more it is faster than XLA's convolution.
					winograd: winograd && stage > 0 && i > 0},
				convSpec{conv: prefix + "conv3", norm: prefix + "bn3", out: 4 * width, in: width, k: 1})
			in = 4 * width
		}
		n.ends = append(n.ends, in)
	}
	return n
}

func buildResNet50(b *builder, x *graph.Node) *graph.Node {
	x = relu(b.conv(x, 2, 3))
	b.survey.stage("conv1", x)
	x = b.maxPool(x)
	b.survey.stage("max pool", x)
	for stage, depth := range resNet50Depths {
		for i := range depth {
			stride, shortcut := 1, x
			if i == 0 {
				if stage > 0 {
					stride = 2
				}
				shortcut = b.conv(x, stride, 0)
			}
			y := relu(b.conv(x, 1, 0))
			y = relu(b.conv(y, stride, 1))
			x = relu(graph.Add(b.conv(y, 1, 0), shortcut))
		}
		b.survey.stage(fmt.Sprintf("layer%d: %d blocks", stage+1, depth), x)
	}
	return x
}
