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

// loopKey identifies the compiled program of a generation loop.
type loopKey struct {
	images   int // passed to the device at once
	draws    int // captions of each image
	queue    int // captions in all, images x draws
	slots    int // captions decoded in parallel
	beam     int
	maxWords int
	sample   bool
	topP     bool
	topK     int
	bestOnly bool
	table    bool // look up what a word contributes to the cell instead of computing it
}

// loop is a generation loop, compiled for one key. The program prepare computes the initial states and everything else
// that is the same for all words; the program steps loops over the words. They are two programs because GoMLX caches
// scalar constants per graph, while those of a loop's body must be inside it.
type loop struct {
	key     loopKey
	options GenerateOptions
	prepare *model.Exec
	steps   *model.Exec
}

// maxQueue is the maximum number of images that are passed to the device at once, and lookQueue that of images with
// grids, which are large.
const maxQueue, lookQueue = 4096, 512

func (d *Decoder) maxQueue() int {
	if d.Looks() {
		return lookQueue
	}
	return maxQueue
}

// loopFor returns the loop for the options and a number of images. Compiled loops are kept.
func (d *Decoder) loopFor(o GenerateOptions, images int) (*loop, error) {
	key := loopKey{images: 1, draws: o.Draws, beam: o.Beam, maxWords: o.MaxWords, sample: o.Temperature > 0,
		topP: o.TopP > 0 && o.TopP < 1,
		topK: o.TopK, bestOnly: o.BestOnly && o.LengthPenalty == 0}
	for key.images < min(images, d.maxQueue()) {
		key.images *= 2
	}
	key.queue = key.images * key.draws
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
			return d.prepareGraph(key, in)
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

// run generates captions for n images, at most as many as the queue holds; first is the index of the first image in the
// call. It returns tokens [queue, beam, words] and log-probabilities [queue, beam].
func (l *loop) run(d *Decoder, images Inputs, first int) ([]int32, []float32, error) {
	all := make([]float32, l.key.images*d.Features) // the images are padded with zeros
	copy(all, images.Features)
	given := []any{tensors.FromFlatDataAndDimensions(all, l.key.images, d.Features),
		forbiddenTokens(d.Vocabulary, l.options)}
	if d.Looks() {
		given = append(given, gridTensor(d.Model, images.Grids, l.key.images))
	}
	prepared, err := l.prepare.Call(given...)
	if err != nil {
		return nil, nil, fmt.Errorf("generate: initial states: %w", err)
	}
	inputs := []any{
		tensors.FromScalar(int32(len(images.Features) / d.Features * l.key.draws)),
		streamKeys(l.options.Seed, first*l.key.draws, l.key.queue),
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

// forbiddenTokens says which tokens may stand nowhere in a caption, [vocabulary] (bool).
func forbiddenTokens(vocabulary int, o GenerateOptions) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(neverTokens(vocabulary, o), vocabulary)
}

// neverTokens is forbiddenTokens on the host.
func neverTokens(vocabulary int, o GenerateOptions) []bool {
	never := make([]bool, vocabulary)
	never[vocab.Pad], never[vocab.Start], never[vocab.Unknown] = true, true, !o.AllowUnknown
	return never
}

// prepareGraph returns, all float32: the initial states, each [queue, hidden], for features [queue, features]; the
// output layer, weight [padded vocabulary, hidden] and bias [padded vocabulary]; and, if the key has a table, what each
// word's embedding contributes to the cell, [vocabulary, n]; and what a Looking cell sees of grids [queue, places,
// channels] (bfloat16). The words in never [vocabulary] (bool) have weights of 0
// and the bias forbidden, so that none can be chosen, whatever the model says of them.
func (d *Decoder) prepareGraph(key loopKey, in []*Node) []*Node {
	features, never := in[0], in[1]
	features.AssertDims(key.images, d.Features)
	never.AssertDims(d.Vocabulary)
	g := features.Graph()
	w := d.weightsGraph(g)
	var seen []*Node
	if d.Looks() {
		seen = d.lookGraph(w, in[2])
	}
	out := d.startGraph(w, features, seen)
	for i, state := range out {
		out[i] = repeatRows(state, key.draws)
	}
	more := compute.PadAxis{End: d.paddedVocabulary() - d.Vocabulary}
	weight := Where(spread(never, d.Vocabulary, d.Hidden), zeros(g, d.Vocabulary, d.Hidden), w[outputWeight])
	bias := Where(never, filled(g, float32(forbidden), d.Vocabulary), w[outputBias])
	out = append(out, Pad(weight, Scalar(g, dtypes.Float32, 0), more, compute.PadAxis{}),
		Pad(bias, Scalar(g, dtypes.Float32, forbidden), more))
	if key.table {
		out = append(out, d.Cell.(tabled).gates(d.cellWeights(w), w[embeddingWeight]))
	}
	return append(out, seen...)
}

// paddedVocabulary is the number of words, padded to whole blocks.
func (d *Decoder) paddedVocabulary() int { return (d.Vocabulary + block - 1) / block * block }

// loopGraph builds the loop. Inputs: the number of images [] (int32), the keys [queue, 2] (uint32), temperature and
// top-p [] (float32), then the outputs of prepareGraph. It returns tokens [queue+1, beam, words] (int32) and
// log-probabilities [queue+1, beam] (float32); without the last row, which holds no result, if the loop is unrolled.
func (d *Decoder) loopGraph(key loopKey, in []*Node) []*Node {
	g := in[0].Graph()
	states := d.Cell.NumStates()
	s := &loopState{count: in[0], keys: in[1], knobs: [2]*Node{in[2], in[3]},
		start: in[4 : 4+states], output: in[4+states], bias: in[5+states], seen: in[6+states:]}
	if key.table {
		s.table, s.seen = s.seen[:1], s.seen[1:]
	}
	w := d.weightsGraph(g)
	for _, spec := range d.Weights() {
		s.weights = append(s.weights, w[spec.Name])
	}
	s.image = Iota(g, shapes.Make(dtypes.Int32, key.slots), 0)
	s.next, s.running = constant(g, int32(key.slots)), constant(g, int32(1))
	for _, state := range s.start {
		s.cell = append(s.cell, repeatRows(SliceAxis(state, 0, AxisRange(0, key.slots)), key.beam))
	}
	fresh := freshCaptions(g, key)
	s.t, s.previous, s.tokens = fresh.t, fresh.previous, fresh.tokens
	s.logProbs, s.finished = fresh.logProbs, fresh.finished
	if d.unrolled { // every image has its own slot
		for range key.maxWords {
			d.wordGraph(key, w, s)
			s.t = Add(s.t, filled(g, int32(1), key.slots))
		}
		return []*Node{s.tokens, s.logProbs}
	}
	s.finals[0] = filled(g, int32(0), key.queue+1, key.beam, key.maxWords)
	s.finals[1] = filled(g, float32(0), key.queue+1, key.beam)
	initial := s.list()
	condition := NewClosure(g, func(g *Graph) []*Node {
		return []*Node{GreaterThan(s.from(parametersLike(g, initial)).running, constant(g, int32(0)))}
	})
	body := NewClosure(g, func(g *Graph) []*Node {
		s := s.from(parametersLike(g, initial))
		w := make(Weights)
		for i, spec := range d.Weights() {
			w[spec.Name] = s.weights[i]
		}
		d.wordGraph(key, w, s)
		s.refill(key)
		return s.list()
	})
	finals := s.from(While(condition, body, initial...)).finals
	return finals[:]
}
