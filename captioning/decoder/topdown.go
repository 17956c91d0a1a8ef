package decoder

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
)

// TopDown is a pair of LSTMs. The first reads the word, the mean of the image's values and both hidden states; its
// hidden state asks where to look, as in Attention. The second reads what was seen and the first one's hidden state;
// the vocabulary layer reads its output. States: h and c of the second, then of the first; all start as the image
// embedding.
//
// Reference: Anderson et al. 2018, "Bottom-Up and Top-Down Attention for Image Captioning and Visual Question
// Answering", section 3.2, over the places of a grid instead of detected objects. The projection to the attention space
// is that of Attention; the start of the states is this project's.
type TopDown struct {
	Size int // of the attention space; 0 means DefaultAttention
}

// Name returns "top-down".
func (TopDown) Name() string { return "top-down" }

func (c TopDown) size() int { return attentionSize(c.Size) }

// Weights lists the arrays of LSTM for the first one, whose weight_hh [4*hidden, 2*hidden] reads the first hidden state
// and then the second, query_weight [size, hidden], score [size], and of the second language_ih [4*hidden,
// size+hidden], which reads what was seen and then the first hidden state, language_hh [4*hidden, hidden] and
// language_bias [4*hidden].
func (c TopDown) Weights(in, hidden int) []Weight {
	weights := torchWeights(4, in, hidden)
	weights[1].Shape = []int{4 * hidden, 2 * hidden}
	return append(weights,
		Weight{"query_weight", []int{c.size(), hidden}},
		Weight{"score", []int{c.size()}},
		Weight{"language_ih", []int{4 * hidden, c.size() + hidden}},
		Weight{"language_hh", []int{4 * hidden, hidden}},
		Weight{"language_bias", []int{4 * hidden}})
}

// LookWeights lists those of Attention and mean_weight [4*hidden, size].
func (c TopDown) LookWeights(channels, hidden int) []Weight {
	return append(placeWeights(channels, c.size()), Weight{"mean_weight", []int{4 * hidden, c.size()}})
}

// Look returns the keys and the values of all places, both [images, places, size], and what the mean of the values
// contributes to the first LSTM's gates, [images, 4*hidden].
func (TopDown) Look(w Weights, grid *Node) []*Node {
	seen := keysAndValues(w, grid)
	return append(seen, matMulT(ReduceMean(seen[1], 1), w["mean_weight"]))
}

// NumStates returns 4.
func (TopDown) NumStates() int { return 4 }

// Start returns the image embedding four times.
func (TopDown) Start(image *Node) []*Node { return []*Node{image, image, image, image} }

// Step computes one time step.
func (c TopDown) Step(w Weights, x *Node, state []*Node) []*Node {
	return c.stepFromGates(w, inputGates(w, x), state)
}

// Attention returns the weights of the places in the next step.
func (TopDown) Attention(w Weights, x *Node, state []*Node) *Node {
	h, _ := attentionLSTM(w, inputGates(w, x), state)
	weights, _ := attend(state[4], state[5], matMulT(h, w["query_weight"]), w["score"])
	return weights
}

func (TopDown) gates(w Weights, x *Node) *Node { return inputGates(w, x) }

func (TopDown) stepFromGates(w Weights, gates *Node, state []*Node) []*Node {
	h1, c1 := attentionLSTM(w, gates, state)
	_, context := attend(state[4], state[5], matMulT(h1, w["query_weight"]), w["score"])
	sum := matMulT(Concatenate([]*Node{context, h1}, -1), w["language_ih"])
	sum = Add(Add(sum, matMulT(state[0], w["language_hh"])), ExpandLeftToRank(w["language_bias"], 2))
	h, c, _ := lstmGates(sum, state[1])
	return []*Node{h, c, h1, c1}
}

// attentionLSTM returns the next h and c of the first LSTM, given what the word contributes to its gates [batch,
// 4*hidden].
func attentionLSTM(w Weights, gates *Node, state []*Node) (h, c *Node) {
	sum := Add(gates, EachRow(state[6], gates.Shape().Dim(0)))
	sum = Add(sum, matMulT(Concatenate([]*Node{state[2], state[0]}, -1), w["weight_hh"]))
	h, c, _ = lstmGates(sum, state[3])
	return h, c
}

func (c TopDown) unroll(w Weights, xs, places *Node, state []*Node) *Node {
	return c.pass(w, xs, places, state, false)
}

func (c TopDown) unrollAttending(w Weights, xs, places *Node, state []*Node) (outputs, weights *Node) {
	return splitAfter(c.pass(w, xs, places, state, true), state[0].Shape().Dim(1))
}

// pass runs the cell over all steps, like Attention.pass.
func (c TopDown) pass(w Weights, xs, places *Node, state []*Node, weighted bool) *Node {
	p := &topDownPass{
		graph: xs.Graph(), steps: places.Shape().Dim(0), batch: places.Shape().Dim(1),
		hidden: state[0].Shape().Dim(1), places: state[4].Shape().Dim(1), size: c.size(), weighted: weighted,
	}
	seen, first := w["language_ih"], AxisRange(c.size())
	inputs := slices.Concat([]*Node{lookUp(inputGates(w, xs), places)}, state, []*Node{
		w["weight_hh"],
		Concatenate([]*Node{w["query_weight"], SliceAxis(seen, 1, first)}, 0),
		Concatenate([]*Node{SliceAxis(seen, 1, AxisRange(0, c.size())), w["language_hh"]}, 1),
		w["score"], w["language_bias"],
	})
	inputs[0].AssertDims(p.steps, p.batch, 4*p.hidden)
	return withGradient(inputs, p.forward, p.backward)
}
