package decoder

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/vocab"
)

// tokenLosses returns the cross-entropy, in nats, of each row of logits [rows, vocabulary] (float32) against targets
// [rows] (int32): [rows], float32.
func tokenLosses(logits, targets *Node) *Node { return smoothedLosses(logits, targets, 0) }

// smoothedLosses is tokenLosses against a target of probability 1-smoothing plus the uniform distribution of
// probability smoothing (Szegedy et al. 2016), like torch.nn.CrossEntropyLoss with label_smoothing. Its hand-written
// gradient, softmax minus the target, takes one pass over the logits and never keeps a one-hot matrix in memory.
func smoothedLosses(logits, targets *Node, smoothing float64) *Node {
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
		losses := Sub(logNorm, picked)
		if smoothing > 0 {
			losses = Add(losses, MulScalar(Sub(picked, ReduceMean(raw, 1)), smoothing))
		}
		return losses
	}
	backward := func(v *Node) []*Node {
		scale := ExpandAxes(v, -1)
		softmax := Exp(Sub(raw, ExpandAxes(logNorm, -1)))
		if smoothing > 0 {
			softmax = AddScalar(softmax, -smoothing/float64(vocabulary))
			return []*Node{Mul(scale, Where(isTarget(), AddScalar(softmax, smoothing-1), softmax))}
		}
		return []*Node{Mul(scale, Where(isTarget(), MinusOne(softmax), softmax))}
	}
	return withGradient([]*Node{logits}, forward, backward)
}

// onlyWords returns logits [rows, vocabulary] (float32) in which the tokens that generation may not choose are
// forbidden: those of never [vocabulary] (bool) everywhere, and <end> in the rows that are first words, isFirst [rows]
// (bool). Forbidden logits have no gradient.
func onlyWords(logits, never, isFirst *Node) *Node {
	rows, vocabulary := logits.Shape().Dim(0), logits.Shape().Dim(1)
	g := logits.Graph()
	ids := Iota(g, shapes.Make(dtypes.Int32, rows, vocabulary), 1)
	isEnd := Equal(ids, filled(g, vocab.End, rows, vocabulary))
	no := And(spread(isFirst, rows, vocabulary), isEnd)
	no = Or(no, BroadcastToDims(ExpandAxes(never, 0), rows, vocabulary))
	return Where(no, filled(g, float32(forbidden), rows, vocabulary), logits)
}
