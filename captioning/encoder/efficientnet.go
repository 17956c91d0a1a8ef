package encoder

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// efficientNetLite0 is EfficientNet-Lite0 (Tan and Le 2019, "EfficientNet", table 1, scaled by 1.0 / 1.0; the Lite variants
// have no squeeze-and-excitation, ReLU6 in place of swish, and a fixed stem and head). The names are those of
// efficientnet-lite-pytorch 0.1.0. Padding is TensorFlow's SAME for 224 x 224 pictures.
func efficientNetLite0() *network {
	stages := []struct{ repeats, kernel, stride, expand, out int }{
		{1, 3, 1, 1, 16}, {2, 3, 2, 6, 24}, {2, 5, 2, 6, 40}, {3, 3, 2, 6, 80}, {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192}, {1, 3, 1, 6, 320},
	}
	n := &network{name: "efficientnet-lite0", features: 1280, epsilon: 1e-3, classifier: "_fc."}
	size := 224
	add := func(c convolution) {
		after := (size + c.stride - 1) / c.stride
		padding := max((after-1)*c.stride+c.kernel-size, 0)
		c.before, c.end = padding/2, padding-padding/2
		size = after
		n.convolutions = append(n.convolutions, c)
	}
	add(convolution{name: "_conv_stem", norm: "_bn0", in: 3, out: 32, kernel: 3, stride: 2})
	type block struct{ expands, skips bool }
	var blocks []block
	in := 32
	for _, s := range stages {
		for r := range s.repeats {
			stride := s.stride
			if r > 0 {
				stride = 1
			}
			prefix, wide := fmt.Sprintf("_blocks.%d.", len(blocks)), in*s.expand
			if s.expand > 1 {
				add(convolution{name: prefix + "_expand_conv", norm: prefix + "_bn0", in: in, out: wide, kernel: 1, stride: 1})
			}
			add(convolution{name: prefix + "_depthwise_conv", norm: prefix + "_bn1", in: wide, out: wide, kernel: s.kernel, stride: stride, depthwise: true})
			add(convolution{name: prefix + "_project_conv", norm: prefix + "_bn2", in: wide, out: s.out, kernel: 1, stride: 1})
			blocks = append(blocks, block{expands: s.expand > 1, skips: stride == 1 && in == s.out})
			in = s.out
		}
	}
	add(convolution{name: "_conv_head", norm: "_bn1", in: in, out: n.features, kernel: 1, stride: 1})

	n.forward = func(l *layers, x *Node) *Node {
		x = relu6(l.convolve(x))
		for _, b := range blocks {
			input := x
			if b.expands {
				x = relu6(l.convolve(x))
			}
			x = relu6(l.convolve(x))
			x = l.convolve(x)
			if b.skips {
				x = Add(x, input)
			}
		}
		return relu6(l.convolve(x))
	}
	return n
}
