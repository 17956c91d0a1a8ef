package decoder

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// What the built-in cells share. Automatic differentiation of a recurrent layer adds one small matrix product per time
// step to the gradient of the recurrent matrix. The hand-written pass keeps the pre-activations' gradients of all steps
// and forms that gradient with one large product at the end. Both passes are loops on the device, so that compile time
// does not grow with the length of the captions.

// torchWeights lists the arrays of PyTorch's recurrent layers, for a cell with the given number of gates.
func torchWeights(gates, in, hidden int) []Weight {
	return []Weight{
		{"weight_ih", []int{gates * hidden, in}},
		{"weight_hh", []int{gates * hidden, hidden}},
		{"bias_ih", []int{gates * hidden}},
		{"bias_hh", []int{gates * hidden}},
	}
}

// inputGates returns W_ih x + b_ih + b_hh for x [..., in]: [..., gates*hidden], float32.
func inputGates(w Weights, x *Node) *Node {
	bias := Add(w["bias_ih"], w["bias_hh"])
	out := matMulT(x, w["weight_ih"])
	return Add(out, ExpandLeftToRank(bias, out.Rank()))
}

// shifted returns the values before each step, [time, batch, n], for the initial value first [batch, n] and the values
// after each step [time, batch, n].
func shifted(first, after *Node) *Node {
	first = ExpandAxes(first, 0)
	first.AssertDims(1, after.Shape().Dim(1), after.Shape().Dim(2))
	if after.Shape().Dim(0) == 1 {
		return first
	}
	out := Concatenate([]*Node{first, SliceAxis(after, 0, AxisRange(0, after.Shape().Dim(0)-1))}, 0)
	out.AssertDims(after.Shape().Dimensions...)
	return out
}

// sigmoidSlope returns the derivative of the sigmoid where its value is s: s (1-s).
func sigmoidSlope(s *Node) *Node { return Sub(s, Mul(s, s)) }

// tanhSlope returns the derivative of tanh where its value is y: 1 - y*y.
func tanhSlope(y *Node) *Node {
	return Sub(filled(y.Graph(), float32(1), y.Shape().Dimensions...), Mul(y, y))
}

// recurrentProduct returns h [batch, hidden] times the transpose of w [n, hidden]: [batch, n], float32, inside a loop
// over t. XLA's CPU backend multiplies by a large float32 matrix at peak speed from the left and a third slower from
// the right, so the product is computed as w times the transpose of h. The choice between it and zeros, which are never
// taken, keeps XLA's simplifier from swapping the factors back.
func recurrentProduct(h, w, t *Node) *Node {
	batch, n := h.Shape().Dim(0), w.Shape().Dim(0)
	if w.DType() != dtypes.Float32 {
		return product(h, []int{1}, w, []int{1})
	}
	left := DotGeneral(w, []int{1}, nil, h, []int{1}, nil)
	left.AssertDims(n, batch)
	never := Equal(t, constant(t.Graph(), int32(-1)))
	return Transpose(Where(never, zeros(t.Graph(), left.Shape().Dimensions...), left), 0, 1)
}

// forBackward returns the recurrent matrix w [n, hidden] in the layout that the backward loop multiplies by, and its
// axis of length n, which the product sums over. A bfloat16 matrix is transposed here, once, instead of in every step
// (see product).
func forBackward(w *Node) (weight *Node, axis int) {
	w = StopGradient(w)
	if w.DType() != dtypes.Float32 {
		return summedLast(w, []int{0}), 1
	}
	return w, 0
}

// recurrentGradient returns the gradient of the recurrent matrix w [n, hidden], in w's dtype: the sum over time and
// batch of dPre [time, batch, n] times the hidden state before each step [time, batch, hidden]. It is one product, [n,
// time*batch] x [time*batch, hidden].
func recurrentGradient(dPre, before, w *Node) *Node {
	gradient := like(product(dPre, []int{0, 1}, like(before, w), []int{0, 1}), w)
	gradient.AssertDims(w.Shape().Dimensions...)
	return gradient
}
