package decoder

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"captionlab/captioning/vocab"
)

// loopKey is what decides the compiled program of a generation loop.
type loopKey struct {
	queue    int // pictures handed over at once
	slots    int // pictures decoded side by side
	beam     int
	maxWords int
	sample   bool
	topP     bool
	topK     int
	bestOnly bool
	table    bool // look up what a word contributes to the cell instead of computing it
}

// loop is a generation loop, compiled for one key: prepare makes the first states out of features, and what else does not
// change from word to word; steps runs the loop over the words. They are two programs because GoMLX caches scalar
// constants per graph, while those of a loop's body must stay inside it.
type loop struct {
	key     loopKey
	options GenerateOptions
	prepare *model.Exec
	steps   *model.Exec
}

// maxQueue is the most pictures that are handed to the device at once.
const maxQueue = 4096

// loopFor returns the loop for options and so many pictures; compiled loops are kept.
func (d *Decoder) loopFor(o GenerateOptions, pictures int) (*loop, error) {
	key := loopKey{queue: 1, beam: o.Beam, maxWords: o.MaxWords, sample: o.Temperature > 0, topP: o.TopP > 0, topK: o.TopK,
		bestOnly: o.BestOnly && o.LengthPenalty == 0}
	for key.queue < min(pictures, maxQueue) {
		key.queue *= 2
	}
	key.slots = min(o.BatchSize, key.queue)
	if d.unrolled {
		key.slots = key.queue
	}
	if _, ok := d.Cell.(tabled); ok {
		key.table = key.queue*key.beam*10 > d.Vocabulary // captions have about ten words
	}
	l, ok := d.loops[key]
	if !ok {
		l = &loop{key: key}
		var err error
		l.prepare, err = model.NewExec(d.backend, d.store, func(_ *model.Scope, in []*Node) []*Node {
			return d.prepareGraph(key, in[0], in[1])
		})
		if err != nil {
			return nil, err
		}
		l.steps, err = model.NewExec(d.backend, d.store, func(_ *model.Scope, in []*Node) []*Node {
			return d.loopGraph(key, in)
		})
		if err != nil {
			return nil, err
		}
		d.loops[key] = l
	}
	l.options = o
	return l, nil
}

func (l *loop) finalize() {
	l.prepare.Finalize()
	l.steps.Finalize()
}

// forbidden is the value of a logit that must not be chosen. It is finite, so that sums over it stay numbers.
const forbidden = -1e30

// run decodes features [pictures, features], no more than the queue holds, of which the first picture has the given index.
// It returns tokens [queue, beam, words] and log-probabilities [queue, beam].
func (l *loop) run(d *Decoder, features []float32, first int) ([]int32, []float32, error) {
	all := make([]float32, l.key.queue*d.Features) // the queue is filled up with zeros
	copy(all, features)
	penalty := make([]float32, d.Vocabulary)
	penalty[vocab.Pad], penalty[vocab.Start] = forbidden, forbidden
	if !l.options.AllowUnknown {
		penalty[vocab.Unknown] = forbidden
	}
	prepared, err := l.prepare.Call(tensors.FromFlatDataAndDimensions(all, l.key.queue, d.Features), tensors.FromFlatDataAndDimensions(penalty, d.Vocabulary))
	if err != nil {
		return nil, nil, fmt.Errorf("generate: initial states: %w", err)
	}
	inputs := []any{
		tensors.FromScalar(int32(len(features) / d.Features)),
		streamKeys(l.options.Seed, first, l.key.queue),
		tensors.FromScalar(float32(l.options.Temperature)),
		tensors.FromScalar(float32(l.options.TopP)),
	}
	for _, x := range prepared {
		inputs = append(inputs, x)
	}
	out, err := l.steps.Call(inputs...)
	if err != nil {
		return nil, nil, fmt.Errorf("generate: %w", err)
	}
	return tensors.MustCopyFlatData[int32](out[0]), tensors.MustCopyFlatData[float32](out[1]), nil
}

