package decoder

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Additive attention over the places of an image, and its backward pass, as both built-in looking cells use it. Inside
// a loop there are no reductions here: go-xla shares their functions across the closures of a program, which XLA
// refuses, so that sums are products with ones and maxima are taken pairwise.
//
// Reference: Bahdanau, Cho and Bengio 2015, "Neural Machine Translation by Jointly Learning to Align and Translate".

// attend returns the weights of the places [batch, places] and the mean of the values that they give [batch, size].
// Keys and values are [images, places, size], the queries [batch, size], score [size], all float32. Batch is a multiple
// of images; see Looking. A place's score is score . tanh(key + query); the weights are the softmax of the scores.
func attend(keys, values, query, score *Node) (weights, context *Node) {
	images, places, size := keys.Shape().Dim(0), keys.Shape().Dim(1), keys.Shape().Dim(2)
	batch := query.Shape().Dim(0)
	if batch == images {
		weights = narrowSoftmax(scoresOf(Tanh(Add(keys, ExpandAxes(query, 1))), score))
		context = DotGeneral(weights, []int{1}, []int{0}, values, []int{1}, []int{0})
	} else {
		each := batch / images
		sum := Add(ExpandAxes(keys, 1), Reshape(query, images, each, 1, size))
		sum.AssertDims(images, each, places, size)
		weights = narrowSoftmax(scoresOf(Tanh(sum), score))
		context = Reshape(DotGeneral(weights, []int{2}, []int{0}, values, []int{1}, []int{0}), batch, size)
		weights = Reshape(weights, batch, places)
	}
	weights.AssertDims(batch, places)
	context.AssertDims(batch, size)
	return weights, context
}

// scoresOf multiplies the last axis of hidden [..., size] by score [size]: [...].
func scoresOf(hidden, score *Node) *Node {
	return DotGeneral(hidden, []int{hidden.Rank() - 1}, nil, score, []int{0}, nil)
}

// attended is what the backward pass of attend needs of one step: the inputs, for as many images as rows, and the
// weights [batch, places].
type attended struct{ keys, values, query, score, weights *Node }

// gradient maps the gradients of the context [batch, size] and, unless it is nil, of the weights [batch, places], to
// those of the query [batch, size] and of score, row by row [batch, size]. It adds the keys' gradient to dKeys [batch,
// places, size] and returns the sum. The values' gradient is left to the caller, who forms it for all steps at once.
func (a attended) gradient(dContext, dWeights, dKeys *Node) (dQuery, dScore, sum *Node) {
	batch, places, size := a.keys.Shape().Dim(0), a.keys.Shape().Dim(1), a.keys.Shape().Dim(2)
	d := DotGeneral(a.values, []int{2}, []int{0}, dContext, []int{1}, []int{0})
	d.AssertDims(batch, places)
	if dWeights != nil {
		d = Add(d, dWeights)
	}
	mean := sumLast(Mul(d, a.weights))
	dScores := Mul(a.weights, Sub(d, spread(mean, batch, places)))
	hidden := Tanh(Add(a.keys, ExpandAxes(a.query, 1)))
	// With s = dScores and y = hidden, the gradient of a key is s * score * (1 - y*y).
	perPlace := func(x *Node) *Node { // sum over places of s * x
		return DotGeneral(dScores, []int{1}, []int{0}, x, []int{1}, []int{0})
	}
	slope := tanhSlope(hidden)
	dScore = perPlace(hidden)
	dQuery = Mul(perPlace(slope), BroadcastToDims(ExpandAxes(a.score, 0), batch, size))
	ofKeys := Mul(Mul(spread(dScores, batch, places, size), slope),
		BroadcastToDims(Reshape(a.score, 1, 1, size), batch, places, size))
	return dQuery, dScore, Add(dKeys, ofKeys)
}

// narrowSoftmax is the softmax over the last axis of x, which is short.
func narrowSoftmax(x *Node) *Node {
	dims := x.Shape().Dimensions
	e := Exp(Sub(x, spread(StopGradient(maxLast(x)), dims...)))
	return Div(e, spread(sumLast(e), dims...))
}

// splitAfter cuts the last axis of x after n elements.
func splitAfter(x *Node, n int) (first, rest *Node) {
	return SliceAxis(x, -1, AxisRange(0, n)), SliceAxis(x, -1, AxisRange(n))
}

// sumLast sums over the last axis of x, as a product with ones.
func sumLast(x *Node) *Node {
	last := x.Rank() - 1
	return DotGeneral(x, []int{last}, nil, filled(x.Graph(), float32(1), x.Shape().Dim(last)), []int{0}, nil)
}

// maxLast returns the maximum over the last axis of x, halving the axis until one element is left. The halves of an odd
// number overlap.
func maxLast(x *Node) *Node {
	for n := x.Shape().Dim(-1); n > 1; n = x.Shape().Dim(-1) {
		half := (n + 1) / 2
		x = Max(SliceAxis(x, -1, AxisRange(0, half)), SliceAxis(x, -1, AxisRange(n-half, n)))
	}
	return Squeeze(x, -1)
}

// indices returns the index along an axis at every position of [dims...] (int32).
func indices(g *Graph, axis int, dims ...int) *Node {
	return Iota(g, shapes.Make(dtypes.Int32, dims...), axis)
}
