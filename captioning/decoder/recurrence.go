package decoder

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// The gradient of a recurrent layer, taken step by step, adds one small matrix product per time step into the gradient of
// the recurrent matrix. Here the backward pass through time keeps the gradients of the pre-activations of all steps and
// forms that gradient with one large product at the end.

// unrollGraph runs the LSTM over xs [time, batch, in] from the states h0, c0 and returns all outputs [time, batch, hidden].
func (LSTM) unrollGraph(w Weights, xs *Node, state []*Node) *Node {
	steps := xs.Shape().Dim(0)
	var cells, gates, hiddens []*Node // c before each step and after the last; activated gates of each step; h likewise
	var activated [][4]*Node
	inputs := []*Node{inputGates(w, xs), state[0], state[1], w["weight_hh"]}
	forward := func(in []*Node) *Node {
		h, c := in[1], in[2]
		hiddens, cells = []*Node{h}, []*Node{c}
		for t := range steps {
			pre := Add(stepOf(in[0], t), matMulT(h, in[3]))
			var act [4]*Node
			h, c, act = lstmGates(pre, c)
			hiddens, cells, activated = append(hiddens, h), append(cells, c), append(activated, act)
		}
		return Stack(hiddens[1:], 0)
	}
	backward := func(v *Node) []*Node {
		weightHH := StopGradient(w["weight_hh"])
		gates = make([]*Node, steps)
		var dh, dc *Node
		for t := steps - 1; t >= 0; t-- {
			dOut := stepOf(v, t)
			if dh != nil {
				dOut = Add(dOut, dh)
			}
			i, f, g, o := activated[t][0], activated[t][1], activated[t][2], activated[t][3]
			tanhC := Tanh(cells[t+1])
			dCell := Mul(Mul(dOut, o), OneMinus(Square(tanhC)))
			if dc != nil {
				dCell = Add(dCell, dc)
			}
			gates[t] = Concatenate([]*Node{
				Mul(Mul(dCell, g), sigmoidSlope(i)),
				Mul(Mul(dCell, cells[t]), sigmoidSlope(f)),
				Mul(Mul(dCell, i), OneMinus(Square(g))),
				Mul(Mul(dOut, tanhC), sigmoidSlope(o)),
			}, -1)
			dc = Mul(dCell, f)
			dh = MatMul(gates[t], weightHH)
		}
		dGates := Stack(gates, 0)
		return []*Node{dGates, dh, dc, recurrentGradient(dGates, hiddens[:steps])}
	}
	return withGradient(inputs, forward, backward)
}

// unrollGraph runs the tanh RNN over xs [time, batch, in] from h0 and returns all outputs [time, batch, hidden].
func (RNN) unrollGraph(w Weights, xs *Node, state []*Node) *Node {
	steps := xs.Shape().Dim(0)
	var hiddens []*Node
	inputs := []*Node{inputGates(w, xs), state[0], w["weight_hh"]}
	forward := func(in []*Node) *Node {
		h := in[1]
		hiddens = []*Node{h}
		for t := range steps {
			h = Tanh(Add(stepOf(in[0], t), matMulT(h, in[2])))
			hiddens = append(hiddens, h)
		}
		return Stack(hiddens[1:], 0)
	}
	backward := func(v *Node) []*Node {
		weightHH := StopGradient(w["weight_hh"])
		pre := make([]*Node, steps)
		var dh *Node
		for t := steps - 1; t >= 0; t-- {
			dOut := stepOf(v, t)
			if dh != nil {
				dOut = Add(dOut, dh)
			}
			pre[t] = Mul(dOut, OneMinus(Square(hiddens[t+1])))
			dh = MatMul(pre[t], weightHH)
		}
		dPre := Stack(pre, 0)
		return []*Node{dPre, dh, recurrentGradient(dPre, hiddens[:steps])}
	}
	return withGradient(inputs, forward, backward)
}

// stepOf is x[t] of a time-major x.
func stepOf(x *Node, t int) *Node {
	return Squeeze(SliceAxis(x, 0, AxisElem(t)), 0)
}

// sigmoidSlope is the derivative of the sigmoid at a point where its value is s.
func sigmoidSlope(s *Node) *Node { return Mul(s, OneMinus(s)) }

// recurrentGradient is the sum over time and batch of dPre [time, batch, n] times the hidden state before each step: one
// product [n, time*batch] x [time*batch, hidden].
func recurrentGradient(dPre *Node, before []*Node) *Node {
	h := Stack(before, 0)
	return DotGeneral(dPre, []int{0, 1}, nil, h, []int{0, 1}, nil)
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