// block is how many logits make a block: the best words of a row are looked for in its blocks with the highest maxima.
const block = 32

// prepareGraph returns the initial states [queue, hidden] for features [queue, features]; the output layer, its words
// filled up to whole blocks, with penalty [vocabulary] in its bias; and, with a table, what each word's embedding
// contributes to the cell.
func (d *Decoder) prepareGraph(key loopKey, features, penalty *Node) []*Node {
	g := features.Graph()
	w := d.weightsGraph(g)
	out := d.startGraph(w, features)
	more := compute.PadAxis{End: d.paddedVocabulary() - d.Vocabulary}
	out = append(out, Pad(w[outputWeight], Scalar(g, dtypes.Float32, 0), more, compute.PadAxis{}),
		Pad(Add(w[outputBias], penalty), Scalar(g, dtypes.Float32, forbidden), more))
	if key.table {
		out = append(out, d.Cell.(tabled).gatesGraph(d.cellWeights(w), w[embeddingWeight]))
	}
	return out
}

// paddedVocabulary is the number of words filled up to whole blocks.
func (d *Decoder) paddedVocabulary() int { return (d.Vocabulary + block - 1) / block * block }

// loopState names what is carried from word to word. The pictures wait in a queue; a fixed number of slots decodes them side
// by side, and a slot whose caption is finished takes the next picture. So no work is spent on waiting for the longest
// caption of a batch. Fields up to finals change; the rest is only passed through, because a loop's body on XLA sees
// nothing but its own state.
type loopState struct {
	running  *Node // [] int32: slots that hold a picture
	next     *Node // [] int32: first picture of the queue that no slot has taken
	picture  *Node // [slots] int32: index of the slot's picture; count and above are none
	t        *Node // [slots] int32: index of the word to be chosen
	previous *Node // [slots*beam] int32: the word before it
	tokens   *Node // [slots, beam, words] int32
	logProbs *Node // [slots, beam] float32
	finished *Node // [slots, beam] bool
	cell     []*Node
	finals   [2]*Node // [queue+1, beam, words] int32 and [queue+1, beam] float32: the results; the last row is nobody's

	count   *Node // [] int32: pictures in the queue
	keys    *Node // [queue, 2] uint32
	knobs   [2]*Node
	start   []*Node // [queue, hidden] float32
	output  *Node   // [padded vocabulary, hidden] float32
	bias    *Node   // [padded vocabulary] float32
	table   []*Node // [vocabulary, ...] float32, if there is one
	weights []*Node
}

func (s *loopState) list() []*Node {
	nodes := append([]*Node{s.running, s.next, s.picture, s.t, s.previous, s.tokens, s.logProbs, s.finished}, s.cell...)
	nodes = append(nodes, s.finals[0], s.finals[1], s.count, s.keys, s.knobs[0], s.knobs[1])
	nodes = append(append(nodes, s.start...), s.output, s.bias)
	return append(append(nodes, s.table...), s.weights...)
}

func (s *loopState) from(nodes []*Node) *loopState {
	at := 0
	take := func() *Node { at++; return nodes[at-1] }
	several := func(n int) []*Node { at += n; return nodes[at-n : at : at] }
	return &loopState{running: take(), next: take(), picture: take(), t: take(), previous: take(), tokens: take(), logProbs: take(),
		finished: take(), cell: several(len(s.cell)), finals: [2]*Node{take(), take()}, count: take(), keys: take(),
		knobs: [2]*Node{take(), take()}, start: several(len(s.start)), output: take(), bias: take(), table: several(len(s.table)),
		weights: several(len(s.weights))}
}

