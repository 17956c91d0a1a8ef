package decoder

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/vocab"
)

// Model describes a decoder: its cell and the sizes of its layers. It holds no weights.
//
// The layers, in the paper's terms, are a linear map from the image features to the initial state (with ImageFirst, to
// the first input), a word embedding, one recurrent layer, and a linear map to the vocabulary. All are trainable.
type Model struct {
	Cell       Cell
	Vocabulary int // number of token ids, including the special ones
	Features   int // size of an image's feature vector
	Embedding  int
	Hidden     int
	// ImageFirst feeds the image as input 0 with initial states of zeros, as in "Show and Tell" (Vinyals et al. 2015),
	// instead of using it as the initial state.
	ImageFirst bool
	// Tied uses the word embedding as the weight of the output layer, too (Press and Wolf 2017), so that Embedding must
	// be equal to Hidden.
	Tied bool
	// Places and Channels are the dimensions of an image's grid, for a Looking cell; others ignore them.
	Places, Channels int
}

// Names of the weights outside the cell. A cell's weight "w" is named "cell.w".
const (
	embeddingWeight = "embedding.weight" // [vocabulary, embedding]
	imageWeight     = "image.weight"     // [hidden, features], or [embedding, features] with ImageFirst
	imageBias       = "image.bias"       // [hidden], or [embedding] with ImageFirst
	outputWeight    = "output.weight"    // [vocabulary, hidden]
	outputBias      = "output.bias"      // [vocabulary]
	cellPrefix      = "cell."
)

// Check reports why the model cannot be built.
func (m Model) Check() error {
	if m.Vocabulary <= vocab.NumSpecials || m.Features < 1 || m.Embedding < 1 || m.Hidden < 1 {
		return fmt.Errorf("decoder: vocabulary %d, features %d, embedding %d, hidden %d: "+
			"all must be positive and the vocabulary above %d",
			m.Vocabulary, m.Features, m.Embedding, m.Hidden, vocab.NumSpecials)
	}
	if m.Tied && m.Embedding != m.Hidden {
		return fmt.Errorf("decoder: tied weights with embedding %d and hidden %d: both must be equal",
			m.Embedding, m.Hidden)
	}
	return checkCell(m)
}

// Weights lists every trainable array of the model in the fixed order in which initial values are drawn.
func (m Model) Weights() []Weight {
	imageOut := m.Hidden
	if m.ImageFirst {
		imageOut = m.Embedding
	}
	weights := []Weight{
		{embeddingWeight, []int{m.Vocabulary, m.Embedding}},
		{imageWeight, []int{imageOut, m.Features}},
		{imageBias, []int{imageOut}},
	}
	for _, w := range m.ownWeights() {
		weights = append(weights, Weight{cellPrefix + w.Name, w.Shape})
	}
	if !m.Tied {
		weights = append(weights, Weight{outputWeight, []int{m.Vocabulary, m.Hidden}})
	}
	return append(weights, Weight{outputBias, []int{m.Vocabulary}})
}

// NumParameters returns the number of trainable parameters.
func (m Model) NumParameters() int {
	total := 0
	for _, w := range m.Weights() {
		total += size(w.Shape)
	}
	return total
}

// Values holds weights on the host, each row-major, by the names that Model.Weights lists.
type Values map[string][]float32

// Initialize draws initial weights from PyTorch's distributions: the embedding from N(0, 1), linear layers from
// U(-1/sqrt(inputs), 1/sqrt(inputs)), the cell from U(-1/sqrt(hidden), 1/sqrt(hidden)). A tied embedding is drawn as an
// output layer. The same seed gives the same values on every machine. Reference: reset_parameters of
// torch.nn.Embedding, Linear and LSTM in PyTorch 2.11.
func (m Model) Initialize(seed int64) Values {
	values := make(Values)
	for i, w := range m.Weights() {
		random := rand.New(rand.NewPCG(uint64(seed), uint64(i)))
		data := make([]float32, size(w.Shape))
		bound := 1 / math.Sqrt(float64(m.Hidden))
		if w.Name == imageWeight || w.Name == imageBias {
			bound = 1 / math.Sqrt(float64(m.Features))
		}
		for j := range data {
			if w.Name == embeddingWeight && !m.Tied {
				data[j] = float32(random.NormFloat64())
			} else {
				data[j] = float32((2*random.Float64() - 1) * bound)
			}
		}
		values[w.Name] = data
	}
	return values
}

