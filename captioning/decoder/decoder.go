package decoder

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// modelScope contains the trainable variables. Everything else in the store belongs to the optimizer.
const modelScope = "/model"

// Decoder is a Model with its weights on a device. It is not safe for concurrent use.
type Decoder struct {
	Model
	backend compute.Backend
	store   *model.Store
	losses  *model.Exec
	words   *model.Exec // of WordLogProbs; nil until it is called
	looks   *model.Exec // of Attention; nil until it is called
	loops   map[loopKey]*loop
	// unrolled is true if loops must be built step by step, because the backend lacks operations that loops need, like
	// GoMLX's pure Go backend.
	unrolled bool
}

// New copies values to the backend's device. It fails if the model or the values are unsound, and if Start or Step of a
// custom cell panics or returns unsound states; see Cell.
func New(backend compute.Backend, m Model, values Values) (*Decoder, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	if err := m.CheckValues(values); err != nil {
		return nil, err
	}
	d := &Decoder{Model: m, backend: backend, store: model.NewStore(), loops: make(map[loopKey]*loop)}
	if !backend.Capabilities().Operations[compute.OpTypeDynamicUpdateSlice] {
		d.unrolled, d.Cell = true, stepwise{m.Cell}
	}
	for _, w := range m.Weights() {
		value := tensors.FromFlatDataAndDimensions(values[w.Name], w.Shape...)
		if _, err := d.store.CreateVariable(variablePath(w.Name), value); err != nil {
			return nil, fmt.Errorf("decoder: weight %q: %w", w.Name, err)
		}
	}
	if err := d.tryCell(); err != nil {
		return nil, err
	}
	var err error
	d.losses, err = model.NewExec(backend, d.store, func(scope *model.Scope, in []*Node) *Node {
		return d.tokenLossesGraph(d.weightsGraph(in[0].Graph()), in)
	})
	return d, err
}

// tryCell builds one step on a batch of two, without compiling it, so that an unsound cell fails early.
func (d *Decoder) tryCell() (err error) {
	defer recoverTo(&err, "cell %q", d.Cell.Name())
	g := NewGraph(d.backend, "try "+d.Cell.Name())
	defer g.Finalize()
	w := make(Weights)
	for _, spec := range d.Weights() {
		w[spec.Name] = Zeros(g, shapes.Make(dtypes.Float32, spec.Shape...))
	}
	var seen []*Node
	if d.Looks() {
		seen = d.lookGraph(w, zeros(g, 2, d.Places, d.Channels))
	}
	states := d.startGraph(w, Zeros(g, shapes.Make(dtypes.Float32, 2, d.Features)), seen)
	states = append(states, seen...)
	x := Zeros(g, shapes.Make(dtypes.Float32, 2, d.Embedding))
	if attending, ok := asAttending(d.Cell); ok {
		attending.Attention(d.cellWeights(w), x, states).AssertDims(2, d.Places)
	}
	checkStates(d.Cell, "Step", d.Cell.Step(d.cellWeights(w), x, states), 2, d.Hidden)
	return nil
}

// Values copies the weights back to the host.
func (d *Decoder) Values() (Values, error) {
	values := make(Values)
	for _, w := range d.Weights() {
		err := d.ReadWeight(w.Name, func(data []float32) error {
			values[w.Name] = slices.Clone(data)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

// TokenLosses returns the cross-entropy, in nats, at every position of the batch, [steps, size] like its ids. It
// ignores Batch.Weights and applies no dropout.
func (d *Decoder) TokenLosses(b *Batch) (losses []float32, err error) {
	if err := b.Check(d.Model); err != nil {
		return nil, err
	}
	defer recoverTo(&err, "decoder: losses")
	out, err := d.losses.Call1(append(b.tensors(d.Model), b.grids(d.Model)...)...)
	if err != nil {
		return nil, fmt.Errorf("decoder: losses: %w", err)
	}
	losses = tensors.MustCopyFlatData[float32](out)
	return losses, out.FinalizeAll()
}

// forcedGraph returns the input of teacher forcing, given the inputs of lossGraph.
func (d *Decoder) forcedGraph(w Weights, in []*Node) forced {
	f := forced{features: batchFeatures(in[0], in[1]), words: in[2], places: in[3]}
	if d.Looks() {
		f.seen = seenByRow(d.lookGraph(w, in[len(in)-2]), in[len(in)-1])
	}
	return f
}

// tokenLossesGraph returns the losses of all positions, [steps*size] (float32); see lossGraph for its inputs.
func (d *Decoder) tokenLossesGraph(w Weights, in []*Node) *Node {
	forced, targets := d.forcedGraph(w, in), in[4]
	outputs := d.outputsGraph(w, forced)
	rows := outputs.Shape().Dim(0) * outputs.Shape().Dim(1)
	outputs.AssertDims(targets.Shape().Dim(0), targets.Shape().Dim(1), d.Hidden)
	logits := d.logitsGraph(w, Reshape(outputs, rows, d.Hidden))
	logits.AssertDims(rows, d.Vocabulary)
	losses := tokenLosses(logits, Reshape(targets, rows))
	losses.AssertDims(rows)
	return losses
}

// weightsGraph returns the trainable variables as nodes of a graph, float32 with the shapes of Model.Weights. It has an
// output weight in any case.
func (d *Decoder) weightsGraph(g *Graph) Weights {
	w := make(Weights)
	for _, spec := range d.Weights() {
		w[spec.Name] = d.store.GetVariable(variablePath(spec.Name)).NodeValue(g)
	}
	if d.Tied {
		w[outputWeight] = w[embeddingWeight]
	}
	return w
}

// Finalize frees the device's memory. Do not use the decoder afterwards.
func (d *Decoder) Finalize() {
	d.losses.Finalize()
	for _, e := range []*model.Exec{d.words, d.looks} {
		if e != nil {
			e.Finalize()
		}
	}
	for _, l := range d.loops {
		l.finalize()
	}
	d.store.Finalize()
}

func variablePath(weight string) string { return modelScope + "/" + weight }

// ReadWeight calls f with one array of the model, row-major, by its name in Model.Weights. F must not keep the slice.
func (d *Decoder) ReadWeight(name string, f func(data []float32) error) error {
	return readVariable(d.store, variablePath(name), f)
}

// readVariable calls f with a float32 variable and then frees its copy on the host, so that a model can be written to a
// file without a second copy in memory.
func readVariable(store *model.Store, path string, f func(data []float32) error) (err error) {
	defer recoverTo(&err, "decoder: reading %s", path)
	v := store.GetVariable(path)
	if v == nil {
		return fmt.Errorf("decoder: no variable %s", path)
	}
	value, err := v.Value()
	if err != nil {
		return err
	}
	var problem error
	onHostOnly := value.IsLocal()
	if err := tensors.ConstFlatData(value, func(data []float32) { problem = f(data) }); err != nil {
		return err
	}
	if !onHostOnly {
		value.FinalizeLocal()
	}
	return problem
}

// recoverTo turns a panic while building a graph into an error. Defer it in exported methods only.
func recoverTo(err *error, format string, args ...any) {
	switch problem := recover().(type) {
	case nil:
	case error:
		*err = fmt.Errorf(format+": %w", append(args, problem)...)
	default:
		*err = fmt.Errorf(format+": %v", append(args, problem)...)
	}
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