// loopGraph builds the loop. Inputs: number of pictures, keys, temperature, top-p, then what prepareGraph returns.
func (d *Decoder) loopGraph(key loopKey, in []*Node) []*Node {
	g := in[0].Graph()
	states := d.Cell.NumStates()
	s := &loopState{count: in[0], keys: in[1], knobs: [2]*Node{in[2], in[3]}, start: in[4 : 4+states], output: in[4+states], bias: in[5+states], table: in[6+states:]}
	w := d.weightsGraph(g)
	for _, spec := range d.Weights() {
		s.weights = append(s.weights, w[spec.Name])
	}
	s.picture = Iota(g, shapes.Make(dtypes.Int32, key.slots), 0)
	s.next, s.running = constant(g, int32(key.slots)), constant(g, int32(1))
	for _, state := range s.start {
		s.cell = append(s.cell, repeatRows(SliceAxis(state, 0, AxisRange(0, key.slots)), key.beam))
	}
	fresh := freshCaptions(g, key)
	s.t, s.previous, s.tokens, s.logProbs, s.finished = fresh.t, fresh.previous, fresh.tokens, fresh.logProbs, fresh.finished
	if d.unrolled { // every picture has a slot of its own
		for range key.maxWords {
			d.wordGraph(key, w, s)
			s.t = Add(s.t, filled(g, int32(1), key.slots))
		}
		return []*Node{s.tokens, s.logProbs}
	}
	s.finals = [2]*Node{filled(g, int32(0), key.queue+1, key.beam, key.maxWords), filled(g, float32(0), key.queue+1, key.beam)}
	initial := s.list()
	parameters := func(g *Graph) *loopState {
		nodes := make([]*Node, len(initial))
		for i, n := range initial {
			nodes[i] = Parameter(g, fmt.Sprintf("state%d", i), n.Shape())
		}
		return s.from(nodes)
	}
	condition := NewClosure(g, func(g *Graph) []*Node {
		return []*Node{GreaterThan(parameters(g).running, constant(g, int32(0)))}
	})
	body := NewClosure(g, func(g *Graph) []*Node {
		s := parameters(g)
		w := make(Weights)
		for i, spec := range d.Weights() {
			w[spec.Name] = s.weights[i]
		}
		d.wordGraph(key, w, s)
		refillGraph(key, s)
		return s.list()
	})
	finals := s.from(While(condition, body, initial...)).finals
	return finals[:]
}

// freshCaptions is the state of slots at the beginning of captions.
func freshCaptions(g *Graph, key loopKey) *loopState {
	logProbs := make([]float32, key.beam)
	for i := 1; i < key.beam; i++ {
		logProbs[i] = forbidden // at first there is one hypothesis
	}
	return &loopState{
		t:        filled(g, int32(0), key.slots),
		previous: filled(g, vocab.Start, key.slots*key.beam),
		tokens:   filled(g, vocab.Pad, key.slots, key.beam, key.maxWords),
		logProbs: BroadcastToDims(Reshape(Const(g, logProbs), 1, key.beam), key.slots, key.beam),
		finished: filled(g, false, key.slots, key.beam),
	}
}

