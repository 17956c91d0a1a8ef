package decoder

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// noisyGraph returns scores [slots, words] whose largest entry is a sample from softmax(logProbs / temperature),
// restricted to the top-k and top-p words: the Gumbel-max trick (Gumbel 1954; Maddison, Tarlow and Minka 2014).
//
// The noise is a hash of the picture's own keys, the index of the word in the caption, and the token id, so that it
// does not depend on the batch a picture is in, nor on the other pictures.
func noisyGraph(key loopKey, s *loopState, logProbs *Node) *Node {
	g := logProbs.Graph()
	vocabulary := logProbs.Shape().Dim(-1)
	scaled := Div(logProbs, s.knobs[0])
	if key.topK > 0 && key.topK < vocabulary {
		scaled = keepAbove(scaled, func(atLeast *Node) *Node {
			count := ReduceSum(ConvertDType(atLeast, dtypes.Int32), 1)
			return GreaterOrEqual(count, filled(g, int32(key.topK), key.slots))
		})
	}
	if key.topP {
		probabilities := Softmax(scaled, -1)
		scaled = keepAbove(scaled, func(atLeast *Node) *Node {
			mass := ReduceSum(Where(atLeast, probabilities, ZerosLike(probabilities)), 1)
			return GreaterOrEqual(mass, BroadcastToDims(s.knobs[1], key.slots))
		})
	}
	own := Gather(s.keys, ExpandAxes(Min(s.picture, filled(g, int32(key.queue-1), key.slots)), -1))
	return Add(scaled, gumbelGraph(own, s.t, key.slots, vocabulary))
}

// keepAbove forbids the entries of x [rows, n] below the highest threshold for which enough(x >= threshold), a condition
// [rows] that stays true as the threshold falls, holds. The threshold is found by bisection over the 32 bits of the
// floating-point numbers, taken as integers of the same order; that is exact, and cheaper than a sort.
func keepAbove(x *Node, enough func(atLeast *Node) *Node) *Node {
	g, rows := x.Graph(), x.Shape().Dim(0)
	ordered := orderedBits(x)
	threshold := filled(g, uint32(0), rows)
	for bit := 31; bit >= 0; bit-- {
		higher := Add(threshold, filled(g, uint32(1)<<bit, rows))
		atLeast := GreaterOrEqual(ordered, BroadcastToDims(ExpandAxes(higher, -1), x.Shape().Dimensions...))
		threshold = Where(enough(atLeast), higher, threshold)
	}
	keep := GreaterOrEqual(ordered, BroadcastToDims(ExpandAxes(threshold, -1), x.Shape().Dimensions...))
	return Where(keep, x, filled(g, float32(forbidden), x.Shape().Dimensions...))
}

// orderedBits maps float32 to uint32 so that a < b exactly where orderedBits(a) < orderedBits(b).
func orderedBits(x *Node) *Node {
	g, dims := x.Graph(), x.Shape().Dimensions
	bits := Bitcast(x, dtypes.Uint32)
	sign := filled(g, uint32(1)<<31, dims...)
	negative := GreaterOrEqual(bits, sign)
	return Where(negative, BitwiseNot(bits), BitwiseXor(bits, sign))
}

// gumbelGraph returns standard Gumbel noise [rows, vocabulary] for keys [rows, 2] and steps t [rows].
func gumbelGraph(keys, t *Node, rows, vocabulary int) *Node {
	g := keys.Graph()
	dims := []int{rows, vocabulary}
	column := func(i int) *Node {
		return BroadcastToDims(SliceAxis(keys, 1, AxisElem(i)), dims...)
	}
	ids := BroadcastToDims(Iota(g, shapes.Make(dtypes.Uint32, 1, vocabulary), 1), dims...)
	step := BroadcastToDims(ExpandAxes(ConvertDType(t, dtypes.Uint32), -1), dims...)
	h := mixBits(Add(Mul(ids, filled(g, uint32(0x9e3779b1), dims...)), column(0)))
	h = mixBits(Add(h, Add(Mul(step, filled(g, uint32(0x85ebca77), dims...)), column(1))))
	// 23 bits and a half: strictly between 0 and 1 in float32.
	uniform := Add(ConvertDType(BitwiseShiftRightLogical(h, filled(g, uint32(9), dims...)), dtypes.Float32), filled(g, float32(0.5), dims...))
	uniform = Mul(uniform, filled(g, float32(1.0/(1<<23)), dims...))
	return Neg(Log(Neg(Log(uniform))))
}

// mixBits is the finalizer of MurmurHash3 (Appleby 2011, public domain): every input bit moves every output bit.
func mixBits(h *Node) *Node {
	g, dims := h.Graph(), h.Shape().Dimensions
	shift := func(h *Node, n uint32) *Node {
		return BitwiseXor(h, BitwiseShiftRightLogical(h, filled(g, n, dims...)))
	}
	h = Mul(shift(h, 16), filled(g, uint32(0x85ebca6b), dims...))
	h = Mul(shift(h, 13), filled(g, uint32(0xc2b2ae35), dims...))
	return shift(h, 16)
}
