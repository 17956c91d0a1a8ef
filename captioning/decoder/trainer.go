package decoder

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"captionlab/captioning/internal/memory"
)

// TrainOptions are what a training step needs beyond the model. The zero value of all but LearningRate is the paper's.
type TrainOptions struct {
	LearningRate float64
	Dropout      float64 // share of hidden outputs dropped before the output layer
	ClipNorm     float64 // gradients are scaled down to this global norm; 0 is off
	Seed         int64   // of the dropout masks
	// BatchWeight is what the sum of the weighted losses of a batch is divided by: 0 means the sum of the batch's own weights. A
	// fixed one lets every position count the same, in whatever batch it is.
	BatchWeight float64
	// Precision is "float32", which the empty string means as well, or "bfloat16", for the factors of the matrix products: a cell
	// of one's own decides for itself. Weights, moments and losses are float32 in any case; see precision.go for gradients.
	Precision string
	// Autodiff takes the gradient of the recurrence step by step instead of by the hand-written pass. It is slower and
	// exists to be compared with.
	Autodiff bool
}

// Trainer is a Decoder that learns: Adam with PyTorch's defaults (beta 0.9 and 0.999, epsilon 1e-8, no weight decay;
// Kingma and Ba 2015), one compiled program for each shape of batch.
type Trainer struct {
	*Decoder
	options TrainOptions
	step    *model.Exec
	steps   int64
	shapes  map[[3]int]bool // time steps, words and rows of the batches that programs were compiled for
	trimmed time.Time
}

// trimEvery is how often unused memory is given back: at this pace it costs training nothing that can be measured.
const trimEvery = 5 * time.Second