// refillGraph moves finished captions to the results and gives their slots the next pictures.
func refillGraph(key loopKey, s *loopState) {
	g := s.t.Graph()
	everywhere := func(x *Node) *Node { return BroadcastToDims(x, key.slots) }
	s.t = Add(s.t, filled(g, int32(1), key.slots))
	open := ReduceSum(ConvertDType(Not(s.finished), dtypes.Int32), 1)
	if key.bestOnly { // hypotheses are sorted, and none gets likelier by growing
		open = ConvertDType(Not(Squeeze(SliceAxis(s.finished, 1, AxisElem(0)), 1)), dtypes.Int32)
	}
	done := Or(Equal(open, filled(g, int32(0), key.slots)), GreaterOrEqual(s.t, filled(g, int32(key.maxWords), key.slots)))
	done = And(done, LessThan(s.picture, everywhere(s.count)))

	// Every picture is added once to a row of zeros; what is not done adds zero to nobody's row.
	nobody := filled(g, int32(key.queue), key.slots)
	rows := ExpandAxes(Where(done, s.picture, nobody), -1)
	ofCaptions := BroadcastToDims(Reshape(done, key.slots, 1), key.slots, key.beam)
	ofTokens := BroadcastToDims(Reshape(done, key.slots, 1, 1), s.tokens.Shape().Dimensions...)
	noTokens, noLogProbs := filled(g, int32(0), s.tokens.Shape().Dimensions...), filled(g, float32(0), key.slots, key.beam)
	s.finals[0] = ScatterSum(s.finals[0], rows, Where(ofTokens, s.tokens, noTokens), false, false)
	s.finals[1] = ScatterSum(s.finals[1], rows, Where(ofCaptions, s.logProbs, noLogProbs), false, false)

	// A slot that is done takes the picture that comes after those that the done slots before it take.
	took := ConvertDType(done, dtypes.Int32)
	i := Iota(g, shapes.Make(dtypes.Int32, key.slots, key.slots), 0)
	j := Iota(g, shapes.Make(dtypes.Int32, key.slots, key.slots), 1)
	square := func(x *Node) *Node { return BroadcastToDims(Reshape(x, 1, key.slots), key.slots, key.slots) }
	before := ReduceSum(Where(LessThan(j, i), square(took), square(filled(g, int32(0), key.slots))), 1)
	s.picture = Where(done, Min(Add(everywhere(s.next), before), nobody), s.picture)
	s.next = Add(s.next, ReduceAllSum(took))
	s.running = ReduceAllSum(ConvertDType(LessThan(s.picture, everywhere(s.count)), dtypes.Int32))

	fresh := freshCaptions(g, key)
	s.t = Where(done, fresh.t, s.t)
	s.tokens = Where(ofTokens, fresh.tokens, s.tokens)
	s.logProbs = Where(ofCaptions, fresh.logProbs, s.logProbs)
	s.finished = Where(ofCaptions, fresh.finished, s.finished)
	ofRows := Reshape(ofCaptions, key.slots*key.beam)
	s.previous = Where(ofRows, fresh.previous, s.previous)
	from := ExpandAxes(Min(s.picture, filled(g, int32(key.queue-1), key.slots)), -1)
	for k, state := range s.cell {
		first := repeatRows(Gather(s.start[k], from), key.beam)
		s.cell[k] = Where(BroadcastToDims(ExpandAxes(ofRows, -1), state.Shape().Dimensions...), first, state)
	}
}

// wordGraph chooses one word for every hypothesis and moves the cell's state on.
func (d *Decoder) wordGraph(key loopKey, w Weights, s *loopState) {
	g := s.t.Graph()
	rows, words := key.slots*key.beam, d.paddedVocabulary()
	// The states in s are those after the previous word; reading it gives the ones that choose the next.
	if key.table {
		s.cell = d.Cell.(tabled).stepFromGates(d.cellWeights(w), lookUp(s.table[0], s.previous), s.cell)
	} else {
		s.cell = d.Cell.Step(d.cellWeights(w), d.embedGraph(w, s.previous), s.cell)
	}
	checkStates(d.Cell, "Step", s.cell, rows, d.Hidden)
	logits := matMulT(s.cell[0], s.output)
	logits = Add(logits, ExpandLeftToRank(s.bias, 2))
	isFirst := Equal(repeatRows(ExpandAxes(s.t, -1), key.beam), filled(g, int32(0), rows, 1))
	isEnd := Equal(Iota(g, shapes.Make(dtypes.Int32, 1, words), 1), filled(g, vocab.End, 1, words))
	neverEnd := And(BroadcastToDims(isFirst, rows, words), BroadcastToDims(isEnd, rows, words))
	logits = Where(neverEnd, filled(g, float32(forbidden), rows, words), logits)

	highest := blockMaxima(logits)
	top := ReduceMax(highest, 1)
	logNorm := Add(top, Log(ReduceSum(Exp(Sub(logits, ExpandAxes(top, -1))), 1))) // [rows]
	var next *Node                                                                // [slots, beam]
	if key.beam > 1 {
		next = d.beamGraph(key, s, logits, highest, logNorm)
	} else {
		var ids, values *Node
		if key.sample {
			noisy := noisyGraph(key, s, Sub(logits, ExpandAxes(logNorm, -1)))
			ids, _ = topWords(noisy, blockMaxima(noisy), 1)
			values = pick(logits, Reshape(ids, rows))
		} else {
			ids, values = topWords(logits, highest, 1)
		}
		next = Where(s.finished, filled(g, vocab.Pad, rows, 1), ids)
		s.logProbs = Where(s.finished, s.logProbs, Add(s.logProbs, Sub(Reshape(values, rows, 1), ExpandAxes(logNorm, -1))))
	}
	place := Equal(Iota(g, shapes.Make(dtypes.Int32, key.slots, key.beam, key.maxWords), 2),
		BroadcastToDims(Reshape(s.t, key.slots, 1, 1), key.slots, key.beam, key.maxWords))
	s.tokens = Where(place, BroadcastToDims(ExpandAxes(next, -1), key.slots, key.beam, key.maxWords), s.tokens)
	s.previous = Reshape(next, rows)
	s.finished = Or(s.finished, Equal(next, filled(g, vocab.End, key.slots, key.beam)))
}

