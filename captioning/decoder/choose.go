package decoder

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/vocab"
)

// wordGraph chooses one word for every hypothesis and advances the cell's states.
func (d *Decoder) wordGraph(key loopKey, w Weights, s *loopState) {
	g := s.t.Graph()
	rows, words := key.slots*key.beam, d.paddedVocabulary()
	// Reading the previous word turns the states in s into those that the next word is chosen from.
	if key.table {
		s.cell = d.Cell.(tabled).stepFromGates(d.cellWeights(w), lookUp(s.table[0], s.previous),
			s.states(key))
	} else {
		s.cell = d.Cell.Step(d.cellWeights(w), d.embedGraph(w, s.previous), s.states(key))
	}
	checkStates(d.Cell, "Step", s.cell, rows, d.Hidden)
	logits := matMulT(s.cell[0], s.output)
	logits = Add(logits, ExpandLeftToRank(s.bias, 2))
	isFirst := Equal(repeatRows(ExpandAxes(s.t, -1), key.beam), filled(g, int32(0), rows, 1))
	isEnd := Equal(Iota(g, shapes.Make(dtypes.Int32, 1, words), 1), filled(g, vocab.End, 1, words))
	neverEnd := And(BroadcastToDims(isFirst, rows, words), BroadcastToDims(isEnd, rows, words))
	logits = Where(neverEnd, filled(g, float32(forbidden), rows, words), logits)
	logits.AssertDims(rows, words)

	highest := blockMaxima(logits)
	top := ReduceMax(highest, 1)
	logNorm := Add(top, Log(ReduceSum(Exp(Sub(logits, ExpandAxes(top, -1))), 1)))
	logNorm.AssertDims(rows)
	var next *Node
	if key.beam > 1 {
		next = d.beamGraph(key, s, logits, highest, logNorm)
	} else {
		var ids, values *Node // [rows, 1], and as many values
		if key.sample {
			noisy := noisyScores(key, s, Sub(logits, ExpandAxes(logNorm, -1)))
			ids, _ = topWords(noisy, blockMaxima(noisy), 1)
			values = pick(logits, Reshape(ids, rows))
		} else {
			ids, values = topWords(logits, highest, 1)
		}
		next = Where(s.finished, filled(g, vocab.Pad, rows, 1), ids)
		logProbs := Add(s.logProbs, Sub(Reshape(values, rows, 1), ExpandAxes(logNorm, -1)))
		s.logProbs = Where(s.finished, s.logProbs, logProbs)
	}
	next.AssertDims(key.slots, key.beam)
	s.logProbs.AssertDims(key.slots, key.beam)
	dims := []int{key.slots, key.beam, key.maxWords}
	place := Equal(Iota(g, shapes.Make(dtypes.Int32, dims...), 2), spread(s.t, dims...))
	s.tokens = Where(place, spread(next, dims...), s.tokens)
	s.previous = Reshape(next, rows)
	s.previous.AssertDims(rows)
	s.finished = Or(s.finished, Equal(next, filled(g, vocab.End, key.slots, key.beam)))
}

// beamGraph extends every hypothesis by every word, keeps the best ones of each image, and reorders the state to match.
// A finished hypothesis continues unchanged, at no cost. Logits are [rows, words], highest their block maxima, logNorm
// [rows] the logarithms of their sums of exponentials, all float32, with rows = slots*beam. It returns the chosen words
// [slots, beam] (int32).
func (d *Decoder) beamGraph(key loopKey, s *loopState, logits, highest, logNorm *Node) *Node {
	g, rows := s.t.Graph(), key.slots*key.beam
	ids, values := topWords(logits, highest, key.beam)
	ids.AssertDims(rows, key.beam)
	asColumn := func(x *Node) *Node { return Reshape(x, rows, 1) } // [slots, beam] -> [rows, 1]
	candidates := Add(Sub(values, ExpandAxes(logNorm, -1)), asColumn(s.logProbs))
	candidates.AssertDims(rows, key.beam)
	stays := BroadcastToDims(asColumn(s.finished), rows, key.beam)
	isFirst := Equal(Iota(g, shapes.Make(dtypes.Int32, rows, key.beam), 1), filled(g, int32(0), rows, key.beam))
	unchanged := Where(isFirst, BroadcastToDims(asColumn(s.logProbs), rows, key.beam),
		filled(g, float32(3*forbidden), rows, key.beam))
	candidates = Reshape(Where(stays, unchanged, candidates), key.slots, key.beam*key.beam)
	ids = Reshape(Where(stays, filled(g, vocab.Pad, rows, key.beam), ids), key.slots, key.beam*key.beam)
	candidates.AssertDims(key.slots, key.beam*key.beam)
	ids.AssertDims(key.slots, key.beam*key.beam)

	best, scores := topColumns(candidates, key.beam)
	best.AssertDims(key.slots, key.beam)
	s.logProbs = scores
	words := make([]*Node, key.beam)
	for k := range words {
		words[k] = pick(ids, column(best, k))
	}
	parent := Div(best, filled(g, int32(key.beam), key.slots, key.beam))
	slot := Iota(g, shapes.Make(dtypes.Int32, key.slots, key.beam), 0)
	parent = Add(parent, Mul(slot, filled(g, int32(key.beam), key.slots, key.beam)))
	from := Reshape(parent, rows, 1)
	from.AssertDims(rows, 1)
	for i, state := range s.cell {
		s.cell[i] = Gather(state, from)
	}
	s.tokens = Reshape(Gather(Reshape(s.tokens, rows, key.maxWords), from), key.slots, key.beam, key.maxWords)
	s.tokens.AssertDims(key.slots, key.beam, key.maxWords)
	s.finished = Reshape(Gather(asColumn(s.finished), from), key.slots, key.beam)
	s.finished.AssertDims(key.slots, key.beam)
	return Stack(words, 1)
}
