package decoder

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"captionlab/captioning/vocab"
)

// loopKey is what decides the compiled program of a generation loop.
type loopKey struct {
	batch, beam, maxWords int
	sample, topP          bool
	topK                  int
}

// loop is a generation loop, compiled for one key: start makes the first states out of features, steps runs the loop over
// the words. They are two programs because GoMLX caches scalar constants per graph, while those of a loop's body must
// stay inside it.
type loop struct {
	key     loopKey
	options GenerateOptions
	start   *model.Exec
	steps   *model.Exec
}

// loopFor returns the loop for options, with these options set; compiled loops are kept.
func (d *Decoder) loopFor(o GenerateOptions) (*loop, error) {
	key := loopKey{batch: o.BatchSize, beam: o.Beam, maxWords: o.MaxWords, sample: o.Temperature > 0, topP: o.TopP > 0, topK: o.TopK}
	l, ok := d.loops[key]
	if !ok {
		l = &loop{key: key}
		var err error
		l.start, err = model.NewExec(d.backend, d.store, func(_ *model.Scope, in []*Node) []*Node {
			return d.startGraph(d.weightsGraph(in[0].Graph()), in[0])
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
	l.start.Finalize()
	l.steps.Finalize()
}

// forbidden is the value of a logit that must not be chosen. It is finite, so that sums over it stay numbers.
const forbidden = -1e30

// run decodes one full batch of features [batch, features] whose first picture has the given index. It returns tokens
// [batch, beam, words] and log-probabilities [batch, beam].
func (l *loop) run(d *Decoder, features []float32, first int) ([]int32, []float32, error) {
	states, err := l.start.Call(tensors.FromFlatDataAndDimensions(features, l.key.batch, d.Features))
	if err != nil {
		return nil, nil, fmt.Errorf("generate: initial states: %w", err)
	}
	// penalties[0] is added to the logits of the first word, penalties[1] to all later ones.
	penalties := make([]float32, 2*d.Vocabulary)
	for _, row := range [][]float32{penalties[:d.Vocabulary], penalties[d.Vocabulary:]} {
		row[vocab.Pad], row[vocab.Start] = forbidden, forbidden
		if !l.options.AllowUnknown {
			row[vocab.Unknown] = forbidden
		}
	}
	penalties[vocab.End] = forbidden
	inputs := []any{
		tensors.FromFlatDataAndDimensions(penalties, 2, d.Vocabulary),
		streamKeys(l.options.Seed, first, l.key.batch),
		tensors.FromScalar(float32(l.options.Temperature)),
		tensors.FromScalar(float32(l.options.TopP)),
	}
	for _, s := range states {
		inputs = append(inputs, s)
	}
	out, err := l.steps.Call(inputs...)
	if err != nil {
		return nil, nil, fmt.Errorf("generate: %w", err)
	}
	return tensors.MustCopyFlatData[int32](out[0]), tensors.MustCopyFlatData[float32](out[1]), nil
}

// loopState names what is carried from word to word. Those before penalties change; the rest is only passed through, because a
// loop's body on XLA sees nothing but its own state.
type loopState struct {
	t         *Node // [] int32: index of the word to be chosen
	running   *Node // [] int32: how many captions are not finished
	previous  *Node // [batch*beam] int32: the word before it
	tokens    *Node // [batch, beam, words] int32
	logProbs  *Node // [batch, beam] float32
	finished  *Node // [batch, beam] bool
	cell      []*Node
	penalties *Node // [2, vocabulary] float32
	keys      *Node // [batch, 2] uint32
	knobs     [2]*Node
	weights   []*Node
}

func (s *loopState) list() []*Node {
	nodes := append([]*Node{s.t, s.running, s.previous, s.tokens, s.logProbs, s.finished}, s.cell...)
	nodes = append(nodes, s.penalties, s.keys, s.knobs[0], s.knobs[1])
	return append(nodes, s.weights...)
}

func loopStateFrom(nodes []*Node, numCell int) *loopState {
	s := &loopState{t: nodes[0], running: nodes[1], previous: nodes[2], tokens: nodes[3], logProbs: nodes[4], finished: nodes[5]}
	nodes = nodes[6:]
	s.cell, nodes = append([]*Node(nil), nodes[:numCell]...), nodes[numCell:]
	s.penalties, s.keys, s.knobs, s.weights = nodes[0], nodes[1], [2]*Node{nodes[2], nodes[3]}, nodes[4:]
	return s
}

// loopGraph builds the loop. Inputs: penalties, keys, temperature, top-p, then the cell's states [batch, hidden].
func (d *Decoder) loopGraph(key loopKey, in []*Node) []*Node {
	g := in[0].Graph()
	specs := d.Weights()
	s := &loopState{penalties: in[0], keys: in[1], knobs: [2]*Node{in[2], in[3]}}
	for _, state := range in[4:] {
		s.cell = append(s.cell, repeatRows(state, key.beam))
	}
	w := d.weightsGraph(g)
	for _, spec := range specs {
		s.weights = append(s.weights, w[spec.Name])
	}
	s.t, s.running = constant(g, int32(0)), constant(g, int32(1))
	s.previous = filled(g, vocab.Start, key.batch*key.beam)
	s.tokens = filled(g, vocab.Pad, key.batch, key.beam, key.maxWords)
	s.finished = filled(g, false, key.batch, key.beam)
	logProbs := make([]float32, key.batch*key.beam)
	for i := range logProbs {
		if i%key.beam > 0 {
			logProbs[i] = forbidden // at first there is one hypothesis
		}
	}
	s.logProbs = Reshape(Const(g, logProbs), key.batch, key.beam)

	if d.unrolled {
		for range key.maxWords {
			d.wordGraph(key, w, s)
		}
		return []*Node{s.tokens, s.logProbs}
	}
	initial := s.list()
	parameters := func(g *Graph) []*Node {
		nodes := make([]*Node, len(initial))
		for i, n := range initial {
			nodes[i] = Parameter(g, fmt.Sprintf("state%d", i), n.Shape())
		}
		return nodes
	}
	numCell := len(s.cell)
	condition := NewClosure(g, func(g *Graph) []*Node {
		s := loopStateFrom(parameters(g), numCell)
		return []*Node{And(LessThan(s.t, constant(g, int32(key.maxWords))), GreaterThan(s.running, constant(g, int32(0))))}
	})
	body := NewClosure(g, func(g *Graph) []*Node {
		s := loopStateFrom(parameters(g), numCell)
		w := make(Weights)
		for i, spec := range specs {
			w[spec.Name] = s.weights[i]
		}
		d.wordGraph(key, w, s)
		return s.list()
	})
	final := loopStateFrom(While(condition, body, initial...), numCell)
	return []*Node{final.tokens, final.logProbs}
}

// wordGraph chooses one word for every hypothesis and moves the state on.
func (d *Decoder) wordGraph(key loopKey, w Weights, s *loopState) {
	g := s.t.Graph()
	rows := key.batch * key.beam
	// The states in s are those after the previous word; reading it gives the ones that choose the next.
	s.cell = d.Cell.Step(d.cellWeights(w), d.embedGraph(w, s.previous), s.cell)
	checkStates(d.Cell, "Step", s.cell, rows, d.Hidden)
	isFirst := BroadcastToDims(Equal(s.t, zeroIndex(g)), 1, d.Vocabulary)
	penalty := Where(isFirst, SliceAxis(s.penalties, 0, AxisRange(0, 1)), SliceAxis(s.penalties, 0, AxisRange(1, 2)))
	logProbs := LogSoftmax(Add(d.logitsGraph(w, s.cell[0]), penalty), -1)
	logProbs = Reshape(logProbs, key.batch, key.beam, d.Vocabulary)

	var next, chosen *Node // [batch, beam]
	if key.beam > 1 {
		next = d.beamGraph(key, s, logProbs)
	} else {
		scores := logProbs
		if key.sample {
			scores = noisyGraph(key, s, logProbs)
		}
		next = argMax(Reshape(scores, key.batch, d.Vocabulary))
		chosen = Reshape(pick(Reshape(logProbs, key.batch, d.Vocabulary), next), key.batch, 1)
		next = Reshape(next, key.batch, 1)
		next = Where(s.finished, filled(g, vocab.Pad, key.batch, 1), next)
		s.logProbs = Where(s.finished, s.logProbs, Add(s.logProbs, chosen))
	}
	place := Equal(Iota(g, shapes.Make(dtypes.Int32, key.batch, key.beam, key.maxWords), 2), s.t)
	s.tokens = Where(place, BroadcastToDims(ExpandAxes(next, -1), key.batch, key.beam, key.maxWords), s.tokens)
	s.previous = Reshape(next, rows)
	s.finished = Or(s.finished, Equal(next, filled(g, vocab.End, key.batch, key.beam)))
	s.running = ReduceAllSum(ConvertDType(Not(s.finished), dtypes.Int32))
	s.t = Add(s.t, constant(g, int32(1)))
}

// beamGraph extends every hypothesis by every word, keeps the best of each picture, and reorders the state to match. A
// finished hypothesis goes on as itself, at no cost. It returns the chosen words [batch, beam].
func (d *Decoder) beamGraph(key loopKey, s *loopState, logProbs *Node) *Node {
	g := s.t.Graph()
	ids := Iota(g, shapes.Make(dtypes.Int32, 1, 1, d.Vocabulary), 2)
	isPad := Equal(ids, filled(g, vocab.Pad, 1, 1, 1))
	stay := Where(isPad, filled(g, float32(0), 1, 1, d.Vocabulary), filled(g, float32(forbidden), 1, 1, d.Vocabulary))
	logProbs = Where(BroadcastToDims(ExpandAxes(s.finished, -1), logProbs.Shape().Dimensions...),
		BroadcastToDims(stay, logProbs.Shape().Dimensions...), logProbs)
	candidates := Reshape(Add(logProbs, ExpandAxes(s.logProbs, -1)), key.batch, key.beam*d.Vocabulary)

	var best, scores []*Node
	positions := Iota(g, shapes.Make(dtypes.Int32, 1, key.beam*d.Vocabulary), 1)
	for range key.beam {
		index := argMax(candidates)
		scores = append(scores, pick(candidates, index))
		best = append(best, index)
		taken := Equal(positions, ExpandAxes(index, -1))
		candidates = Where(taken, filled(g, float32(3*forbidden), key.batch, key.beam*d.Vocabulary), candidates)
	}
	s.logProbs = Stack(scores, 1)
	flat := Stack(best, 1)
	size := filled(g, int32(d.Vocabulary), key.batch, key.beam)
	parent, next := Div(flat, size), Rem(flat, size)
	parent = Add(parent, Mul(Iota(g, shapes.Make(dtypes.Int32, key.batch, key.beam), 0), filled(g, int32(key.beam), key.batch, key.beam)))
	rows := Reshape(parent, key.batch*key.beam, 1)
	for i, state := range s.cell {
		s.cell[i] = Gather(state, rows)
	}
	s.tokens = Reshape(Gather(Reshape(s.tokens, key.batch*key.beam, key.maxWords), rows), key.batch, key.beam, key.maxWords)
	s.finished = Reshape(Gather(Reshape(s.finished, key.batch*key.beam, 1), rows), key.batch, key.beam)
	return next
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
