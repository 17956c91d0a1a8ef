package decoder

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// streamKeys returns the two 32-bit keys of each image's random stream, [n, 2] (uint32), from the seed and the image's
// index. SplitMix64 (Steele, Lea and Flood 2014) spreads them.
func streamKeys(seed uint64, first, n int) *tensors.Tensor {
	keys := make([]uint32, 0, 2*n)
	for i := range n {
		z := seed + 0x9e3779b97f4a7c15*uint64(first+i+1)
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		keys = append(keys, uint32(z), uint32(z>>32))
	}
	return tensors.FromFlatDataAndDimensions(keys, n, 2)
}

// noisyScores maps logProbs [slots, words] (float32) to scores of the same shape and dtype whose largest entry is a
// sample from softmax(logProbs / temperature), restricted to the top-k and top-p words: the Gumbel-max trick (Gumbel
// 1954; Maddison, Tarlow and Minka 2014).
//
// The noise is a hash of the image's own keys, the index of the word in the caption, and the token id. It depends
// neither on the batch that contains the image nor on the other images.
func noisyScores(key loopKey, s *loopState, logProbs *Node) *Node {
	g := logProbs.Graph()
	vocabulary := logProbs.Shape().Dim(-1)
	logProbs.AssertDims(key.slots, vocabulary)
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
	own := Gather(s.keys, ExpandAxes(Min(s.image, filled(g, int32(key.queue-1), key.slots)), -1))
	own.AssertDims(key.slots, 2)
	return Add(scaled, gumbel(own, s.t, key.slots, vocabulary))
}

// keepAbove forbids the entries of x [rows, n] (float32) below a threshold: the highest one for which enough(x >=
// threshold), a condition [rows] (bool) that stays true as the threshold falls, holds. Bisection over the 32 bits of
// the floating-point numbers, read as integers of the same order, finds the threshold; it is exact and cheaper than a
// sort.
func keepAbove(x *Node, enough func(atLeast *Node) *Node) *Node {
	g, rows := x.Graph(), x.Shape().Dim(0)
	ordered := orderedBits(x)
	threshold := filled(g, uint32(0), rows)
	for bit := 31; bit >= 0; bit-- {
		higher := Add(threshold, filled(g, uint32(1)<<bit, rows))
		atLeast := GreaterOrEqual(ordered, spread(higher, x.Shape().Dimensions...))
		threshold = Where(enough(atLeast), higher, threshold)
	}
	threshold.AssertDims(rows)
	keep := GreaterOrEqual(ordered, spread(threshold, x.Shape().Dimensions...))
	return Where(keep, x, filled(g, float32(forbidden), x.Shape().Dimensions...))
}

// orderedBits maps float32 to uint32, of the same shape, so that a < b exactly when orderedBits(a) < orderedBits(b).
func orderedBits(x *Node) *Node {
	g, dims := x.Graph(), x.Shape().Dimensions
	bits := Bitcast(x, dtypes.Uint32)
	sign := filled(g, uint32(1)<<31, dims...)
	negative := GreaterOrEqual(bits, sign)
	return Where(negative, BitwiseNot(bits), BitwiseXor(bits, sign))
}

// gumbel returns standard Gumbel noise [rows, vocabulary] (float32) for keys [rows, 2] (uint32) and steps t [rows]
// (int32).
func gumbel(keys, t *Node, rows, vocabulary int) *Node {
	g := keys.Graph()
	dims := []int{rows, vocabulary}
	keyOf := func(i int) *Node { return BroadcastToDims(SliceAxis(keys, 1, AxisElem(i)), dims...) }
	ids := BroadcastToDims(Iota(g, shapes.Make(dtypes.Uint32, 1, vocabulary), 1), dims...)
	step := spread(ConvertDType(t, dtypes.Uint32), dims...)
	h := mixBits(Add(Mul(ids, filled(g, uint32(0x9e3779b1), dims...)), keyOf(0)))
	h = mixBits(Add(h, Add(Mul(step, filled(g, uint32(0x85ebca77), dims...)), keyOf(1))))
	// The upper 23 bits plus a half: strictly between 0 and 1 in float32.
	upper := ConvertDType(BitwiseShiftRightLogical(h, filled(g, uint32(9), dims...)), dtypes.Float32)
	uniform := Add(upper, filled(g, float32(0.5), dims...))
	uniform = Mul(uniform, filled(g, float32(1.0/(1<<23)), dims...))
	return Neg(Log(Neg(Log(uniform))))
}

// mixBits is the finalizer of MurmurHash3 (Appleby 2011, public domain): every input bit affects every output bit.
func mixBits(h *Node) *Node {
	g, dims := h.Graph(), h.Shape().Dimensions
	shift := func(h *Node, n uint32) *Node {
		return BitwiseXor(h, BitwiseShiftRightLogical(h, filled(g, n, dims...)))
	}
	h = Mul(shift(h, 16), filled(g, uint32(0x85ebca6b), dims...))
	h = Mul(shift(h, 13), filled(g, uint32(0xc2b2ae35), dims...))
	return shift(h, 16)
}
