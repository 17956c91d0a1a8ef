package decoder

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// dropped returns x with a share of its numbers, chosen at random, replaced by 0 and the others divided by 1 - share
// (Srivastava et al. 2014), and the next state of the random numbers.
func dropped(state, x *Node, share float64) (nextState, out *Node) {
	keep := 1 - share
	nextState, uniform := RandomUniform(state, x.Shape())
	mask := LessThan(uniform, Scalar(x.Graph(), dtypes.Float32, keep))
	return nextState, Where(mask, DivScalar(x, keep), ZerosLike(x))
}

// wordInputs are the nodes from which outputsGraph reads word embeddings: the weights, and words and places as in
// lossGraph.
type wordInputs struct {
	w             Weights
	words, places *Node
}

// dropEmbeddings gives each position its own word embedding, with a share of the numbers dropped. The same word has
// other numbers dropped at other positions.
func (in wordInputs) dropEmbeddings(state *Node, share float64) (nextState *Node, out wordInputs) {
	steps, batch := in.places.Shape().Dim(0), in.places.Shape().Dim(1)
	xs := lookUp(lookUp(in.w[embeddingWeight], in.words), Reshape(in.places, steps*batch))
	xs.AssertDims(steps*batch, in.w[embeddingWeight].Shape().Dim(1))
	nextState, xs = dropped(state, xs, share)
	out.w = make(Weights)
	for name, value := range in.w {
		out.w[name] = value
	}
	out.w[embeddingWeight] = xs
	out.words = Iota(xs.Graph(), shapes.Make(dtypes.Int32, steps*batch), 0)
	out.places = Reshape(out.words, steps, batch)
	return nextState, out
}
