package decoder

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/vocab"
)

// loopState holds what passes from word to word. The images wait in a queue. A fixed number of slots decodes them in
// parallel, and a slot takes the next image when its caption is finished, so that no work is spent on waiting for the
// longest caption of a batch. The fields up to finals change; the others pass through unchanged, because a loop's body
// on XLA sees only its own state.
type loopState struct {
	running  *Node   // [] int32: slots that hold an image
	next     *Node   // [] int32: first image of the queue that no slot has taken
	image    *Node   // [slots] int32: index of the slot's image; count and above mean none
	t        *Node   // [slots] int32: index of the word to choose
	previous *Node   // [slots*beam] int32: the word before it
	tokens   *Node   // [slots, beam, words] int32
	logProbs *Node   // [slots, beam] float32
	finished *Node   // [slots, beam] bool
	cell     []*Node // each [slots*beam, hidden] float32: the cell's states after the word before previous
	// finals are the results, [queue+1, beam, words] int32 and [queue+1, beam] float32. The last row belongs to no
	// image.
	finals [2]*Node

	count   *Node    // [] int32: images in the queue
	keys    *Node    // [queue, 2] uint32
	knobs   [2]*Node // [] float32: temperature and top-p
	start   []*Node  // each [queue, hidden] float32
	output  *Node    // [padded vocabulary, hidden] float32
	bias    *Node    // [padded vocabulary] float32
	table   []*Node  // [vocabulary, n] float32, if there is one
	weights []*Node
	seen    []*Node // each [images, ...] float32: what a Looking cell has seen of the images
}

// list returns all nodes of the state, in the order that from reads.
func (s *loopState) list() []*Node {
	nodes := []*Node{s.running, s.next, s.image, s.t, s.previous, s.tokens, s.logProbs, s.finished}
	nodes = append(append(nodes, s.cell...), s.finals[:]...)
	nodes = append(nodes, s.count, s.keys, s.knobs[0], s.knobs[1])
	nodes = append(append(nodes, s.start...), s.output, s.bias)
	return append(append(append(nodes, s.table...), s.weights...), s.seen...)
}

// from returns a state made of the nodes, with as many cell states and weights as s.
func (s *loopState) from(nodes []*Node) *loopState {
	at := 0
	take := func() *Node { at++; return nodes[at-1] }
	several := func(n int) []*Node { at += n; return nodes[at-n : at : at] }
	return &loopState{
		running: take(), next: take(), image: take(), t: take(), previous: take(), tokens: take(), logProbs: take(),
		finished: take(), cell: several(len(s.cell)), finals: [2]*Node{take(), take()},
		count: take(), keys: take(), knobs: [2]*Node{take(), take()}, start: several(len(s.start)),
		output: take(), bias: take(), table: several(len(s.table)), weights: several(len(s.weights)),
		seen: several(len(s.seen)),
	}
}

// freshCaptions returns the state of slots whose captions begin: t, previous, tokens, logProbs and finished.
func freshCaptions(g *Graph, key loopKey) *loopState {
	logProbs := make([]float32, key.beam)
	for i := 1; i < key.beam; i++ {
		logProbs[i] = forbidden // at first there is one hypothesis
	}
	fresh := &loopState{
		t:        filled(g, int32(0), key.slots),
		previous: filled(g, vocab.Start, key.slots*key.beam),
		tokens:   filled(g, vocab.Pad, key.slots, key.beam, key.maxWords),
		logProbs: BroadcastToDims(Reshape(Const(g, logProbs), 1, key.beam), key.slots, key.beam),
		finished: filled(g, false, key.slots, key.beam),
	}
	fresh.logProbs.AssertDims(key.slots, key.beam)
	return fresh
}

