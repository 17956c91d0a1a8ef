package encoder

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// network is one architecture: where its weights are, and how the folded layers are put together.
type network struct {
	specs   []convSpec
	epsilon float64  // of the batch normalisation
	ignored []string // prefixes of tensors that a weights file may hold beside: the classifier
	build   func(b *builder, x *graph.Node) *graph.Node
}

// builder hands out the folded layers in the order of the specs.
type builder struct {
	specs         []convSpec
	kernels, bias []*graph.Node
	next          int
	survey        *survey // of a network that is laid out to be looked at; else nil
}

func (b *builder) take() (kernel, bias *graph.Node) {
	i := b.next
	b.next++
	return b.kernels[i], b.bias[i]
}

// conv applies the next convolution, with PyTorch's symmetric padding.
func (b *builder) conv(x *graph.Node, stride, padding int) *graph.Node {
	b.survey.conv(b.specs[b.next], x, stride)
	winograd := b.specs[b.next].winograd
	kernel, bias := b.take()
	if winograd {
		return graph.Add(winogradConv(x, kernel), graph.ExpandLeftToRank(bias, 4))
	}
	pads := [][2]int{{padding, padding}, {padding, padding}}
	return graph.Add(graph.Convolve(x, kernel).Strides(stride).PaddingPerDim(pads).Done(), graph.ExpandLeftToRank(bias, 4))
}

// convSame applies the next convolution with TensorFlow's "SAME" padding, which puts the odd pixel at the end.
func (b *builder) convSame(x *graph.Node, stride int) *graph.Node {
	b.survey.conv(b.specs[b.next], x, stride)
	kernel, bias := b.take()
	_, low, high := samePadding(x.Shape().Dim(1), kernel.Shape().Dim(0), stride)
	pads := [][2]int{{low, high}, {low, high}}
	return graph.Add(graph.Convolve(x, kernel).Strides(stride).PaddingPerDim(pads).Done(), graph.ExpandLeftToRank(bias, 4))
}

// samePadding is TensorFlow's: as many output samples as strides begin inside, the odd padding sample at the end. (GoMLX's
// PadSame does not depend on the stride.)
func samePadding(size, k, stride int) (out, low, high int) {
	out = (size + stride - 1) / stride
	total := max((out-1)*stride+k-size, 0)
	return out, total / 2, total - total/2
}

// depthwiseSame applies the next layer to each channel by itself, with "SAME" padding. It is written as a sum of shifted
// products, in float32, because XLA's CPU backend has no good grouped convolution.
func (b *builder) depthwiseSame(x *graph.Node, stride int) *graph.Node {
	b.survey.conv(b.specs[b.next], x, stride)
	kernel, bias := b.take()
	dtype := x.DType()
	x, kernel, bias = graph.ConvertDType(x, dtypes.Float32), graph.ConvertDType(kernel, dtypes.Float32), graph.ConvertDType(bias, dtypes.Float32)
	k, channels := kernel.Shape().Dim(0), kernel.Shape().Dim(3)
	out, low, high := samePadding(x.Shape().Dim(1), k, stride)
	zero := graph.ScalarZero(x.Graph(), x.DType())
	edge := graph.PadAxis{Start: low, End: high}
	x = graph.Pad(x, zero, graph.PadAxis{}, edge, edge, graph.PadAxis{})
	sum := graph.ExpandLeftToRank(bias, 4)
	for dy := range k {
		for dx := range k {
			part := graph.Slice(x, graph.AxisRange(), graph.AxisRange(dy, dy+(out-1)*stride+1).Stride(stride), graph.AxisRange(dx, dx+(out-1)*stride+1).Stride(stride))
			weight := graph.Reshape(graph.Slice(kernel, graph.AxisElem(dy), graph.AxisElem(dx)), 1, 1, 1, channels)
			sum = graph.Add(sum, graph.Mul(part, weight))
		}
	}
	return graph.ConvertDType(sum, dtype)
}

// maxPool takes the maximum of each window of 3x3 positions, every second one.
func (b *builder) maxPool(x *graph.Node) *graph.Node {
	b.survey.window(3, x)
	return graph.MaxPool(x).Window(3).Strides(2).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done()
}

func relu(x *graph.Node) *graph.Node  { return graph.MaxScalar(x, 0) }
func relu6(x *graph.Node) *graph.Node { return graph.ClipScalar(x, 0, 6) }

