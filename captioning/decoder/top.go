package decoder

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// The likeliest words of a row of logits, for small k, without a sort.

// block is the number of logits in a block. The best words of a row are searched for only in the blocks with the
// highest maxima.
const block = 32

// forbidden is the logit of a word that must not be chosen. It is finite, so that sums over it are not NaN.
const forbidden = -1e30

// blockMaxima returns the maximum of each block of x [rows, words] (float32): [rows, words/block].
func blockMaxima(x *Node) *Node {
	rows, words := x.Shape().Dim(0), x.Shape().Dim(1)
	maxima := ReduceMax(Reshape(x, rows, words/block, block), 2)
	maxima.AssertDims(rows, words/block)
	return maxima
}

// topWords returns the ids (int32) and the values of the k largest entries of each row of x [rows, words] (float32),
// both [rows, k], largest first. They are in the k blocks with the highest maxima, [rows, words/block], so that only
// these blocks of x are read.
func topWords(x, maxima *Node, k int) (ids, values *Node) {
	g, rows, blocks := x.Graph(), x.Shape().Dim(0), maxima.Shape().Dim(1)
	x.AssertDims(rows, blocks*block)
	n := min(k, blocks)
	chosen, _ := topColumns(maxima, n)
	chosen.AssertDims(rows, n)
	row := Iota(g, shapes.Make(dtypes.Int32, rows, n, 1), 0)
	inside := Gather(Reshape(x, rows, blocks, block), Concatenate([]*Node{row, ExpandAxes(chosen, -1)}, 2))
	inside.AssertDims(rows, n, block)
	first := Mul(chosen, filled(g, int32(block), rows, n))
	all := Add(spread(first, rows, n, block), Iota(g, shapes.Make(dtypes.Int32, rows, n, block), 2))
	positions, values := topColumns(Reshape(inside, rows, n*block), k)
	positions.AssertDims(rows, k)
	all = Reshape(all, rows, n*block)
	all.AssertDims(rows, n*block)
	columns := make([]*Node, k)
	for i := range columns {
		columns[i] = pick(all, column(positions, i))
	}
	return Stack(columns, 1), values
}

// topColumns returns the positions (int32) and the values of the k largest entries of each row of a narrow x [rows, n]
// (float32), both [rows, k], largest first. Of equal entries the first comes first.
func topColumns(x *Node, k int) (positions, values *Node) {
	var at, what []*Node
	all := Iota(x.Graph(), shapes.Make(dtypes.Int32, 1, x.Shape().Dim(1)), 1)
	for i := range k {
		index := argMax(x)
		at, what = append(at, index), append(what, ReduceMax(x, 1))
		if i < k-1 {
			x = Where(Equal(all, ExpandAxes(index, -1)),
				filled(x.Graph(), float32(4*forbidden), x.Shape().Dimensions...), x)
		}
	}
	return Stack(at, 1), Stack(what, 1)
}

// argMax returns the index of the largest entry of each row of x [rows, n], the first of equals: [rows], int32. Two
// plain reductions are several times faster on XLA's CPU backend than its reduction over pairs of value and index.
func argMax(x *Node) *Node {
	rows, n := x.Shape().Dim(0), x.Shape().Dim(1)
	highest := ExpandAxes(ReduceMax(x, 1), -1)
	ids := BroadcastToDims(Iota(x.Graph(), shapes.Make(dtypes.Int32, 1, n), 1), x.Shape().Dimensions...)
	none := filled(x.Graph(), int32(n-1), x.Shape().Dimensions...)
	index := ReduceMin(Where(GreaterOrEqual(x, highest), ids, none), 1)
	index.AssertDims(rows)
	return index
}