// NewTrainer puts a model with the given values on a device and prepares to train it. To go on from an earlier State, pass
// it; nil starts anew.
func NewTrainer(backend compute.Backend, m Model, values Values, state State, options TrainOptions) (*Trainer, error) {
	if options.LearningRate <= 0 || options.Dropout < 0 || options.Dropout >= 1 || options.ClipNorm < 0 {
		return nil, fmt.Errorf("decoder: learning rate %g, dropout %g, clip norm %g: the rate must be above 0, dropout in [0, 1), the norm not negative",
			options.LearningRate, options.Dropout, options.ClipNorm)
	}
	if err := checkPrecision(options.Precision); err != nil {
		return nil, err
	}
	if options.Autodiff {
		m.Cell = stepwise{m.Cell}
	}
	d, err := New(backend, m, values)
	if err != nil {
		return nil, err
	}
	t := &Trainer{Decoder: d, options: options, shapes: make(map[[3]int]bool)}
	if err := t.restore(state); err != nil {
		return nil, err
	}
	t.step, err = model.NewExec(backend, d.store, t.stepGraph)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// stepwise hides a built-in cell's hand-written gradient.
type stepwise struct{ Cell }

// Steps is the number of optimizer steps taken so far, those before a restored State included.
func (t *Trainer) Steps() int64 { return t.steps }

// SetLearningRate changes the learning rate from the next step on.
func (t *Trainer) SetLearningRate(rate float64) error {
	t.options.LearningRate = rate
	v := t.store.GetVariable(learningRatePath)
	if v == nil {
		return nil // no step was taken yet: the first one reads the option
	}
	return v.SetValue(tensors.FromScalar(float32(rate)))
}

// Step takes one optimizer step and returns the loss before it, in nats: the sum of weight x cross-entropy over the batch
// divided by the sum of weights, or by TrainOptions.BatchWeight. A loss that is not finite comes back as it is; the weights are spoilt then.
func (t *Trainer) Step(b *Batch) (loss float64, err error) {
	if err := b.Check(t.Model); err != nil {
		return 0, err
	}
	defer recoverTo(&err, "decoder: training step %d", t.steps+1)
	inputs, err := t.inputs(b)
	if err != nil {
		return 0, err
	}
	out, err := t.step.Call1(inputs...)
	if err != nil {
		return 0, fmt.Errorf("decoder: training step %d: %w", t.steps+1, err)
	}
	t.steps++
	shape := [3]int{b.Steps, inputs[1].(*tensors.Tensor).Size(), inputs[5].(*tensors.Tensor).Size()}
	if now := time.Now(); !t.shapes[shape] || now.Sub(t.trimmed) > trimEvery {
		t.shapes[shape], t.trimmed = true, now
		memory.Trim() // of what compiling, and buffers of other sizes, left behind
	}
	loss = float64(tensors.ToScalar[float32](out))
	return loss, out.FinalizeAll()
}

// inputs are what lossGraph reads, for the next step.
func (t *Trainer) inputs(b *Batch) ([]any, error) {
	rows, err := b.rows()
	if err != nil {
		return nil, err
	}
	dropoutState, err := RNGStateFromSeed(t.options.Seed ^ (t.steps+1)*0x5851f42d4c957f2d)
	if err != nil {
		return nil, err
	}
	features, words, places, targets, weights := b.tensors(t.Model)
	return []any{features, words, places, targets, weights, rows, dropoutState}, nil
}

// rows lists the positions of the batch with a weight, filled up with positions of weight 0 to a whole number of quarters of
// the batch, so that a run needs only a few compiled programs.
func (b *Batch) rows() (*tensors.Tensor, error) {
	var counted, rest []int32
	for i, w := range b.Weights {
		if w != 0 {
			counted = append(counted, int32(i))
		} else {
			rest = append(rest, int32(i))
		}
	}
	if len(counted) == 0 {
		return nil, fmt.Errorf("decoder: every position of the batch has weight 0")
	}
	quarter := (len(b.Weights) + 3) / 4
	want := min((len(counted)+quarter-1)/quarter*quarter, len(b.Weights))
	counted = append(counted, rest[:want-len(counted)]...)
	return tensors.FromFlatDataAndDimensions(counted, len(counted), 1), nil
}

// stepGraph builds one training step. Inputs: features, words, places, targets, weights, rows to compute the loss of,
// dropout state. Output layer and loss see these rows alone.
func (t *Trainer) stepGraph(scope *model.Scope, in []*Node) *Node {
	loss := t.lossGraph(in)
	gradients := t.gradientsGraph(scope, loss)
	if t.options.ClipNorm > 0 {
		gradients = clipByGlobalNorm(gradients, t.options.ClipNorm)
	}
	adam := optimizer.Adam().LearningRate(t.options.LearningRate).Epsilon(1e-8).Done()
	adam.(interface {
		UpdateGraphWithGradients(*model.Scope, []*Node, dtypes.DType)
	}).UpdateGraphWithGradients(scope, gradients, dtypes.Float32)
	return loss
}

// gradientsGraph returns the gradient of every trainable variable, in the order in which the optimizer goes over them.
func (t *Trainer) gradientsGraph(scope *model.Scope, loss *Node) []*Node {
	return scope.Store().Scope(modelScope).BuildTrainableVariablesGradientsGraph(loss)
}

// lossGraph builds the weighted mean loss of a batch; see stepGraph for its inputs.
func (t *Trainer) lossGraph(in []*Node) *Node {
	features, words, places, targets, weights, rows, dropoutState := in[0], in[1], in[2], in[3], in[4], in[5], in[6]
	g := features.Graph()
	w := t.inPrecision(t.options.Precision, t.weightsGraph(g))
	outputs := t.outputsGraph(w, features, words, places)
	positions := places.Shape().Size()
	outputs, targets, weights = Reshape(outputs, positions, t.Hidden), Reshape(targets, positions), Reshape(weights, positions)
	if rows.Shape().Dim(0) < positions {
		outputs, targets, weights = Gather(outputs, rows), Gather(targets, rows), Gather(weights, rows)
	}
	if keep := 1 - t.options.Dropout; keep < 1 {
		_, uniform := RandomUniform(dropoutState, outputs.Shape())
		mask := LessThan(uniform, Scalar(g, dtypes.Float32, keep))
		outputs = Where(mask, DivScalar(outputs, keep), ZerosLike(outputs))
	}
	losses := tokenLosses(t.logitsGraph(w, outputs), targets)
	total := ReduceAllSum(weights)
	if t.options.BatchWeight > 0 {
		total = Scalar(g, dtypes.Float32, t.options.BatchWeight)
	}
	return Div(ReduceAllSum(Mul(losses, weights)), total)
}

// clipByGlobalNorm scales all gradients by limit/norm where their joint 2-norm is above limit, as
// torch.nn.utils.clip_grad_norm_ does (with its 1e-6 in the denominator).
func clipByGlobalNorm(gradients []*Node, limit float64) []*Node {
	g := gradients[0].Graph()
	total := ScalarZero(g, dtypes.Float32)
	for _, x := range gradients {
		total = Add(total, ReduceAllSum(Square(x)))
	}
	factor := MinScalar(Div(Scalar(g, dtypes.Float32, limit), AddScalar(Sqrt(total), 1e-6)), 1.0)
	clipped := make([]*Node, len(gradients))
	for i, x := range gradients {
		clipped[i] = Mul(x, factor)
	}
	return clipped
}

// State is what training needs to go on beside the weights, to the bit: Adam's moments and its step count, by name, each
// row-major with the shape in StateShape.
type State map[string][]float32

// Where GoMLX's Adam keeps its variables.
const adamScope = "/" + optimizer.AdamDefaultScope

var learningRatePath = "/" + optimizer.Scope + "/" + optimizer.ParamLearningRate

// StateNames lists the arrays of the optimizer's state, sorted. There are none before the first step.
func (t *Trainer) StateNames() []string {
	var names []string
	for v := range t.store.IterVariables() {
		if name, ok := strings.CutPrefix(v.Path(), adamScope+"/"); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// ReadState shows one array of the optimizer's state to f, which must not keep it.
func (t *Trainer) ReadState(name string, f func(data []float32) error) error {
	return readVariable(t.store, adamScope+"/"+name, f)
}

// restore creates the optimizer's variables from state, before any graph is built.
func (t *Trainer) restore(state State) error {
	if len(state) == 0 {
		return nil
	}
	expected := map[string][]int{"step": {}}
	for _, w := range t.Weights() {
		for _, moment := range []string{"_1st_moment", "_2nd_moment"} {
			expected[strings.TrimPrefix(variablePath(w.Name), "/")+moment] = w.Shape
		}
	}
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		shape := expected[name]
		data, ok := state[name]
		if !ok || len(data) != size(shape) {
			return fmt.Errorf("decoder: optimizer state %q has %d numbers, want %d", name, len(data), size(shape))
		}
		value := tensors.FromFlatDataAndDimensions(data, shape...)
		v, err := t.store.CreateVariable(adamScope+"/"+name, value)
		if err != nil {
			return err
		}
		v.SetTrainable(false)
	}
	if len(state) != len(expected) {
		return fmt.Errorf("decoder: optimizer state has %d arrays, want %d", len(state), len(expected))
	}
	t.steps = int64(state["step"][0])
	return nil
}

// Finalize frees the device's memory. The trainer must not be used after that.
func (t *Trainer) Finalize() {
	t.step.Finalize()
	t.Decoder.Finalize()
}
