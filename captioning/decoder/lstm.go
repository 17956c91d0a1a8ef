package decoder

import . "github.com/gomlx/gomlx/core/graph"

// LSTM is the long short-term memory cell. Its gates, their order (input, forget, cell, output) and its two bias
// vectors are those of torch.nn.LSTM, so that weights can be exchanged. States: h, c.
//
// Reference: Hochreiter and Schmidhuber 1997; https://docs.pytorch.org/docs/2.11/generated/torch.nn.LSTM.html
type LSTM struct{}

// Name returns "lstm".
func (LSTM) Name() string { return "lstm" }

// Weights lists weight_ih [4*hidden, in], weight_hh [4*hidden, hidden], bias_ih and bias_hh [4*hidden].
func (LSTM) Weights(in, hidden int) []Weight { return torchWeights(4, in, hidden) }

// NumStates returns 2.
func (LSTM) NumStates() int { return 2 }

// Start returns the image embedding as both h0 and c0, as the paper's handout does.
func (LSTM) Start(image *Node) []*Node { return []*Node{image, image} }

// Step computes one time step.
func (LSTM) Step(w Weights, x *Node, state []*Node) []*Node {
	return LSTM{}.stepFromGates(w, inputGates(w, x), state)
}

func (LSTM) gates(w Weights, x *Node) *Node { return inputGates(w, x) }

func (LSTM) stepFromGates(w Weights, gates *Node, state []*Node) []*Node {
	h, c, _ := lstmGates(Add(gates, matMulT(state[0], w["weight_hh"])), state[1])
	return []*Node{h, c}
}

// unroll runs the LSTM from the states h0 and c0, both [batch, hidden]; see unroller.
func (LSTM) unroll(w Weights, xs, places *Node, state []*Node) *Node {
	steps, batch, hidden := places.Shape().Dim(0), places.Shape().Dim(1), state[0].Shape().Dim(1)
	var outputs, cells, activated *Node // h and c after each step; activated gates [time, batch, 4*hidden]
	inputs := []*Node{lookUp(inputGates(w, xs), places), state[0], state[1], w["weight_hh"]}
	inputs[0].AssertDims(steps, batch, 4*hidden)
	forward := func(in []*Node) *Node {
		g := xs.Graph()
		final := forSteps(span{0, steps, 1}, []*Node{in[0], in[3]}, []*Node{
			in[1], in[2],
			zeros(g, steps, batch, hidden), zeros(g, steps, batch, hidden), zeros(g, steps, batch, 4*hidden),
		}, func(t *Node, fixed, s []*Node) []*Node {
			pre := Add(at(fixed[0], t), recurrentProduct(s[0], fixed[1], t))
			pre.AssertDims(batch, 4*hidden)
			h, c, gates := lstmGates(pre, s[1])
			return []*Node{h, c, put(s[2], h, t), put(s[3], c, t), put(s[4], Concatenate(gates[:], -1), t)}
		})
		outputs, cells, activated = final[2], final[3], final[4]
		return outputs
	}
	backward := func(v *Node) []*Node {
		v.AssertDims(steps, batch, hidden)
		g := v.Graph()
		before := shifted(StopGradient(state[1]), cells) // c before each step
		weight, axis := forBackward(w["weight_hh"])
		final := forSteps(span{steps - 1, -1, -1}, []*Node{v, cells, before, activated, weight}, []*Node{
			zeros(g, batch, hidden), zeros(g, batch, hidden), zeros(g, steps, batch, 4*hidden),
		}, func(t *Node, fixed, s []*Node) []*Node {
			dOut := Add(at(fixed[0], t), s[0])
			pre, dBefore := lstmGradient(dOut, s[1], at(fixed[1], t), at(fixed[2], t), at(fixed[3], t))
			return []*Node{product(pre, []int{1}, fixed[4], []int{axis}), dBefore, put(s[2], pre, t)}
		})
		dPre, hiddenBefore := final[2], shifted(StopGradient(state[0]), outputs)
		return []*Node{dPre, final[0], final[1], recurrentGradient(dPre, hiddenBefore, w["weight_hh"])}
	}
	return withGradient(inputs, forward, backward)
}

// lstmGates maps pre-activations [batch, 4*hidden] and the previous c [batch, hidden] to the next h and c and the
// activated gates i, f, g, o, all [batch, hidden].
func lstmGates(gates, c *Node) (h, cNext *Node, activated [4]*Node) {
	parts := splitLast(gates, 4)
	activated = [4]*Node{Sigmoid(parts[0]), Sigmoid(parts[1]), Tanh(parts[2]), Sigmoid(parts[3])}
	cNext = Add(Mul(activated[1], c), Mul(activated[0], activated[2]))
	return Mul(activated[3], Tanh(cNext)), cNext, activated
}

// lstmGradient is the backward pass of lstmGates: dOut and dCell are the gradients of h and c after the step, cell and
// before the values of c after and before it, all [batch, hidden]; gates [batch, 4*hidden] are the activated ones. It
// returns the gradients of the pre-activations [batch, 4*hidden] and of before [batch, hidden].
func lstmGradient(dOut, dCell, cell, before, gates *Node) (pre, dBefore *Node) {
	tanhC := Tanh(cell)
	parts := splitLast(gates, 4)
	i, f, c, o := parts[0], parts[1], parts[2], parts[3]
	dCell = Add(Mul(Mul(dOut, o), tanhSlope(tanhC)), dCell)
	pre = Concatenate([]*Node{
		Mul(Mul(dCell, c), sigmoidSlope(i)),
		Mul(Mul(dCell, before), sigmoidSlope(f)),
		Mul(Mul(dCell, i), tanhSlope(c)),
		Mul(Mul(dOut, tanhC), sigmoidSlope(o)),
	}, -1)
	pre.AssertDims(dOut.Shape().Dim(0), 4*dOut.Shape().Dim(1))
	return pre, Mul(dCell, f)
}
