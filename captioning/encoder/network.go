package encoder

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// network is a convolutional network without its classifier: its convolutions in the order in which forward uses them.
type network struct {
	name         string
	features     int     // width of the pooled output
	epsilon      float64 // of the batch normalisations
	classifier   string  // prefix of the classifier's entries in the state dict
	convolutions []convolution
	// forward builds the graph from normalised pictures [batch, height, width, 3] to the last feature map.
	forward func(l *layers, x *Node) *Node
}

// layers hands the folded weights to the graph, one convolution after the other.
type layers struct {
	next    int
	specs   []convolution
	kernels []*Node
	biases  []*Node
}

// convolve applies the next convolution of the network, with its folded batch normalisation, to x [batch, height, width,
// channels].
func (l *layers) convolve(x *Node) *Node {
	c, kernel, bias := l.specs[l.next], l.kernels[l.next], l.biases[l.next]
	l.next++
	x.AssertDims(-1, -1, -1, c.in)
	if c.depthwise {
		x = depthwise(x, kernel, c)
	} else {
		x = Convolve(x, kernel).Strides(c.stride).PaddingPerDim([][2]int{{c.before, c.end}, {c.before, c.end}}).Done()
	}
	return Add(x, Reshape(bias, 1, 1, 1, c.out))
}

// depthwise filters every channel on its own. It is written as one multiply-add for each position of the kernel, since
// XLA's CPU backend has no good convolution with groups.
func depthwise(x, kernel *Node, c convolution) *Node {
	x = Pad(x, ScalarZero(x.Graph(), x.DType()), PadAxis{}, PadAxis{Start: c.before, End: c.end}, PadAxis{Start: c.before, End: c.end}, PadAxis{})
	height, width := (x.Shape().Dim(1)-c.kernel)/c.stride+1, (x.Shape().Dim(2)-c.kernel)/c.stride+1
	var sum *Node
	for i := range c.kernel {
		for j := range c.kernel {
			part := Slice(x, AxisRange(), AxisRange(i, i+(height-1)*c.stride+1).Stride(c.stride),
				AxisRange(j, j+(width-1)*c.stride+1).Stride(c.stride), AxisRange())
			weight := Reshape(Slice(kernel, AxisElem(i), AxisElem(j)), 1, 1, 1, c.out)
			part = Mul(part, weight)
			if sum == nil {
				sum = part
			} else {
				sum = Add(sum, part)
			}
		}
	}
	sum.AssertDims(-1, height, width, c.out)
	return sum
}

func relu(x *Node) *Node { return Max(x, ScalarZero(x.Graph(), x.DType())) }

func relu6(x *Node) *Node { return ClipScalar(x, 0, 6) }

// featuresGraph builds the whole encoder: pixels [batch, height, width, 3] uint8 to pooled features [batch, features]
// float32. weights are kernel and bias of each convolution, alternating.
func (n *network) featuresGraph(p Preprocessing, pixels *Node, weights []*Node) *Node {
	g := pixels.Graph()
	l := &layers{specs: n.convolutions}
	for i := range n.convolutions {
		l.kernels, l.biases = append(l.kernels, weights[2*i]), append(l.biases, weights[2*i+1])
	}
	x := ConvertDType(pixels, dtypes.Float32)
	var scale, shift [3]float32
	for c := range 3 {
		scale[c], shift[c] = float32(1/p.Std[c]), float32(-p.Mean[c]/p.Std[c])
	}
	x = Add(Mul(x, Reshape(Const(g, scale[:]), 1, 1, 1, 3)), Reshape(Const(g, shift[:]), 1, 1, 1, 3))
	x = n.forward(l, x)
	x = ReduceMean(x, 1, 2)
	x.AssertDims(pixels.Shape().Dim(0), n.features)
	return x
}
