package encoder

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/safetensors"
)

// network is a convolutional network: where its weights are in a file, and how its folded layers are connected.
type network struct {
	convs   []convSpec
	epsilon float64                                     // of batch normalisation
	ignored []string                                    // prefixes of other tensors in a weights file: the classifier
	build   func(b *builder, x *graph.Node) *graph.Node // the grid; see Spec.Grid
	ends    []int                                       // channels after each stage of build
}

// load folds the layers, as Spec.Load does: kernels first, then biases.
func (n *network) load(tensors map[string]safetensors.Tensor) ([]Array, error) {
	layers, err := n.fold(tensors)
	if err != nil {
		return nil, err
	}
	var arrays []Array
	for _, l := range layers {
		arrays = append(arrays, l.kernel)
	}
	for _, l := range layers {
		arrays = append(arrays, l.bias)
	}
	return arrays, nil
}

// graph applies the network, as Spec.Graph does.
func (n *network) graph(images *graph.Node, arrays []*graph.Node) *graph.Node {
	return pooled(n.grid(images, arrays))
}

// grid applies the network without the mean at its end, as Spec.Grid does.
func (n *network) grid(images *graph.Node, arrays []*graph.Node) *graph.Node {
	return n.build(&builder{convs: n.convs, kernels: arrays[:len(n.convs)], bias: arrays[len(n.convs):]}, images)
}

// builder applies the folded layers in the order of convs.
type builder struct {
	convs         []convSpec
	kernels, bias []*graph.Node
	next          int
	survey        *survey // of Stages; else nil
}

func (b *builder) take() (kernel, bias *graph.Node) {
	i := b.next
	b.next++
	return b.kernels[i], b.bias[i]
}

// conv applies the next convolution, with symmetric padding as in PyTorch.
func (b *builder) conv(x *graph.Node, stride, padding int) *graph.Node {
	b.survey.conv(b.convs[b.next], x, stride)
	winograd := b.convs[b.next].winograd
	kernel, bias := b.take()
	if winograd {
		return graph.Add(winogradConv(x, kernel), graph.ExpandLeftToRank(bias, 4))
	}
	return convolve(x, kernel, bias, stride, [2]int{padding, padding})
}

// convolve adds bias to the convolution of x, with the same padding at the low and high end of both axes.
func convolve(x, kernel, bias *graph.Node, stride int, padding [2]int) *graph.Node {
	y := graph.Convolve(x, kernel).Strides(stride).PaddingPerDim([][2]int{padding, padding}).Done()
	return graph.Add(y, graph.ExpandLeftToRank(bias, 4))
}

// convSame applies the next convolution with TensorFlow's "SAME" padding, whose odd pixel is at the end.
func (b *builder) convSame(x *graph.Node, stride int) *graph.Node {
	b.survey.conv(b.convs[b.next], x, stride)
	kernel, bias := b.take()
	_, low, high := samePadding(x.Shape().Dim(1), kernel.Shape().Dim(0), stride)
	return convolve(x, kernel, bias, stride, [2]int{low, high})
}

// samePadding computes TensorFlow's "SAME" padding: one output sample for each stride that begins inside, the odd
// padding sample at the end. (GoMLX's PadSame does not depend on the stride.)
func samePadding(size, k, stride int) (out, low, high int) {
	out = (size + stride - 1) / stride
	total := max((out-1)*stride+k-size, 0)
	return out, total / 2, total - total/2
}

// depthwiseSame applies the next layer, a depthwise convolution with "SAME" padding. It is a sum of shifted products in
// float32, because XLA's CPU backend is slow at grouped convolutions.
func (b *builder) depthwiseSame(x *graph.Node, stride int) *graph.Node {
	b.survey.conv(b.convs[b.next], x, stride)
	kernel, bias := b.take()
	dtype := x.DType()
	x, kernel = graph.ConvertDType(x, dtypes.Float32), graph.ConvertDType(kernel, dtypes.Float32)
	bias = graph.ConvertDType(bias, dtypes.Float32)
	k, channels := kernel.Shape().Dim(0), kernel.Shape().Dim(3)
	out, low, high := samePadding(x.Shape().Dim(1), k, stride)
	zero := graph.ScalarZero(x.Graph(), x.DType())
	edge := graph.PadAxis{Start: low, End: high}
	x = graph.Pad(x, zero, graph.PadAxis{}, edge, edge, graph.PadAxis{})
	positions := func(first int) graph.SliceAxisSpec {
		return graph.AxisRange(first, first+(out-1)*stride+1).Stride(stride)
	}
	sum := graph.ExpandLeftToRank(bias, 4)
	for dy := range k {
		for dx := range k {
			part := graph.Slice(x, graph.AxisRange(), positions(dy), positions(dx))
			part.AssertDims(x.Shape().Dim(0), out, out, channels)
			weight := graph.Reshape(graph.Slice(kernel, graph.AxisElem(dy), graph.AxisElem(dx)), 1, 1, 1, channels)
			sum = graph.Add(sum, graph.Mul(part, weight))
		}
	}
	return graph.ConvertDType(sum, dtype)
}

// maxPool takes the maximum of each window of 3x3 positions, with stride 2 and padding 1.
func (b *builder) maxPool(x *graph.Node) *graph.Node {
	b.survey.window(3, x)
	return graph.MaxPool(x).Window(3).Strides(2).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done()
}

func relu(x *graph.Node) *graph.Node  { return graph.MaxScalar(x, 0) }
func relu6(x *graph.Node) *graph.Node { return graph.ClipScalar(x, 0, 6) }

// pooled is the mean over height and width, in float32, [batch, channels].
func pooled(x *graph.Node) *graph.Node {
	return graph.ReduceMean(graph.ConvertDType(x, dtypes.Float32), 1, 2)
}