// pooled is the mean over height and width, in float32: [batch, channels].
func pooled(x *graph.Node) *graph.Node {
	return graph.ReduceMean(graph.ConvertDType(x, dtypes.Float32), 1, 2)
}

// resNet50 is ResNet-50 v1.5 as torchvision has it: the stride of a stage sits in the 3x3 convolution.
//
// Reference: He, Zhang, Ren and Sun 2016; torchvision 0.26, torchvision/models/resnet.py.
func resNet50() network {
	n := network{epsilon: 1e-5, ignored: []string{"fc."}}
	n.specs = append(n.specs, convSpec{conv: "conv1", norm: "bn1", out: 64, in: 3, k: 7})
	depths, in := []int{3, 4, 6, 3}, 64
	for stage, depth := range depths {
		width := 64 << stage
		for i := range depth {
			prefix := fmt.Sprintf("layer%d.%d.", stage+1, i)
			if i == 0 {
				n.specs = append(n.specs, convSpec{conv: prefix + "downsample.0", norm: prefix + "downsample.1", out: 4 * width, in: in, k: 1})
			}
			n.specs = append(n.specs,
				convSpec{conv: prefix + "conv1", norm: prefix + "bn1", out: width, in: in, k: 1},
				convSpec{conv: prefix + "conv2", norm: prefix + "bn2", out: width, in: width, k: 3,
					// Where it is faster than XLA's own: with stride 1 and 128 channels or more.
					winograd: stage > 0 && i > 0},
				convSpec{conv: prefix + "conv3", norm: prefix + "bn3", out: 4 * width, in: width, k: 1})
			in = 4 * width
		}
	}
	n.build = func(b *builder, x *graph.Node) *graph.Node {
		x = relu(b.conv(x, 2, 3))
		b.survey.stage("conv1", x)
		x = b.maxPool(x)
		b.survey.stage("max pool", x)
		for stage, depth := range depths {
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
		return pooled(x)
	}
	return n
}

// mbStages are the stages of EfficientNet-Lite0: repeats, kernel, stride, expansion, output channels.
var mbStages = []struct{ repeats, kernel, stride, expand, out int }{
	{1, 3, 1, 1, 16}, {2, 3, 2, 6, 24}, {2, 5, 2, 6, 40}, {3, 3, 2, 6, 80}, {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192}, {1, 3, 1, 6, 320},
}

// efficientNetLite0 is EfficientNet-B0 without squeeze-and-excitation and with ReLU6.
//
// Reference: Tan and Le 2019; the tables of TensorFlow's efficientnet-lite; efficientnet-lite-pytorch 0.1.0.
func efficientNetLite0() network {
	n := network{epsilon: 1e-3, ignored: []string{"_fc."}}
	n.specs = append(n.specs, convSpec{conv: "_conv_stem", norm: "_bn0", out: 32, in: 3, k: 3})
	type block struct {
		stride         int
		expand, linked bool
		ends           string // the stage whose last block it is
	}
	var blocks []block
	in := 32
	for stage, s := range mbStages {
		for i := range s.repeats {
			ends := ""
			if i == s.repeats-1 {
				ends = fmt.Sprintf("stage %d", stage+1)
			}
			prefix := fmt.Sprintf("_blocks.%d.", len(blocks))
			stride := s.stride
			if i > 0 {
				stride = 1
			}
			wide := in * s.expand
			if s.expand != 1 {
				n.specs = append(n.specs, convSpec{conv: prefix + "_expand_conv", norm: prefix + "_bn0", out: wide, in: in, k: 1})
			}
			n.specs = append(n.specs,
				convSpec{conv: prefix + "_depthwise_conv", norm: prefix + "_bn1", out: wide, in: 1, k: s.kernel},
				convSpec{conv: prefix + "_project_conv", norm: prefix + "_bn2", out: s.out, in: wide, k: 1})
			blocks = append(blocks, block{stride, s.expand != 1, stride == 1 && in == s.out, ends})
			in = s.out
		}
	}
	n.specs = append(n.specs, convSpec{conv: "_conv_head", norm: "_bn1", out: 1280, in: in, k: 1})
	n.build = func(b *builder, x *graph.Node) *graph.Node {
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
		return pooled(x)
	}
	return n
}
