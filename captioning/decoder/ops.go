package decoder

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// The node operations that all graphs of this package are built from: constants, indexing, loops over time steps,
// matrix products, and hand-written gradients.

// constant returns a scalar that is not shared with other closures of the graph. GoMLX shares Scalar and its relatives
// across a graph's closures, which XLA refuses.
func constant[T int32 | uint32 | float32](g *Graph, value T) *Node {
	c := Reshape(Const(g, []T{value}))
	c.AssertDims()
	return c
}

// filled returns an array [dims...] of one value that is not shared with other closures of the graph.
func filled[T int32 | uint32 | float32 | bool](g *Graph, value T, dims ...int) *Node {
	ones := make([]int, len(dims))
	for i := range ones {
		ones[i] = 1
	}
	out := BroadcastToDims(Reshape(Const(g, []T{value}), ones...), dims...)
	out.AssertDims(dims...)
	return out
}

// zeros returns a float32 array [dims...] of zeros.
func zeros(g *Graph, dims ...int) *Node { return Zeros(g, shapes.Make(dtypes.Float32, dims...)) }

// spread repeats x, whose dimensions are the first of dims, along the rest of dims: [dims...], of x's dtype.
func spread(x *Node, dims ...int) *Node {
	x.AssertDims(dims[:x.Rank()]...)
	ones := slices.Clone(dims)
	for i := x.Rank(); i < len(ones); i++ {
		ones[i] = 1
	}
	out := BroadcastToDims(Reshape(x, ones...), dims...)
	out.AssertDims(dims...)
	return out
}

// repeatRows repeats each row of x [rows, n] times over: [rows*times, n].
func repeatRows(x *Node, times int) *Node {
	rows, n := x.Shape().Dim(0), x.Shape().Dim(1)
	out := Reshape(BroadcastToDims(ExpandAxes(x, 1), rows, times, n), rows*times, n)
	out.AssertDims(rows*times, n)
	return out
}

// splitLast splits the last axis of x into n equal parts.
func splitLast(x *Node, n int) []*Node {
	size := x.Shape().Dim(-1) / n
	parts := make([]*Node, n)
	for i := range parts {
		parts[i] = SliceAxis(x, -1, AxisRange(i*size, (i+1)*size))
	}
	return parts
}

// lookUp returns the rows of table [n, k] at places [...] (int32): [..., k], of table's dtype.
func lookUp(table, places *Node) *Node { return Gather(table, ExpandAxes(places, -1)) }

// pick returns x[i, index[i]] for x [rows, n] and index [rows] (int32): [rows], of x's dtype.
func pick(x, index *Node) *Node {
	rows := x.Shape().Dim(0)
	index.AssertDims(rows)
	row := Iota(x.Graph(), shapes.Make(dtypes.Int32, rows, 1), 0)
	out := Gather(x, Concatenate([]*Node{row, ExpandAxes(index, -1)}, 1))
	out.AssertDims(rows)
	return out
}

// column returns x[:, i] of x [rows, n]: [rows].
func column(x *Node, i int) *Node {
	out := Squeeze(SliceAxis(x, 1, AxisElem(i)), 1)
	out.AssertDims(x.Shape().Dim(0))
	return out
}

// stepOf returns x[t] of a time-major x, for a t that is known when the graph is built.
func stepOf(x *Node, t int) *Node {
	out := Squeeze(SliceAxis(x, 0, AxisElem(t)), 0)
	out.AssertDims(x.Shape().Dimensions[1:]...)
	return out
}

// at returns x[t] of a time-major x, for a t [] (int32) on the device.
func at(x, t *Node) *Node {
	dims := x.Shape().Clone().Dimensions
	dims[0] = 1
	out := Reshape(DynamicSlice(x, timeIndex(t, x.Rank()), dims), dims[1:]...)
	out.AssertDims(x.Shape().Dimensions[1:]...)
	return out
}

// put returns a time-major x with x[t] replaced by value, for a t [] (int32) on the device.
func put(x, value, t *Node) *Node {
	value.AssertDims(x.Shape().Dimensions[1:]...)
	return DynamicUpdateSlice(x, ExpandAxes(value, 0), timeIndex(t, x.Rank()))
}

func timeIndex(t *Node, rank int) []*Node {
	index := []*Node{t}
	for range rank - 1 {
		index = append(index, constant(t.Graph(), int32(0)))
	}
	return index
}

// span is the range of a loop: from, from+by, ... up to but not including to.
type span struct{ from, to, by int }

// forSteps runs body for every t of the span, as one loop on the device, and returns the states after the last step.
// Body receives t [] (int32), the fixed nodes, which are the same in every step, and the states, which it maps to the
// next states, of the same shapes. Body sees no other nodes, and must make its own constants (see constant).
func forSteps(over span, fixed, states []*Node, body func(t *Node, fixed, states []*Node) []*Node) []*Node {
	g := states[0].Graph()
	initial := append([]*Node{constant(g, int32(over.from))}, fixed...)
	initial = append(initial, states...)
	more := NewClosure(g, func(g *Graph) []*Node {
		return []*Node{NotEqual(parametersLike(g, initial)[0], constant(g, int32(over.to)))}
	})
	step := NewClosure(g, func(g *Graph) []*Node {
		p := parametersLike(g, initial)
		next := append([]*Node{Add(p[0], constant(g, int32(over.by)))}, p[1:1+len(fixed)]...)
		return append(next, body(p[0], p[1:1+len(fixed)], p[1+len(fixed):])...)
	})
	return While(more, step, initial...)[1+len(fixed):]
}

