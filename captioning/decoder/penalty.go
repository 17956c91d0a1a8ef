package decoder

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// The doubly stochastic regulariser of Xu et al. 2015, equation 14: for each caption, the sum over places of (1 - sum
// over the caption's words of the place's weight) squared, times TrainOptions.AttentionRegulariser. It is added to the
// sum of the batch's losses.

// checkRegulariser reports a weight that is out of range or needs another cell.
func checkRegulariser(weight float64, m Model) error {
	if !isFinite(weight) || weight < 0 {
		return fmt.Errorf("decoder: attention regulariser %g: it must be 0 or a positive number", weight)
	}
	if _, ok := asAttending(m.Cell); weight > 0 && !ok {
		return fmt.Errorf("decoder: attention regulariser %g: the cell has no attention; use 0 or another cell", weight)
	}
	return nil
}

// penalisedGraph is outputsGraph with the penalty of the batch, [] (float32), or nil if there is none. Words count
// where counted [time, batch] (float32) is not 0, and captions that have such a word.
func (t *Trainer) penalisedGraph(w Weights, in forced, counted *Node) (outputs, penalty *Node) {
	if t.options.AttentionRegulariser == 0 {
		return t.outputsGraph(w, in), nil
	}
	outputs, weights := t.attendingGraph(w, in)
	g, dims := counted.Graph(), weights.Shape().Dimensions
	counts := ConvertDType(NotEqual(counted, ZerosLike(counted)), dtypes.Float32)
	looked := ReduceSum(Mul(weights, spread(counts, dims...)), 0)
	looked.AssertDims(dims[1], dims[2])
	missing := Mul(OneMinus(looked), spread(ReduceMax(counts, 0), dims[1], dims[2]))
	return outputs, Mul(ReduceAllSum(Square(missing)), Scalar(g, dtypes.Float32, t.options.AttentionRegulariser))
}

// attendingGraph is outputsGraph for an Attending cell. It also returns the weights of the places, [time, batch,
// places] (float32).
func (m Model) attendingGraph(w Weights, in forced) (outputs, weights *Node) {
	attending, _ := asAttending(m.Cell)
	states := m.startGraph(w, in.features, in.seen)
	xs, own := m.embedGraph(w, in.words), m.cellWeights(w)
	steps, batch := in.places.Shape().Dim(0), in.places.Shape().Dim(1)
	if fast, ok := m.Cell.(attendingUnroller); ok {
		outputs, weights = fast.unrollAttending(own, xs, in.places, slices.Concat(states, in.seen))
	} else {
		xs = lookUp(xs, in.places)
		var allOutputs, allWeights []*Node
		for t := range steps {
			state := slices.Concat(states, in.seen)
			allWeights = append(allWeights, attending.Attention(own, stepOf(xs, t), state))
			states = m.Cell.Step(own, stepOf(xs, t), state)
			checkStates(m.Cell, "Step", states, batch, m.Hidden)
			allOutputs = append(allOutputs, states[0])
		}
		outputs, weights = Stack(allOutputs, 0), Stack(allWeights, 0)
	}
	outputs.AssertDims(steps, batch, m.Hidden)
	weights.AssertDims(steps, batch, m.Places)
	return outputs, weights
}
