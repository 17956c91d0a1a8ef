package decoder

import . "github.com/gomlx/gomlx/core/graph"

// topDownPass is teacher forcing of the cell TopDown with its hand-written gradient; see recurrence.go and
// attentionPass.
type topDownPass struct {
	graph                              *Graph
	steps, batch, hidden, places, size int
	weighted                           bool // append the weights of the places to the outputs

	in []*Node // see forward
	// After each step, [time, batch, ...]: h, c and activated gates of the second LSTM and of the first, queries
	// [size], weights [places], contexts [size].
	outputs, cells, activated    *Node
	outputs1, cells1, activated1 *Node
	queries, weights, contexts   *Node
}

// forward returns the outputs [time, batch, hidden(+places)]. Inputs:
//
//	0     what the words contribute to the first LSTM's gates [time, batch, 4*hidden]
//	1-4   h and c of the second LSTM before the first step, and of the first one [batch, hidden]
//	5-7   keys and values [batch, places, size] and what their mean contributes to the gates [batch, 4*hidden]
//	8     the first LSTM's matrix of both hidden states [4*hidden, 2*hidden]
//	9     the matrix of its new hidden state for query and second LSTM [size+4*hidden, hidden]
//	10    the second LSTM's matrix of context and its hidden state [4*hidden, size+hidden]
//	11-12 score [size] and the second LSTM's bias [4*hidden]
func (p *topDownPass) forward(in []*Node) *Node {
	p.in = in
	g, steps, batch := p.graph, p.steps, p.batch
	fixed := append([]*Node{in[0]}, in[5:]...)
	kept := func(n int) *Node { return zeros(g, steps, batch, n) }
	final := forSteps(span{0, steps, 1}, fixed, []*Node{
		in[1], in[2], in[3], in[4], kept(p.hidden), kept(p.hidden), kept(4 * p.hidden),
		kept(p.hidden), kept(p.hidden), kept(4 * p.hidden), kept(p.size), kept(p.places), kept(p.size),
	}, func(t *Node, fixed, s []*Node) []*Node {
		keys, values, mean, score := fixed[1], fixed[2], fixed[3], fixed[7]
		pre := recurrentProduct(Concatenate([]*Node{s[2], s[0]}, -1), fixed[4], t)
		h1, c1, gates1 := lstmGates(Add(Add(at(fixed[0], t), mean), pre), s[3])
		both := recurrentProduct(h1, fixed[5], t)
		query := SliceAxis(both, 1, AxisRange(0, p.size))
		weights, context := attend(keys, values, query, score)
		pre = recurrentProduct(Concatenate([]*Node{context, s[0]}, -1), fixed[6], t)
		pre = Add(Add(pre, SliceAxis(both, 1, AxisRange(p.size))), ExpandLeftToRank(fixed[8], 2))
		h, c, gates := lstmGates(pre, s[1])
		return []*Node{h, c, h1, c1, put(s[4], h, t), put(s[5], c, t), put(s[6], Concatenate(gates[:], -1), t),
			put(s[7], h1, t), put(s[8], c1, t), put(s[9], Concatenate(gates1[:], -1), t),
			put(s[10], query, t), put(s[11], weights, t), put(s[12], context, t)}
	})
	p.outputs, p.cells, p.activated = final[4], final[5], final[6]
	p.outputs1, p.cells1, p.activated1 = final[7], final[8], final[9]
	p.queries, p.weights, p.contexts = final[10], final[11], final[12]
	if p.weighted {
		return Concatenate([]*Node{p.outputs, p.weights}, -1)
	}
	return p.outputs
}

// backward maps the gradient of forward's output to those of its inputs.
func (p *topDownPass) backward(v *Node) []*Node {
	g, steps, batch := p.graph, p.steps, p.batch
	first, firstAxis := forBackward(p.in[8])
	middle, middleAxis := forBackward(p.in[9])
	second, secondAxis := forBackward(p.in[10])
	before, before1 := shifted(p.in[2], p.cells), shifted(p.in[4], p.cells1)
	fixed := []*Node{v, p.cells, before, p.activated, p.cells1, before1, p.activated1, p.queries, p.weights,
		p.in[5], p.in[6], p.in[11], first, middle, second}
	state := func() *Node { return zeros(g, batch, p.hidden) }
	final := forSteps(span{steps - 1, -1, -1}, fixed, []*Node{
		state(), state(), state(), state(), zeros(g, steps, batch, 4*p.hidden),
		zeros(g, steps, batch, p.size+4*p.hidden), zeros(g, steps, batch, p.size), zeros(g, batch, p.size),
		zeros(g, batch, p.places, p.size),
	}, func(t *Node, fixed, s []*Node) []*Node {
		dStep, dWeights := at(fixed[0], t), (*Node)(nil)
		if p.weighted {
			dStep, dWeights = splitAfter(dStep, p.hidden)
		}
		pre, dCell := lstmGradient(Add(dStep, s[0]), s[1], at(fixed[1], t), at(fixed[2], t), at(fixed[3], t))
		dBoth := product(pre, []int{1}, fixed[14], []int{secondAxis})
		dContext := SliceAxis(dBoth, 1, AxisRange(0, p.size))
		step := attended{keys: fixed[9], values: fixed[10], query: at(fixed[7], t), score: fixed[11],
			weights: at(fixed[8], t)}
		dQuery, dScore, dKeys := step.gradient(dContext, dWeights, s[8])
		dMiddle := Concatenate([]*Node{dQuery, pre}, -1)
		dH1 := Add(s[2], product(dMiddle, []int{1}, fixed[13], []int{middleAxis}))
		pre1, dCell1 := lstmGradient(dH1, s[3], at(fixed[4], t), at(fixed[5], t), at(fixed[6], t))
		dHidden := product(pre1, []int{1}, fixed[12], []int{firstAxis})
		dH := Add(SliceAxis(dBoth, 1, AxisRange(p.size)), SliceAxis(dHidden, 1, AxisRange(p.hidden)))
		return []*Node{dH, dCell, SliceAxis(dHidden, 1, AxisRange(0, p.hidden)), dCell1, put(s[4], pre1, t),
			put(s[5], dMiddle, t), put(s[6], dContext, t), Add(s[7], dScore), dKeys}
	})
	pre1, dMiddle, dContexts := final[4], final[5], final[6]
	pre := SliceAxis(dMiddle, -1, AxisRange(p.size))
	hidden, hidden1 := shifted(p.in[1], p.outputs), shifted(p.in[3], p.outputs1)
	dValues := DotGeneral(p.weights, []int{0}, []int{1}, dContexts, []int{0}, []int{1})
	dValues.AssertDims(batch, p.places, p.size)
	return []*Node{pre1, final[0], final[1], final[2], final[3], final[8], dValues, ReduceSum(pre1, 0),
		recurrentGradient(pre1, Concatenate([]*Node{hidden1, hidden}, -1), p.in[8]),
		recurrentGradient(dMiddle, p.outputs1, p.in[9]),
		recurrentGradient(pre, Concatenate([]*Node{p.contexts, hidden}, -1), p.in[10]),
		ReduceSum(final[7], 0), ReduceSum(pre, 0, 1)}
}
