package decoder

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// The gradient of a recurrent layer, taken step by step, adds one small matrix product per time step into the gradient of
// the recurrent matrix. Here the backward pass through time keeps the gradients of the pre-activations of all steps and
// forms that gradient with one large product at the end. Both passes are loops on the device, so that the time to compile
// does not grow with the length of the captions.

// unrollGraph runs the LSTM from the states h0, c0; see unroller.
func (LSTM) unrollGraph(w Weights, xs, places *Node, state []*Node) *Node {
	steps, batch, hidden := places.Shape().Dim(0), places.Shape().Dim(1), state[0].Shape().Dim(1)
	var outputs, cells, activated *Node // h and c after each step; activated gates [time, batch, 4*hidden]
	inputs := []*Node{lookUp(inputGates(w, xs), places), state[0], state[1], w["weight_hh"]}
	forward := func(in []*Node) *Node {
		g := xs.Graph()
		final := forSteps(0, steps, 1, []*Node{in[0], in[3]}, []*Node{
			in[1], in[2], zeros(g, steps, batch, hidden), zeros(g, steps, batch, hidden), zeros(g, steps, batch, 4*hidden),
		}, func(t *Node, fixed, s []*Node) []*Node {
			pre := Add(at(fixed[0], t), recurrentProduct(s[0], fixed[1], t))
			h, c, gates := lstmGates(pre, s[1])
			return []*Node{h, c, put(s[2], h, t), put(s[3], c, t), put(s[4], Concatenate(gates[:], -1), t)}
		})
		outputs, cells, activated = final[2], final[3], final[4]
		return outputs
	}
	backward := func(v *Node) []*Node {
		g := v.Graph()
		before := shifted(StopGradient(state[1]), cells) // c before each step
		weight, axis := forBackward(w["weight_hh"])
		final := forSteps(steps-1, -1, -1, []*Node{v, cells, before, activated, weight}, []*Node{
			zeros(g, batch, hidden), zeros(g, batch, hidden), zeros(g, steps, batch, 4*hidden),
		}, func(t *Node, fixed, s []*Node) []*Node {
			dOut := Add(at(fixed[0], t), s[0])
			tanhC := Tanh(at(fixed[1], t))
			parts := splitLast(at(fixed[3], t), 4)
			i, f, c, o := parts[0], parts[1], parts[2], parts[3]
			dCell := Add(Mul(Mul(dOut, o), tanhSlope(tanhC)), s[1])
			pre := Concatenate([]*Node{
				Mul(Mul(dCell, c), sigmoidSlope(i)),
				Mul(Mul(dCell, at(fixed[2], t)), sigmoidSlope(f)),
				Mul(Mul(dCell, i), tanhSlope(c)),
				Mul(Mul(dOut, tanhC), sigmoidSlope(o)),
			}, -1)
			return []*Node{product(pre, []int{1}, fixed[4], []int{axis}), Mul(dCell, f), put(s[2], pre, t)}
		})
		dPre := final[2]
		return []*Node{dPre, final[0], final[1], recurrentGradient(dPre, shifted(StopGradient(state[0]), outputs), w["weight_hh"])}
	}
	return withGradient(inputs, forward, backward)
}

// unrollGraph runs the tanh RNN from h0; see unroller.
func (RNN) unrollGraph(w Weights, xs, places *Node, state []*Node) *Node {
	steps, batch, hidden := places.Shape().Dim(0), places.Shape().Dim(1), state[0].Shape().Dim(1)
	var outputs *Node
	inputs := []*Node{lookUp(inputGates(w, xs), places), state[0], w["weight_hh"]}
	forward := func(in []*Node) *Node {
		final := forSteps(0, steps, 1, []*Node{in[0], in[2]}, []*Node{in[1], zeros(xs.Graph(), steps, batch, hidden)},
			func(t *Node, fixed, s []*Node) []*Node {
				h := Tanh(Add(at(fixed[0], t), recurrentProduct(s[0], fixed[1], t)))
				return []*Node{h, put(s[1], h, t)}
			})
		outputs = final[1]
		return outputs
	}
	backward := func(v *Node) []*Node {
		g := v.Graph()
		weight, axis := forBackward(w["weight_hh"])
		final := forSteps(steps-1, -1, -1, []*Node{v, outputs, weight}, []*Node{
			zeros(g, batch, hidden), zeros(g, steps, batch, hidden),
		}, func(t *Node, fixed, s []*Node) []*Node {
			pre := Mul(Add(at(fixed[0], t), s[0]), tanhSlope(at(fixed[1], t)))
			return []*Node{product(pre, []int{1}, fixed[2], []int{axis}), put(s[1], pre, t)}
		})
		return []*Node{final[1], final[0], recurrentGradient(final[1], shifted(StopGradient(state[0]), outputs), w["weight_hh"])}
	}
	return withGradient(inputs, forward, backward)
}

