package decoder

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// tokenLosses returns the cross-entropy, in nats, of each row of logits [rows, vocabulary] (float32) against targets
// [rows] (int32): [rows], float32. Its hand-written gradient, softmax minus the target's indicator, takes one pass over
// the logits and never keeps a one-hot matrix in memory.
func tokenLosses(logits, targets *Node) *Node {
	rows, vocabulary := logits.Shape().Dim(0), logits.Shape().Dim(1)
	targets.AssertDims(rows)
	var logNorm, raw *Node
	isTarget := func() *Node {
		ids := Iota(logits.Graph(), shapes.Make(targets.DType(), 1, vocabulary), 1)
		return Equal(ids, ExpandAxes(targets, -1))
	}
	forward := func(in []*Node) *Node {
		raw = in[0]
		highest := ReduceMax(raw, 1)
		sum := ReduceSum(Exp(Sub(raw, ExpandAxes(highest, -1))), 1)
		logNorm = Add(highest, Log(sum))
		picked := ReduceSum(Where(isTarget(), raw, ZerosLike(raw)), 1)
		picked.AssertDims(rows)
		return Sub(logNorm, picked)
	}
	backward := func(v *Node) []*Node {
		scale := ExpandAxes(v, -1)
		softmax := Exp(Sub(raw, ExpandAxes(logNorm, -1)))
		return []*Node{Mul(scale, Where(isTarget(), MinusOne(softmax), softmax))}
	}
	return withGradient([]*Node{logits}, forward, backward)
}
