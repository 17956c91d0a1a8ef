package decoder

import . "github.com/gomlx/gomlx/core/graph"

// DefaultAttention is the size of the attention space if none is given.
const DefaultAttention = 512

// Attention is an LSTM that looks at the image in every step, with soft attention. Each place of the grid is mapped,
// once per image, to a value in the attention space (linear, ReLU) and to a key. The hidden state asks for the places
// whose keys fit it; the mean of their values, times a gate between 0 and 1, is a further input of the LSTM. Its gates
// and biases are those of LSTM. States: h, c, which both start as the image embedding.
//
// Reference: Xu et al. 2015, "Show, Attend and Tell", section 4.2.1, with the gate beta. The projection to the
// attention space, which makes it fast, and the output layer, which reads only h, differ from the paper.
type Attention struct {
	Size int // of the attention space; 0 means DefaultAttention
}

// Name returns "attention".
func (Attention) Name() string { return "attention" }

func (a Attention) size() int { return attentionSize(a.Size) }

func attentionSize(size int) int {
	if size == 0 {
		return DefaultAttention
	}
	return size
}

// Weights lists the arrays of LSTM, weight_ch [4*hidden, size], which reads the gated context, query_weight [size,
// hidden], score [size], gate_weight [hidden] and gate_bias [1].
func (a Attention) Weights(in, hidden int) []Weight {
	return append(torchWeights(4, in, hidden),
		Weight{"weight_ch", []int{4 * hidden, a.size()}},
		Weight{"query_weight", []int{a.size(), hidden}},
		Weight{"score", []int{a.size()}},
		Weight{"gate_weight", []int{hidden}},
		Weight{"gate_bias", []int{1}})
}

// LookWeights lists place_weight [size, channels], place_bias [size], key_weight [size, size] and key_bias [size].
func (a Attention) LookWeights(channels, _ int) []Weight { return placeWeights(channels, a.size()) }

// Look returns the keys and the values of all places, both [images, places, size].
func (Attention) Look(w Weights, grid *Node) []*Node { return keysAndValues(w, grid) }

// placeWeights lists the arrays that keysAndValues takes.
func placeWeights(channels, size int) []Weight {
	return []Weight{
		{"place_weight", []int{size, channels}}, {"place_bias", []int{size}},
		{"key_weight", []int{size, size}}, {"key_bias", []int{size}},
	}
}

// keysAndValues maps grids [images, places, channels] to keys and values, both [images, places, size].
func keysAndValues(w Weights, grid *Node) []*Node {
	values := matMulT(grid, w["place_weight"])
	values = MaxScalar(Add(values, ExpandLeftToRank(w["place_bias"], 3)), 0)
	keys := Add(matMulT(values, w["key_weight"]), ExpandLeftToRank(w["key_bias"], 3))
	return []*Node{keys, values}
}

// NumStates returns 2.
func (Attention) NumStates() int { return 2 }

// Start returns the image embedding as both h0 and c0.
func (Attention) Start(image *Node) []*Node { return []*Node{image, image} }

// Step computes one time step.
func (a Attention) Step(w Weights, x *Node, state []*Node) []*Node {
	return a.stepFromGates(w, inputGates(w, x), state)
}

// Attention returns the weights of the places in the next step.
func (Attention) Attention(w Weights, _ *Node, state []*Node) *Node {
	weights, _ := attend(state[2], state[3], matMulT(state[0], w["query_weight"]), w["score"])
	return weights
}

func (Attention) gates(w Weights, x *Node) *Node { return inputGates(w, x) }

func (Attention) stepFromGates(w Weights, gates *Node, state []*Node) []*Node {
	h, c, keys, values := state[0], state[1], state[2], state[3]
	_, context := attend(keys, values, matMulT(h, w["query_weight"]), w["score"])
	gate := contextGate(h, w["gate_weight"], w["gate_bias"])
	context = Mul(context, spread(gate, context.Shape().Dimensions...))
	sum := Add(Add(gates, matMulT(h, w["weight_hh"])), matMulT(context, w["weight_ch"]))
	h, c, _ = lstmGates(sum, c)
	return []*Node{h, c}
}

// contextGate returns beta = sigmoid(weight . h + bias) [batch], for h [batch, hidden], weight [hidden] and bias [1].
func contextGate(h, weight, bias *Node) *Node {
	sum := DotGeneral(h, []int{1}, nil, weight, []int{0}, nil)
	return Sigmoid(Add(sum, bias))
}

func (a Attention) unroll(w Weights, xs, places *Node, state []*Node) *Node {
	return a.pass(w, xs, places, state, false)
}

func (a Attention) unrollAttending(w Weights, xs, places *Node, state []*Node) (outputs, weights *Node) {
	return splitAfter(a.pass(w, xs, places, state, true), state[0].Shape().Dim(1))
}

// pass runs the cell over all steps; see unroller. With weighted, the weights of the places are appended to the
// outputs: [time, batch, hidden+places].
func (a Attention) pass(w Weights, xs, places *Node, state []*Node, weighted bool) *Node {
	p := &attentionPass{
		graph: xs.Graph(), steps: places.Shape().Dim(0), batch: places.Shape().Dim(1),
		hidden: state[0].Shape().Dim(1), places: state[2].Shape().Dim(1), size: a.size(), weighted: weighted,
	}
	inputs := []*Node{
		lookUp(inputGates(w, xs), places), state[0], state[1], state[2], state[3],
		Concatenate([]*Node{w["weight_hh"], w["query_weight"]}, 0), w["weight_ch"],
		w["score"], w["gate_weight"], w["gate_bias"],
	}
	inputs[0].AssertDims(p.steps, p.batch, 4*p.hidden)
	return withGradient(inputs, p.forward, p.backward)
}
