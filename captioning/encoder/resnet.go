package encoder

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// resNet50 is ResNet-50 (He et al. 2016, "Deep Residual Learning for Image Recognition", table 1) in the variant v1.5 of
// torchvision.models.resnet50: the stride of a block sits in its 3x3 convolution. The names are torchvision's.
func resNet50() *network {
	n := &network{name: "resnet50", features: 2048, epsilon: 1e-5, classifier: "fc."}
	add := func(name, norm string, in, out, kernel, stride int) {
		n.convolutions = append(n.convolutions, convolution{name: name, norm: norm, in: in, out: out, kernel: kernel, stride: stride,
			before: kernel / 2, end: kernel / 2})
	}
	add("conv1", "bn1", 3, 64, 7, 2)
	type block struct{ projects bool }
	var blocks []block
	in := 64
	for stage, repeats := range []int{3, 4, 6, 3} {
		width := 64 << stage
		for r := range repeats {
			stride := 1
			if r == 0 && stage > 0 {
				stride = 2
			}
			prefix := fmt.Sprintf("layer%d.%d.", stage+1, r)
			add(prefix+"conv1", prefix+"bn1", in, width, 1, 1)
			add(prefix+"conv2", prefix+"bn2", width, width, 3, stride)
			add(prefix+"conv3", prefix+"bn3", width, 4*width, 1, 1)
			if r == 0 {
				add(prefix+"downsample.0", prefix+"downsample.1", in, 4*width, 1, stride)
			}
			blocks = append(blocks, block{projects: r == 0})
			in = 4 * width
		}
	}

	n.forward = func(l *layers, x *Node) *Node {
		x = relu(l.convolve(x))
		x = MaxPool(x).Window(3).Strides(2).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done()
		for _, b := range blocks {
			input := x
			x = relu(l.convolve(x))
			x = relu(l.convolve(x))
			x = l.convolve(x)
			if b.projects {
				input = l.convolve(input)
			}
			x = relu(Add(x, input))
		}
		return x
	}
	return n
}