// forSteps runs body for t = from, from+by, ... up to but without to, as one loop on the device. fixed are passed to every
// step; body maps the changing states to the next ones. It returns the states after the last step. A body's constants must
// be its own (see constant): GoMLX shares scalars across the closures of a graph, which XLA refuses.
func forSteps(from, to, by int, fixed, states []*Node, body func(t *Node, fixed, states []*Node) []*Node) []*Node {
	g := states[0].Graph()
	initial := append([]*Node{constant(g, int32(from))}, fixed...)
	initial = append(initial, states...)
	parameters := func(g *Graph) []*Node {
		nodes := make([]*Node, len(initial))
		for i, n := range initial {
			nodes[i] = Parameter(g, fmt.Sprintf("state%d", i), n.Shape())
		}
		return nodes
	}
	more := NewClosure(g, func(g *Graph) []*Node {
		return []*Node{NotEqual(parameters(g)[0], constant(g, int32(to)))}
	})
	step := NewClosure(g, func(g *Graph) []*Node {
		p := parameters(g)
		next := append([]*Node{Add(p[0], constant(g, int32(by)))}, p[1:1+len(fixed)]...)
		return append(next, body(p[0], p[1:1+len(fixed)], p[1+len(fixed):])...)
	})
	return While(more, step, initial...)[1+len(fixed):]
}

// at is x[t] of a time-major x, for t on the device.
func at(x, t *Node) *Node {
	dims := x.Shape().Clone().Dimensions
	dims[0] = 1
	return Reshape(DynamicSlice(x, timeIndex(t, x.Rank()), dims), dims[1:]...)
}

// put is x with x[t] replaced.
func put(x, value, t *Node) *Node {
	return DynamicUpdateSlice(x, ExpandAxes(value, 0), timeIndex(t, x.Rank()))
}

func timeIndex(t *Node, rank int) []*Node {
	index := []*Node{t}
	for range rank - 1 {
		index = append(index, zeroIndex(t.Graph()))
	}
	return index
}

func zeros(g *Graph, dims ...int) *Node { return Zeros(g, shapes.Make(dtypes.Float32, dims...)) }

// stepOf is x[t] of a time-major x, for t known when the graph is built.
func stepOf(x *Node, t int) *Node {
	return Squeeze(SliceAxis(x, 0, AxisElem(t)), 0)
}

// shifted is what held before each step, out of the first value [batch, n] and the values after each step [time, batch, n].
func shifted(first, after *Node) *Node {
	first = ExpandAxes(first, 0)
	if after.Shape().Dim(0) == 1 {
		return first
	}
	return Concatenate([]*Node{first, SliceAxis(after, 0, AxisRange(0, after.Shape().Dim(0)-1))}, 0)
}

// sigmoidSlope is the derivative of the sigmoid at a point where its value is s: s (1-s).
func sigmoidSlope(s *Node) *Node { return Sub(s, Mul(s, s)) }

// tanhSlope is the derivative of tanh at a point where its value is y.
func tanhSlope(y *Node) *Node {
	return Sub(filled(y.Graph(), float32(1), y.Shape().Dimensions...), Mul(y, y))
}

// recurrentProduct is h [batch, hidden] times the transpose of w [n, hidden]: [batch, n], inside a loop over t. XLA's CPU
// backend multiplies a large float32 matrix from the left at its peak and a third slower from the right, so it is computed as w
// times the transpose of h. The choice between the product and zeros, of which the second is never taken, keeps XLA's simplifier
// from turning the product round again.
func recurrentProduct(h, w, t *Node) *Node {
	if w.DType() != dtypes.Float32 {
		return product(h, []int{1}, w, []int{1})
	}
	left := DotGeneral(w, []int{1}, nil, h, []int{1}, nil)
	never := Equal(t, constant(t.Graph(), int32(-1)))
	return Transpose(Where(never, zeros(t.Graph(), left.Shape().Dimensions...), left), 0, 1)
}

// forBackward is the recurrent matrix w [n, hidden] as the backward loop multiplies by it, and the axis of length n that it sums
// over. In bfloat16 it is turned here, once and not in every step (see product).
func forBackward(w *Node) (weight *Node, axis int) {
	w = StopGradient(w)
	if w.DType() != dtypes.Float32 {
		return summedLast(w, []int{0}), 1
	}
	return w, 0
}

// recurrentGradient is the sum over time and batch of dPre [time, batch, n] times the hidden state before each step [time,
// batch, hidden]: one product [n, time*batch] x [time*batch, hidden], in the precision of the recurrent matrix w.
func recurrentGradient(dPre, before, w *Node) *Node {
	return like(product(dPre, []int{0, 1}, like(before, w), []int{0, 1}), w)
}

// withGradient returns forward(inputs) with the gradient that backward computes: given the gradient v of the output,
// it returns one gradient for each input, of the input's shape.
//
// GoMLX has no node with a gradient of one's own over several inputs, so it is pieced together: forward sees the inputs
// without their gradients; each input passes through an identity whose custom gradient hands out what backward found;
// and the output is tied to these identities by a term that is never selected, so that they are visited, after the
// output, because their nodes are older.
func withGradient(inputs []*Node, forward func([]*Node) *Node, backward func(v *Node) []*Node) *Node {
	var gradients []*Node
	wrapped, stopped := make([]*Node, len(inputs)), make([]*Node, len(inputs))
	for i, in := range inputs {
		wrapped[i] = IdentityWithCustomGradient(in, func(_, _ *Node) *Node { return gradients[i] })
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
