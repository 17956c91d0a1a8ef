package decoder

import . "github.com/gomlx/gomlx/core/graph"

// attentionPass is teacher forcing of the cell Attention with its hand-written gradient; see recurrence.go. What the
// backward pass needs of the steps is kept, except what is large and cheap to compute again: the sums of keys and
// query. The gradient of the values is one product over all steps at the end.
type attentionPass struct {
	graph                              *Graph
	steps, batch, hidden, places, size int
	weighted                           bool // append the weights of the places to the outputs

	in []*Node // see forward
	// After each step, [time, batch, ...]: h and c [hidden], activated gates [4*hidden], queries [size], weights
	// [places], contexts before the gate [size], and the gate, [time, batch].
	outputs, cells, activated, queries, weights, contexts, gate *Node
}

// forward returns the outputs [time, batch, hidden(+places)]. Inputs: what the words contribute to the gates [time,
// batch, 4*hidden]; h and c before the first step [batch, hidden]; keys and values [batch, places, size]; the recurrent
// matrix of gates and query [4*hidden+size, hidden]; the context's [4*hidden, size]; score [size]; weight [hidden] and
// bias [1] of the gate.
func (p *attentionPass) forward(in []*Node) *Node {
	p.in = in
	g, steps, batch := p.graph, p.steps, p.batch
	fixed := append([]*Node{in[0]}, in[3:]...)
	final := forSteps(span{0, steps, 1}, fixed, []*Node{
		in[1], in[2],
		zeros(g, steps, batch, p.hidden), zeros(g, steps, batch, p.hidden), zeros(g, steps, batch, 4*p.hidden),
		zeros(g, steps, batch, p.size), zeros(g, steps, batch, p.places), zeros(g, steps, batch, p.size),
		zeros(g, steps, batch),
	}, func(t *Node, fixed, s []*Node) []*Node {
		h := s[0]
		keys, values, score := fixed[1], fixed[2], fixed[5]
		recurrent := recurrentProduct(h, fixed[3], t)
		recurrent.AssertDims(batch, 4*p.hidden+p.size)
		query := SliceAxis(recurrent, 1, AxisRange(4*p.hidden))
		weights, context := attend(keys, values, query, score)
		gate := contextGate(h, fixed[6], fixed[7])
		gated := Mul(context, spread(gate, batch, p.size))
		pre := Add(at(fixed[0], t), SliceAxis(recurrent, 1, AxisRange(0, 4*p.hidden)))
		h, c, gates := lstmGates(Add(pre, recurrentProduct(gated, fixed[4], t)), s[1])
		return []*Node{h, c, put(s[2], h, t), put(s[3], c, t), put(s[4], Concatenate(gates[:], -1), t),
			put(s[5], query, t), put(s[6], weights, t), put(s[7], context, t), put(s[8], gate, t)}
	})
	p.outputs, p.cells, p.activated, p.queries = final[2], final[3], final[4], final[5]
	p.weights, p.contexts, p.gate = final[6], final[7], final[8]
	if p.weighted {
		return Concatenate([]*Node{p.outputs, p.weights}, -1)
	}
	return p.outputs
}

// backward maps the gradient of forward's output to those of its inputs.
func (p *attentionPass) backward(v *Node) []*Node {
	g, steps, batch := p.graph, p.steps, p.batch
	recurrent, recurrentAxis := forBackward(p.in[5])
	context, contextAxis := forBackward(p.in[6])
	before, hiddenBefore := shifted(p.in[2], p.cells), shifted(p.in[1], p.outputs)
	fixed := []*Node{v, p.cells, before, p.activated, p.queries, p.weights, p.contexts, p.gate, p.in[3], p.in[4],
		recurrent, context, p.in[7], p.in[8]}
	final := forSteps(span{steps - 1, -1, -1}, fixed, []*Node{
		zeros(g, batch, p.hidden), zeros(g, batch, p.hidden), zeros(g, steps, batch, 4*p.hidden+p.size),
		zeros(g, steps, batch, p.size), zeros(g, steps, batch), zeros(g, batch, p.size),
		zeros(g, batch, p.places, p.size),
	}, func(t *Node, fixed, s []*Node) []*Node {
		dStep, dWeights := at(fixed[0], t), (*Node)(nil)
		if p.weighted {
			dStep, dWeights = splitAfter(dStep, p.hidden)
		}
		dGates, dCell := lstmGradient(Add(dStep, s[0]), s[1], at(fixed[1], t), at(fixed[2], t), at(fixed[3], t))
		dGated := product(dGates, []int{1}, fixed[11], []int{contextAxis})
		dGated.AssertDims(batch, p.size)
		gate := at(fixed[7], t)
		dGate := Mul(sumLast(Mul(dGated, at(fixed[6], t))), sigmoidSlope(gate))
		dContext := Mul(dGated, spread(gate, batch, p.size))
		step := attended{keys: fixed[8], values: fixed[9], query: at(fixed[4], t), score: fixed[12],
			weights: at(fixed[5], t)}
		dQuery, dScore, dKeys := step.gradient(dContext, dWeights, s[6])
		pre := Concatenate([]*Node{dGates, dQuery}, -1)
		dHidden := product(pre, []int{1}, fixed[10], []int{recurrentAxis})
		dHidden = Add(dHidden, Mul(spread(dGate, batch, p.hidden), ExpandLeftToRank(fixed[13], 2)))
		return []*Node{dHidden, dCell, put(s[2], pre, t), put(s[3], dContext, t), put(s[4], dGate, t),
			Add(s[5], dScore), dKeys}
	})
	pre, dContexts, dGate := final[2], final[3], final[4]
	dGates := SliceAxis(pre, -1, AxisRange(0, 4*p.hidden))
	gated := Mul(p.contexts, spread(p.gate, steps, batch, p.size))
	dValues := DotGeneral(p.weights, []int{0}, []int{1}, dContexts, []int{0}, []int{1})
	dValues.AssertDims(batch, p.places, p.size)
	return []*Node{dGates, final[0], final[1], final[6], dValues,
		recurrentGradient(pre, hiddenBefore, p.in[5]), recurrentGradient(dGates, gated, p.in[6]),
		ReduceSum(final[5], 0), DotGeneral(dGate, []int{0, 1}, nil, hiddenBefore, []int{0, 1}, nil),
		Reshape(ReduceAllSum(dGate), 1)}
}
