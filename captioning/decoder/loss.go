package decoder

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// tokenLosses returns the cross-entropy in nats of each row of logits [rows, vocabulary] (float) against targets [rows]
// (int32): [rows]. Its gradient, softmax minus the target's indicator, is written by hand so that one pass over the logits
// makes it and no one-hot matrix is ever in memory.
func tokenLosses(logits, targets *Node) *Node {
	vocabulary := logits.Shape().Dim(1)
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
		return Sub(logNorm, picked)
	}
	backward := func(v *Node) []*Node {
		scale := ExpandAxes(v, -1)
		softmax := Exp(Sub(raw, ExpandAxes(logNorm, -1)))
		return []*Node{Mul(scale, Where(isTarget(), MinusOne(softmax), softmax))}
	}
	return withGradient([]*Node{logits}, forward, backward)
}