// beamGraph extends every hypothesis by every word, keeps the best of each picture, and reorders the state to match. A
// finished hypothesis goes on as itself, at no cost. It returns the chosen words [slots, beam].
func (d *Decoder) beamGraph(key loopKey, s *loopState, logits, highest, logNorm *Node) *Node {
	g, rows := s.t.Graph(), key.slots*key.beam
	ids, values := topWords(logits, highest, key.beam) // [rows, beam]
	candidates := Add(Sub(values, ExpandAxes(logNorm, -1)), Reshape(s.logProbs, rows, 1))
	stays := BroadcastToDims(Reshape(s.finished, rows, 1), rows, key.beam)
	isFirst := Equal(Iota(g, shapes.Make(dtypes.Int32, rows, key.beam), 1), filled(g, int32(0), rows, key.beam))
	asItIs := Where(isFirst, BroadcastToDims(Reshape(s.logProbs, rows, 1), rows, key.beam), filled(g, float32(3*forbidden), rows, key.beam))
	candidates = Reshape(Where(stays, asItIs, candidates), key.slots, key.beam*key.beam)
	ids = Reshape(Where(stays, filled(g, vocab.Pad, rows, key.beam), ids), key.slots, key.beam*key.beam)

	best, scores := topColumns(candidates, key.beam)
	s.logProbs = scores
	words := make([]*Node, key.beam)
	for k := range words {
		words[k] = pick(ids, Squeeze(SliceAxis(best, 1, AxisElem(k)), 1))
	}
	parent := Div(best, filled(g, int32(key.beam), key.slots, key.beam))
	parent = Add(parent, Mul(Iota(g, shapes.Make(dtypes.Int32, key.slots, key.beam), 0), filled(g, int32(key.beam), key.slots, key.beam)))
	from := Reshape(parent, rows, 1)
	for i, state := range s.cell {
		s.cell[i] = Gather(state, from)
	}
	s.tokens = Reshape(Gather(Reshape(s.tokens, rows, key.maxWords), from), key.slots, key.beam, key.maxWords)
	s.finished = Reshape(Gather(Reshape(s.finished, rows, 1), from), key.slots, key.beam)
	return Stack(words, 1)
}

// blockMaxima are the maxima of the blocks of each row of x [rows, words]: [rows, blocks].
func blockMaxima(x *Node) *Node {
	rows, words := x.Shape().Dim(0), x.Shape().Dim(1)
	return ReduceMax(Reshape(x, rows, words/block, block), 2)
}