// refill moves finished captions to the results and gives their slots the next images. It advances t.
func (s *loopState) refill(key loopKey) {
	g := s.t.Graph()
	everywhere := func(x *Node) *Node { return BroadcastToDims(x, key.slots) }
	s.t = Add(s.t, filled(g, int32(1), key.slots))
	open := ReduceSum(ConvertDType(Not(s.finished), dtypes.Int32), 1)
	if key.bestOnly { // hypotheses are sorted, and none becomes likelier as it grows
		open = ConvertDType(Not(column(s.finished, 0)), dtypes.Int32)
	}
	open.AssertDims(key.slots)
	done := Or(Equal(open, filled(g, int32(0), key.slots)),
		GreaterOrEqual(s.t, filled(g, int32(key.maxWords), key.slots)))
	done = And(done, LessThan(s.image, everywhere(s.count)))
	done.AssertDims(key.slots)

	// Each image is added once to a row of zeros. Slots that are not done add zero to the last row.
	nobody := filled(g, int32(key.queue), key.slots)
	rows := ExpandAxes(Where(done, s.image, nobody), -1)
	rows.AssertDims(key.slots, 1)
	ofCaptions := spread(done, key.slots, key.beam)
	ofTokens := spread(done, s.tokens.Shape().Dimensions...)
	noTokens := filled(g, int32(0), s.tokens.Shape().Dimensions...)
	noLogProbs := filled(g, float32(0), key.slots, key.beam)
	s.finals[0] = ScatterSum(s.finals[0], rows, Where(ofTokens, s.tokens, noTokens), false, false)
	s.finals[1] = ScatterSum(s.finals[1], rows, Where(ofCaptions, s.logProbs, noLogProbs), false, false)
	s.finals[0].AssertDims(key.queue+1, key.beam, key.maxWords)
	s.finals[1].AssertDims(key.queue+1, key.beam)

	// A done slot takes the image that follows those taken by the done slots before it.
	took := ConvertDType(done, dtypes.Int32)
	i := Iota(g, shapes.Make(dtypes.Int32, key.slots, key.slots), 0)
	j := Iota(g, shapes.Make(dtypes.Int32, key.slots, key.slots), 1)
	square := func(x *Node) *Node { return BroadcastToDims(Reshape(x, 1, key.slots), key.slots, key.slots) }
	before := ReduceSum(Where(LessThan(j, i), square(took), square(filled(g, int32(0), key.slots))), 1)
	before.AssertDims(key.slots)
	s.image = Where(done, Min(Add(everywhere(s.next), before), nobody), s.image)
	s.next = Add(s.next, ReduceAllSum(took))
	s.running = ReduceAllSum(ConvertDType(LessThan(s.image, everywhere(s.count)), dtypes.Int32))

	fresh := freshCaptions(g, key)
	s.t = Where(done, fresh.t, s.t)
	s.tokens = Where(ofTokens, fresh.tokens, s.tokens)
	s.logProbs = Where(ofCaptions, fresh.logProbs, s.logProbs)
	s.finished = Where(ofCaptions, fresh.finished, s.finished)
	ofRows := Reshape(ofCaptions, key.slots*key.beam)
	ofRows.AssertDims(key.slots * key.beam)
	s.previous = Where(ofRows, fresh.previous, s.previous)
	from := s.imageRows(key)
	for k, state := range s.cell {
		first := repeatRows(Gather(s.start[k], from), key.beam)
		s.cell[k] = Where(spread(ofRows, state.Shape().Dimensions...), first, state)
	}
}

// imageRows returns the row of each slot's image in the queue, [slots, 1] (int32): any row if the slot has no image.
func (s *loopState) imageRows(key loopKey) *Node {
	from := ExpandAxes(Min(s.image, filled(s.image.Graph(), int32(key.queue-1), key.slots)), -1)
	from.AssertDims(key.slots, 1)
	return from
}

// states returns the states of the cell and, for a Looking one, what it has seen of each slot's image, [slots, ...].
func (s *loopState) states(key loopKey) []*Node {
	states := slices.Clone(s.cell)
	for _, all := range s.seen {
		image := s.imageRows(key)
		if key.draws > 1 {
			image = Div(image, filled(image.Graph(), int32(key.draws), image.Shape().Dimensions...))
		}
		states = append(states, Gather(all, image))
	}
	return states
}