// CheckValues reports a weight that is missing, unknown, of the wrong size, or not finite.
func (m Model) CheckValues(values Values) error {
	for _, w := range m.Weights() {
		data, ok := values[w.Name]
		if !ok {
			return fmt.Errorf("decoder: weight %q is missing", w.Name)
		}
		if len(data) != size(w.Shape) {
			return fmt.Errorf("decoder: weight %q has %d numbers; its shape %v needs %d",
				w.Name, len(data), w.Shape, size(w.Shape))
		}
		for i, x := range data {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return fmt.Errorf("decoder: weight %q is %v at position %d", w.Name, x, i)
			}
		}
	}
	if len(values) != len(m.Weights()) {
		return fmt.Errorf("decoder: %d weights given, the model has %d", len(values), len(m.Weights()))
	}
	return nil
}

// cellWeights returns the cell's weights, by the names that the cell gave them.
func (m Model) cellWeights(w Weights) Weights {
	own := make(Weights)
	for _, spec := range m.ownWeights() {
		own[spec.Name] = w[cellPrefix+spec.Name]
	}
	return own
}

// imageGraph maps features [batch, features] through the image layer: [batch, hidden], or [batch, embedding] with
// ImageFirst; float32.
func (m Model) imageGraph(w Weights, features *Node) *Node {
	image := matMulT(features, w[imageWeight])
	image.AssertDims(features.Shape().Dim(0), w[imageBias].Shape().Dim(0))
	return Add(image, ExpandLeftToRank(w[imageBias], 2))
}

// embedGraph looks up token ids [...] (int32): [..., embedding], float32.
func (m Model) embedGraph(w Weights, ids *Node) *Node {
	return lookUp(w[embeddingWeight], ids)
}

// startGraph returns the states before <start> is read, each [batch, hidden] (float32), for features [batch, features]
// and what a Looking cell has seen, for as many images.
func (m Model) startGraph(w Weights, features *Node, seen []*Node) []*Node {
	batch := features.Shape().Dim(0)
	image := m.imageGraph(w, features)
	var states []*Node
	if m.ImageFirst {
		zero := Zeros(features.Graph(), shapes.Make(dtypes.Float32, batch, m.Hidden))
		for range m.Cell.NumStates() {
			states = append(states, zero)
		}
		states = m.Cell.Step(m.cellWeights(w), image, append(states, seen...))
	} else {
		states = m.Cell.Start(image)
	}
	checkStates(m.Cell, "Start", states, batch, m.Hidden)
	return states
}

// forced is the input of teacher forcing.
type forced struct {
	features *Node   // [batch, features] (float32)
	seen     []*Node // what a Looking cell has seen, [batch, ...] each (float32)
	words    *Node   // [n] (int32): the distinct input ids
	places   *Node   // [time, batch] (int32): the index in words of each position's input
}

// outputsGraph runs teacher forcing and returns the outputs of the recurrent layer, [time, batch, hidden] (float32).
func (m Model) outputsGraph(w Weights, in forced) *Node {
	states := m.startGraph(w, in.features, in.seen)
	xs := m.embedGraph(w, in.words)
	steps, batch := in.places.Shape().Dim(0), in.places.Shape().Dim(1)
	xs.AssertDims(in.words.Shape().Dim(0), m.Embedding)
	own := m.cellWeights(w)
	if fast, ok := m.Cell.(unroller); ok {
		outputs := fast.unroll(own, xs, in.places, slices.Concat(states, in.seen))
		outputs.AssertDims(steps, batch, m.Hidden)
		return outputs
	}
	// A custom cell is unrolled and differentiated as a whole. A loop whose body is differentiated cannot be built
	// with GoMLX 0.28, which shares constants and reductions among closures. To differentiate each Step by its states
	// only and then one Step of all positions, for large products, was measured at 0.82 to 1.03 times this speed.
	outputs := make([]*Node, steps)
	xs = lookUp(xs, in.places)
	xs.AssertDims(steps, batch, m.Embedding)
	for t := range steps {
		states = m.Cell.Step(own, stepOf(xs, t), slices.Concat(states, in.seen))
		checkStates(m.Cell, "Step", states, batch, m.Hidden)
		outputs[t] = states[0]
	}
	return Stack(outputs, 0)
}

// logitsGraph maps outputs [rows, hidden] to logits [rows, vocabulary], float32.
func (m Model) logitsGraph(w Weights, outputs *Node) *Node {
	logits := matMulT(outputs, w[outputWeight])
	logits.AssertDims(outputs.Shape().Dim(0), m.Vocabulary)
	return Add(logits, ExpandLeftToRank(w[outputBias], 2))
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