// topWords returns the ids and the values of the k largest entries of each row of x [rows, words], both [rows, k], largest
// first. They lie in the k blocks with the highest maxima, so that the row itself is read only once, for the maxima.
func topWords(x, maxima *Node, k int) (ids, values *Node) {
	g, rows, blocks := x.Graph(), x.Shape().Dim(0), maxima.Shape().Dim(1)
	n := min(k, blocks)
	chosen, _ := topColumns(maxima, n) // [rows, n]
	row := Iota(g, shapes.Make(dtypes.Int32, rows, n, 1), 0)
	inside := Gather(Reshape(x, rows, blocks, block), Concatenate([]*Node{row, ExpandAxes(chosen, -1)}, 2)) // [rows, n, block]
	first := Mul(chosen, filled(g, int32(block), rows, n))
	all := Add(BroadcastToDims(ExpandAxes(first, -1), rows, n, block), Iota(g, shapes.Make(dtypes.Int32, rows, n, block), 2))
	positions, values := topColumns(Reshape(inside, rows, n*block), k)
	all = Reshape(all, rows, n*block)
	columns := make([]*Node, k)
	for i := range columns {
		columns[i] = pick(all, Squeeze(SliceAxis(positions, 1, AxisElem(i)), 1))
	}
	return Stack(columns, 1), values
}

// topColumns returns the positions and the values of the k largest entries of each row of a narrow x [rows, n], both [rows,
// k], largest first, the first one of equals first.
func topColumns(x *Node, k int) (positions, values *Node) {
	var at, what []*Node
	all := Iota(x.Graph(), shapes.Make(dtypes.Int32, 1, x.Shape().Dim(1)), 1)
	for i := range k {
		index := argMax(x)
		at, what = append(at, index), append(what, ReduceMax(x, 1))
		if i < k-1 {
			x = Where(Equal(all, ExpandAxes(index, -1)), filled(x.Graph(), float32(4*forbidden), x.Shape().Dimensions...), x)
		}
	}
	return Stack(at, 1), Stack(what, 1)
}

// argMax is the index of the largest entry of each row of x [rows, n], the first one of equals: [rows] int32. Two plain
// reductions are several times faster on XLA's CPU backend than its reduction over pairs of value and index.
func argMax(x *Node) *Node {
	n := x.Shape().Dim(1)
	highest := ExpandAxes(ReduceMax(x, 1), -1)
	ids := BroadcastToDims(Iota(x.Graph(), shapes.Make(dtypes.Int32, 1, n), 1), x.Shape().Dimensions...)
	none := filled(x.Graph(), int32(n-1), x.Shape().Dimensions...)
	return ReduceMin(Where(GreaterOrEqual(x, highest), ids, none), 1)
}

// pick is x[i, index[i]] for x [rows, n] and index [rows].
func pick(x, index *Node) *Node {
	rows := Iota(x.Graph(), shapes.Make(dtypes.Int32, x.Shape().Dim(0), 1), 0)
	return Gather(x, Concatenate([]*Node{rows, ExpandAxes(index, -1)}, 1))
}

// repeatRows turns x [rows, n] into [rows*times, n], each row times over.
func repeatRows(x *Node, times int) *Node {
	rows, n := x.Shape().Dim(0), x.Shape().Dim(1)
	return Reshape(BroadcastToDims(ExpandAxes(x, 1), rows, times, n), rows*times, n)
}

// constant is a scalar that is not shared with other closures of the graph.
func constant[T int32 | uint32 | float32](g *Graph, value T) *Node {
	return Reshape(Const(g, []T{value}))
}

func zeroIndex(g *Graph) *Node { return constant(g, int32(0)) }

// filled is an array of one value that is not shared with other closures of the graph.
func filled[T int32 | uint32 | float32 | bool](g *Graph, value T, dims ...int) *Node {
	ones := make([]int, len(dims))
	for i := range ones {
		ones[i] = 1
	}
	return BroadcastToDims(Reshape(Const(g, []T{value}), ones...), dims...)
}
