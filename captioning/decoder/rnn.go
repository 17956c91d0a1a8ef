package decoder

import . "github.com/gomlx/gomlx/core/graph"

// RNN is the vanilla recurrent cell h' = tanh(W_ih x + b_ih + W_hh h + b_hh) of torch.nn.RNN. State: h.
//
// Reference: Elman 1990; https://docs.pytorch.org/docs/2.11/generated/torch.nn.RNN.html
type RNN struct{}

// Name returns "rnn".
func (RNN) Name() string { return "rnn" }

// Weights lists weight_ih [hidden, in], weight_hh [hidden, hidden], bias_ih and bias_hh [hidden].
func (RNN) Weights(in, hidden int) []Weight { return torchWeights(1, in, hidden) }

// NumStates returns 1.
func (RNN) NumStates() int { return 1 }

// Start returns the image embedding as h0.
func (RNN) Start(image *Node) []*Node { return []*Node{image} }

// Step computes one time step.
func (RNN) Step(w Weights, x *Node, state []*Node) []*Node {
	return RNN{}.stepFromGates(w, inputGates(w, x), state)
}

func (RNN) gates(w Weights, x *Node) *Node { return inputGates(w, x) }

func (RNN) stepFromGates(w Weights, gates *Node, state []*Node) []*Node {
	return []*Node{Tanh(Add(gates, matMulT(state[0], w["weight_hh"])))}
}

// unroll runs the RNN from the state h0 [batch, hidden]; see unroller.
func (RNN) unroll(w Weights, xs, places *Node, state []*Node) *Node {
	steps, batch, hidden := places.Shape().Dim(0), places.Shape().Dim(1), state[0].Shape().Dim(1)
	var outputs *Node // h after each step
	inputs := []*Node{lookUp(inputGates(w, xs), places), state[0], w["weight_hh"]}
	inputs[0].AssertDims(steps, batch, hidden)
	forward := func(in []*Node) *Node {
		states := []*Node{in[1], zeros(xs.Graph(), steps, batch, hidden)}
		final := forSteps(span{0, steps, 1}, []*Node{in[0], in[2]}, states, func(t *Node, fixed, s []*Node) []*Node {
			h := Tanh(Add(at(fixed[0], t), recurrentProduct(s[0], fixed[1], t)))
			h.AssertDims(batch, hidden)
			return []*Node{h, put(s[1], h, t)}
		})
		outputs = final[1]
		return outputs
	}
	backward := func(v *Node) []*Node {
		v.AssertDims(steps, batch, hidden)
		g := v.Graph()
		weight, axis := forBackward(w["weight_hh"])
		final := forSteps(span{steps - 1, -1, -1}, []*Node{v, outputs, weight}, []*Node{
			zeros(g, batch, hidden), zeros(g, steps, batch, hidden),
		}, func(t *Node, fixed, s []*Node) []*Node {
			pre := Mul(Add(at(fixed[0], t), s[0]), tanhSlope(at(fixed[1], t)))
			pre.AssertDims(batch, hidden)
			return []*Node{product(pre, []int{1}, fixed[2], []int{axis}), put(s[1], pre, t)}
		})
		dPre, hiddenBefore := final[1], shifted(StopGradient(state[0]), outputs)
		return []*Node{dPre, final[0], recurrentGradient(dPre, hiddenBefore, w["weight_hh"])}
	}
	return withGradient(inputs, forward, backward)
}