// parametersLike declares a closure's parameters, one for each of the nodes and of its shape.
func parametersLike(g *Graph, nodes []*Node) []*Node {
	parameters := make([]*Node, len(nodes))
	for i, n := range nodes {
		parameters[i] = Parameter(g, fmt.Sprintf("state%d", i), n.Shape())
	}
	return parameters
}

// product is DotGeneral without batch axes: it sums over aAxes of a and bAxes of b. The result is float32. If b is
// bfloat16, a is rounded to bfloat16, too; the product then has no gradient (see matMulT).
//
// XLA's CPU backend is fast on bfloat16 (several times float32, measured with AMX) only if the axes that it sums over
// are the last ones of both factors, so both are transposed to that layout. XLA's simplifier would undo a mere
// transpose and compute the product in float32, so the factors are also padded with zeros; with several axes it leaves
// them unchanged. The accumulator is declared bfloat16 because GoMLX otherwise makes b depend on a through a copy, in
// each step of a loop. The sums are float32, like the result.
func product(a *Node, aAxes []int, b *Node, bAxes []int) *Node {
	if b.DType() != dtypes.BFloat16 {
		return DotGeneral(a, aAxes, nil, b, bAxes, nil)
	}
	a = like(a, b)
	left, right := summedLast(a, aAxes), summedLast(b, bAxes)
	if len(aAxes) == 1 && (left != a || right != b) {
		left, right = paddedLast(left), paddedLast(right)
	}
	last := func(x *Node, axes []int) []int {
		out := make([]int, len(axes))
		for i := range out {
			out[i] = x.Rank() - len(axes) + i
		}
		return out
	}
	return Dot(left, right).WithAccumulatorDType(dtypes.BFloat16).WithOutputDType(dtypes.Float32).
		General(last(left, aAxes), nil, last(right, bAxes), nil)
}

// paddedLast appends zeros to the last axis of x, at least one, up to a multiple of 32.
func paddedLast(x *Node) *Node {
	axes := make([]PadAxis, x.Rank())
	axes[x.Rank()-1].End = 32 - x.Shape().Dim(-1)%32
	return Pad(x, ScalarZero(x.Graph(), x.DType()), axes...)
}

// summedLast moves the given axes of x, in their order, after all others.
func summedLast(x *Node, axes []int) *Node {
	var order []int
	for i := range x.Rank() {
		if !slices.Contains(axes, i) {
			order = append(order, i)
		}
	}
	order = append(order, axes...)
	if slices.IsSorted(order) {
		return x
	}
	return TransposeAllAxes(x, order...)
}

// like returns x in the dtype of weight.
func like(x, weight *Node) *Node {
	if x.DType() == weight.DType() {
		return x
	}
	return ConvertDType(x, weight.DType())
}

// matMulT returns x [..., k] (float32) times the transpose of w [n, k] (float32 or bfloat16): [..., n], float32. With a
// bfloat16 w, the gradients, too, are products of bfloat16 factors; GoMLX's own would be computed in float32.
func matMulT(x, w *Node) *Node {
	last := x.Rank() - 1
	if w.DType() != dtypes.BFloat16 {
		return product(x, []int{last}, w, []int{1})
	}
	axes := make([]int, last)
	for i := range axes {
		axes[i] = i
	}
	var xs, ws *Node
	return withGradient([]*Node{x, w}, func(in []*Node) *Node {
		xs, ws = like(in[0], in[1]), in[1]
		return product(xs, []int{last}, ws, []int{1})
	}, func(v *Node) []*Node {
		v = like(v, ws)
		return []*Node{product(v, []int{last}, ws, []int{0}), like(product(v, axes, xs, axes), ws)}
	})
}

// withGradient returns forward(inputs) with a hand-written gradient: backward maps the gradient v of the output to one
// gradient per input, of the input's shape.
//
// GoMLX has no node with a custom gradient over several inputs, so withGradient composes one. Forward sees the inputs
// without their gradients. Each input passes through an identity whose custom gradient returns what backward computed.
// The output is tied to these identities by a term that is never selected. They are older nodes than the output, so the
// gradient visits them after it.
func withGradient(inputs []*Node, forward func([]*Node) *Node, backward func(v *Node) []*Node) *Node {
	var gradients []*Node
	wrapped, stopped := make([]*Node, len(inputs)), make([]*Node, len(inputs))
	for i, in := range inputs {
		wrapped[i] = IdentityWithCustomGradient(in, func(_, _ *Node) *Node {
			gradients[i].AssertDims(in.Shape().Dimensions...)
			return gradients[i]
		})
		stopped[i] = StopGradient(wrapped[i])
	}
	out := StopGradient(forward(stopped))
	g := out.Graph()
	never := Const(g, false)
	zero := ScalarZero(g, out.DType())
	for _, w := range wrapped {
		first := w
		for first.Rank() > 0 {
			first = Squeeze(SliceAxis(first, 0, AxisElem(0)), 0)
		}
		out = Add(out, Where(never, ConvertDType(first, out.DType()), zero))
	}
	return IdentityWithCustomGradient(out, func(_, v *Node) *Node {
		gradients = backward(v)
		return v
	})
}
