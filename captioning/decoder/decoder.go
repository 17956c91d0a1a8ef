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

// modelScope holds the trainable variables; everything else in the store belongs to the optimizer.
const modelScope = "/model"

// Decoder is a Model with its weights on a device. Not safe for concurrent use.
type Decoder struct {
	Model
	backend compute.Backend
	store   *model.Store
	losses  *model.Exec
	loops   map[loopKey]*loop
	// unrolled tells to build loops step by step: GoMLX's pure Go backend lacks what they are made of.
	unrolled bool
}

// New puts values on the backend's device. Fails when the model or the values are not sound; a cell of one's own whose
// Start or Step has the wrong shape is found out here.
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
		return d.tokenLossesGraph(d.weightsGraph(in[0].Graph()), in[0], in[1], in[2], in[3])
	})
	return d, err
}

// tryCell builds, without compiling, one step on a batch of two, so that a cell that cannot work says so at once.
func (d *Decoder) tryCell() (err error) {
	defer recoverTo(&err, "cell %q", d.Cell.Name())
	g := NewGraph(d.backend, "try "+d.Cell.Name())
	defer g.Finalize()
	w := make(Weights)
	for _, spec := range d.Weights() {
		w[spec.Name] = Zeros(g, shapes.Make(dtypes.Float32, spec.Shape...))
	}
	states := d.startGraph(w, Zeros(g, shapes.Make(dtypes.Float32, 2, d.Features)))
	next := d.Cell.Step(d.cellWeights(w), Zeros(g, shapes.Make(dtypes.Float32, 2, d.Embedding)), states)
	checkStates(d.Cell, "Step", next, 2, d.Hidden)
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

// Batch is what teacher forcing reads: Size captions of at most Steps inputs each, with the features of their pictures.
// Ids and weights are time-major: those of step t of caption b are at [t*Size+b].
type Batch struct {
	Size, Steps int
	Features    []float32 // [size, features]
	Inputs      []int32   // [steps, size]: <start>, w1, w2, ...
	Targets     []int32   // [steps, size]: w1, w2, ..., <end>
	// Weights [steps, size] multiply each position's loss: 0 for a pad that does not count.
	Weights []float32
}

// Check reports arrays whose length does not fit, and ids that are out of range for the model.
func (b *Batch) Check(m Model) error {
	n := b.Size * b.Steps
	if b.Size < 1 || b.Steps < 1 || len(b.Features) != b.Size*m.Features || len(b.Inputs) != n || len(b.Targets) != n || len(b.Weights) != n {
		return fmt.Errorf("decoder: a batch of %d captions and %d steps with %d features, %d inputs, %d targets, %d weights does not fit together",
			b.Size, b.Steps, len(b.Features), len(b.Inputs), len(b.Targets), len(b.Weights))
	}
	for i := range n {
		for _, id := range [2]int32{b.Inputs[i], b.Targets[i]} {
			if id < 0 || int(id) >= m.Vocabulary {
				return fmt.Errorf("decoder: token id %d is outside the vocabulary of %d", id, m.Vocabulary)
			}
		}
	}
	return nil
}

// words lists each input word of the batch once, in ascending order, and for every position the place [steps, size] of its
// word in that list. A caption batch holds its words three times over, and what a word contributes to the cell's gates need
// be computed once. The list is filled up to a whole number of eighths of the positions (few compiled programs are needed
// then); the filling is read at no position.
func (b *Batch) words() (words, places *tensors.Tensor) {
	list := slices.Compact(slices.Sorted(slices.Values(b.Inputs)))
	at := make([]int32, len(b.Inputs))
	for i, id := range b.Inputs {
		place, _ := slices.BinarySearch(list, id)
		at[i] = int32(place)
	}
	eighth := (len(b.Inputs) + 7) / 8
	filled := make([]int32, (len(list)+eighth-1)/eighth*eighth)
	copy(filled, list)
	return tensors.FromFlatDataAndDimensions(filled, len(filled)), tensors.FromFlatDataAndDimensions(at, b.Steps, b.Size)
}

func (b *Batch) tensors(m Model) (features, words, places, targets, weights *tensors.Tensor) {
	words, places = b.words()
	return tensors.FromFlatDataAndDimensions(b.Features, b.Size, m.Features), words, places,
		tensors.FromFlatDataAndDimensions(b.Targets, b.Steps, b.Size),
		tensors.FromFlatDataAndDimensions(b.Weights, b.Steps, b.Size)
}

// TokenLosses returns the cross-entropy in nats at every position of the batch, [steps, size] like its ids, without
// regard to Batch.Weights and without dropout.
func (d *Decoder) TokenLosses(b *Batch) (losses []float32, err error) {
	if err := b.Check(d.Model); err != nil {
		return nil, err
	}
	defer recoverTo(&err, "decoder: losses")
	features, words, places, targets, _ := b.tensors(d.Model)
	out, err := d.losses.Call1(features, words, places, targets)
	if err != nil {
		return nil, fmt.Errorf("decoder: losses: %w", err)
	}
	losses = tensors.MustCopyFlatData[float32](out)
	return losses, out.FinalizeAll()
}

// tokenLossesGraph returns [steps*size] losses of all positions.
func (d *Decoder) tokenLossesGraph(w Weights, features, words, places, targets *Node) *Node {
	outputs := d.outputsGraph(w, features, words, places)
	rows := outputs.Shape().Dim(0) * outputs.Shape().Dim(1)
	logits := d.logitsGraph(w, Reshape(outputs, rows, d.Hidden))
	return tokenLosses(logits, Reshape(targets, rows))
}

// weightsGraph brings the trainable variables into a graph.
func (d *Decoder) weightsGraph(g *Graph) Weights {
	w := make(Weights)
	for _, spec := range d.Weights() {
		w[spec.Name] = d.store.GetVariable(variablePath(spec.Name)).NodeValue(g)
	}
	return w
}

// Finalize frees the device's memory. The decoder must not be used after that.
func (d *Decoder) Finalize() {
	d.losses.Finalize()
	for _, l := range d.loops {
		l.finalize()
	}
	d.store.Finalize()
}

func variablePath(weight string) string { return modelScope + "/" + weight }

// ReadWeight shows one array of the model, by its name in Model.Weights, to f, which must not keep it.
func (d *Decoder) ReadWeight(name string, f func(data []float32) error) error {
	return readVariable(d.store, variablePath(name), f)
}

// readVariable shows a float32 variable to f. What the host holds of it for that is given back, so that a model can be
// written to a file without ever being in memory a second time.
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
	onHostAlone := value.IsLocal()
	if err := tensors.ConstFlatData(value, func(data []float32) { problem = f(data) }); err != nil {
		return err
	}
	if !onHostAlone {
		value.FinalizeLocal()
	}
	return problem
}

// recoverTo turns a panic of graph building into an error. Use it deferred, at the package's edge alone.
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
