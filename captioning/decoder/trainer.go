package decoder

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"captionlab/captioning/internal/memory"
	"captionlab/captioning/xla"
)

// TrainOptions configure training. Only LearningRate is required; the zero values of the others are the paper's choice.
type TrainOptions struct {
	LearningRate float64
	Dropout      float64 // share of the hidden outputs that are dropped before the output layer, in [0, 1)
	// EmbeddingDropout is the share of the word embeddings' numbers that are dropped, in [0, 1).
	EmbeddingDropout float64
	// LabelSmoothing is the share of the target's probability that is spread evenly over the vocabulary, in [0, 1).
	LabelSmoothing float64
	// WordsOnly computes losses under the distribution that Generate samples from at temperature 1: <pad>, <start> and
	// <unk> have probability 0, and so has <end> as the first word. It excludes LabelSmoothing.
	WordsOnly bool
	ClipNorm  float64 // gradients are scaled down to this global norm; 0 means no limit
	Seed      int64   // of the dropout masks
	// BatchWeight divides the sum of a batch's weighted losses. 0 means the sum of the batch's own weights. With a
	// fixed value, every position counts the same in all batches.
	BatchWeight float64
	// Precision of the factors of the matrix products: "float32" or "bfloat16"; empty means "float32". A custom cell
	// keeps float32 weights. Weights, moments and losses are always float32; see precision.go for gradients.
	Precision string
	// AttentionRegulariser is the weight of the penalty on places that a caption looks at too much or too little; see
	// penalty.go. It needs an Attending cell. 0 means no penalty.
	AttentionRegulariser float64
	// Devices is the number of the backend's devices that share each batch; 0 means 1. See devices.go.
	Devices int
	// Autodiff differentiates the recurrence step by step instead of with the hand-written pass. It is slower; use it
	// for comparisons.
	Autodiff bool
}

// Trainer is a Decoder that learns, with Adam and PyTorch's defaults (beta 0.9 and 0.999, epsilon 1e-8, no weight
// decay; Kingma and Ba 2015). It compiles one program for each shape of batch. It is not safe for concurrent use.
type Trainer struct {
	*Decoder
	options TrainOptions
	step    *model.Exec
	steps   int64
	shapes  map[string]bool // of the batches of a step with a compiled program
	trimmed time.Time
}

// trainers counts the trainers of this process, to tell their programs apart.
var trainers atomic.Int64

// trimEvery is the interval at which unused memory is returned to the system. Its cost is too small to measure.
const trimEvery = 5 * time.Second

// NewTrainer copies values to the backend's device and prepares to train the model. Pass an earlier State to resume, or
// nil to start. It fails where New does, and if options or state are unsound.
func NewTrainer(backend compute.Backend, m Model, values Values, state State, options TrainOptions) (*Trainer, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	if err := checkRegulariser(options.AttentionRegulariser, m); err != nil {
		return nil, err
	}
	if options.Autodiff {
		m.Cell = stepwise{m.Cell}
	}
	d, err := New(backend, m, values)
	if err != nil {
		return nil, err
	}
	t := &Trainer{Decoder: d, options: options, shapes: make(map[string]bool)}
	if err := t.restore(state); err != nil {
		return nil, err
	}
	var replaced []string
	t.step, err = model.NewExec(backend, d.store, func(scope *model.Scope, in []*Node) *Node {
		loss := t.stepGraph(scope, in)
		replaced = changedVariables(d.store, loss.Graph())
		return loss
	})
	if err != nil {
		return nil, err
	}
	t.step.WithName(fmt.Sprintf("training step %d", trainers.Add(1)))
	if options.Devices > 1 {
		return t, t.onDevices()
	}
	xla.InPlace(backend, t.step.Name(), func() []string { return replaced })
	return t, nil
}

// check reports options that are out of range or exclude each other.
func (o TrainOptions) check() error {
	if !(o.LearningRate > 0 && o.Dropout >= 0 && o.Dropout < 1 && o.ClipNorm >= 0) {
		return fmt.Errorf("decoder: learning rate %g, dropout %g, clip norm %g: "+
			"the rate must be above 0, dropout in [0, 1), the norm not negative", o.LearningRate, o.Dropout, o.ClipNorm)
	}
	if !(o.EmbeddingDropout >= 0 && o.EmbeddingDropout < 1 && o.LabelSmoothing >= 0 && o.LabelSmoothing < 1) {
		return fmt.Errorf("decoder: embedding dropout %g, label smoothing %g: both must be in [0, 1)",
			o.EmbeddingDropout, o.LabelSmoothing)
	}
	if o.WordsOnly && o.LabelSmoothing > 0 {
		return fmt.Errorf("decoder: label smoothing %g and WordsOnly exclude each other: forbidden tokens have no "+
			"probability to spread", o.LabelSmoothing)
	}
	if o.Devices < 0 || o.Devices > 1024 {
		return fmt.Errorf("decoder: training on %d devices: use 1 or more, or 0 for one", o.Devices)
	}
	return checkPrecision(o.Precision)
}

// changedVariables lists the paths of the variables that a graph changes, in the order in which model.Exec returns
// their new values, the first results of its program. The paths are the names of the program's parameters.
func changedVariables(store *model.Store, g *Graph) []string {
	var paths []string
	for v := range store.IterVariables() {
		if v.ChangedInGraph(g) {
			paths = append(paths, v.Path())
		}
	}
	return paths
}

// Steps returns the number of optimizer steps so far, including those before a restored State.
func (t *Trainer) Steps() int64 { return t.steps }

// SetLearningRate sets the learning rate of the next steps.
func (t *Trainer) SetLearningRate(rate float64) error {
	t.options.LearningRate = rate
	v := t.store.GetVariable(learningRatePath)
	if v == nil {
		return nil // before the first step, which reads the option
	}
	return v.SetValue(tensors.FromScalar(float32(rate)))
}

// Step takes one optimizer step and returns the loss before it, in nats: the sum of weight x cross-entropy over the
// batch, divided by the sum of weights or by TrainOptions.BatchWeight, with which weights may be negative and there may
// be several batches, whose losses are added. It fails if a batch is unsound (see Batch.Check) or all weights of one
// are 0. A loss that is not finite is not an error, but the weights are useless after it.
func (t *Trainer) Step(batches ...*Batch) (loss float64, err error) {
	if len(batches) != 1 && !(len(batches) > 0 && t.options.BatchWeight > 0) {
		return 0, fmt.Errorf("decoder: a step on %d batches: use one, or several with a BatchWeight", len(batches))
	}
	for _, b := range batches {
		if err := b.Check(t.Model); err != nil {
			return 0, err
		}
	}
	defer recoverTo(&err, "decoder: training step %d", t.steps+1)
	inputs, shape, err := t.stepInputs(batches)
	if err != nil {
		return 0, err
	}
	out, err := t.step.Call(inputs...)
	if err != nil {
		return 0, fmt.Errorf("decoder: training step %d: %w", t.steps+1, err)
	}
	t.steps++
	if now := time.Now(); !t.shapes[shape] || now.Sub(t.trimmed) > trimEvery {
		t.shapes[shape], t.trimmed = true, now
		memory.Trim() // frees what compilation and buffers of other sizes left
	}
	return finalizeAll(out)
}

// inputs returns the inputs of lossGraph for a batch of the next step, as many as lossInputs says. number is that of
// the batch in the step.
func (t *Trainer) inputs(b *Batch, number int) ([]any, error) {
	rows, err := b.rows()
	if err != nil {
		return nil, err
	}
	dropoutState, err := t.dropoutState(number)
	if err != nil {
		return nil, err
	}
	weights := tensors.FromFlatDataAndDimensions(b.Weights, b.Steps, b.Size)
	return append(append(b.tensors(t.Model), weights, rows, dropoutState), b.grids(t.Model)...), nil
}

// dropoutState is the state of the random numbers for a batch of the next step.
func (t *Trainer) dropoutState(number int) (*tensors.Tensor, error) {
	return RNGStateFromSeed(t.options.Seed ^ (t.steps+1)*0x5851f42d4c957f2d ^ int64(number)<<32)
}

// Finalize frees the device's memory. Do not use the trainer afterwards.
func (t *Trainer) Finalize() {
	t.step.Finalize()
	t.Decoder.Finalize()
}
