// Package decoder is the recurrent half of the captioner, built as GoMLX graphs: the cells (LSTM, tanh RNN or a custom
// one), teacher forcing with its loss, and the loops that generate captions on the device.
//
// Other packages decide what words mean (vocab), where image features come from (encoder), and how epochs, files and
// scores are handled (captioning).
package decoder

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Weight describes one trainable float32 array of a cell.
type Weight struct {
	Name  string // unique within the cell, for example "weight_ih"
	Shape []int  // every dimension is at least 1
}

// Weights holds the cell's arrays as nodes of the graph that is being built, by Weight.Name.
type Weights map[string]*Node

// Cell is one recurrent layer. LSTM and RNN are built in. To use your own, implement these five methods, for instance
// in a notebook, and set Model.Cell; no other code changes. The example is a complete gated recurrent unit.
//
// Start and Step build graphs with the operations of GoMLX's package graph. Every node they receive is float32, and
// every state they return must be float32 of shape [batch, hidden]. Batch differs between calls: read it from the
// arguments. Use only the nodes that are passed in: generation calls Step inside a loop on the device, which sees no
// others. Automatic differentiation trains the cell, so each operation needs a gradient.
//
// A mistake becomes an error of New and NewTrainer that names the cell: unsound Weights or NumStates, states of the
// wrong number, shape or dtype, and any panic in Start or Step, which GoMLX's operations raise when shapes do not fit.
type Cell interface {
	// Name identifies the cell in settings and records, for example "gru". It must not be empty.
	Name() string
	// Weights lists the cell's arrays for inputs of size in and a hidden state of size hidden. Their initial values are
	// drawn from U(-1/sqrt(hidden), 1/sqrt(hidden)), like those of PyTorch's recurrent layers.
	Weights(in, hidden int) []Weight
	// NumStates returns the number of state arrays, each [batch, hidden], that pass from step to step: at least 1.
	NumStates() int
	// Start maps the image embedding [batch, hidden] to the NumStates initial states. With Model.ImageFirst, Start is
	// not called: Step reads the image embedding [batch, in] from states of zeros.
	Start(image *Node) []*Node
	// Step maps one input x [batch, in] and the NumStates previous states to the next states, in the same order. The
	// first state is the output that the vocabulary layer reads.
	Step(w Weights, x *Node, state []*Node) []*Node
}

// unroller is implemented by the built-in cells: it runs the whole teacher-forced sequence at once, with a hand-written
// gradient that is faster than automatic differentiation of the steps (see recurrence.go).
type unroller interface {
	// unroll returns the outputs [time, batch, hidden], float32. The distinct inputs are xs [n, in] (float32); places
	// [time, batch] (int32) holds the row of xs that is read at each position.
	unroll(w Weights, xs, places *Node, state []*Node) *Node
}

// tabled is implemented by the built-in cells: it splits a step into two parts for generation. The first part depends
// on the input only, so that it can be computed once for every word of the vocabulary.
type tabled interface {
	// gates returns what inputs x [rows, in] contribute to the step: [rows, n], float32.
	gates(w Weights, x *Node) *Node
	// stepFromGates does the rest of Step, for the result of gates.
	stepFromGates(w Weights, gates *Node, state []*Node) []*Node
}

// stepwise hides unroller and tabled of a built-in cell, which is then treated like a custom one.
type stepwise struct{ Cell }

// attendingUnroller is an unroller that can also return the weights of the places.
type attendingUnroller interface {
	// unrollAttending returns the outputs and the weights [time, batch, places], float32.
	unrollAttending(w Weights, xs, places *Node, state []*Node) (outputs, weights *Node)
}

// Builtin returns the cell named "lstm", "rnn", "attention" or "top-down". Attention is the size of the attention
// space;
// 0 means DefaultAttention. Cells without attention ignore it.
func Builtin(name string, attention int) (Cell, error) {
	switch name {
	case "lstm":
		return LSTM{}, nil
	case "rnn":
		return RNN{}, nil
	case "attention":
		return Attention{Size: attention}, nil
	case "top-down":
		return TopDown{Size: attention}, nil
	}
	return nil, fmt.Errorf("unknown cell %q: the built-in cells are lstm, rnn, attention and top-down; "+
		"pass a custom cell by value", name)
}

// checkCell validates a cell's description before any graph is built.
func checkCell(m Model) error {
	cell := m.Cell
	if cell == nil {
		return fmt.Errorf("no cell given: use decoder.LSTM{}, decoder.RNN{} or a custom cell")
	}
	if cell.Name() == "" {
		return fmt.Errorf("cell %T has an empty name", cell)
	}
	if n := cell.NumStates(); n < 1 {
		return fmt.Errorf("cell %q: NumStates is %d; it must be at least 1, for the output", cell.Name(), n)
	}
	if m.Looks() && (m.Places < 1 || m.Channels < 1) {
		return fmt.Errorf("cell %q looks at feature maps, but the model has %d places with %d channels: both must be "+
			"at least 1; use an encoder with feature maps", cell.Name(), m.Places, m.Channels)
	}
	var seen []string
	for _, w := range m.ownWeights() {
		if w.Name == "" || slices.Contains(seen, w.Name) {
			return fmt.Errorf("cell %q: weight name %q is empty or used twice", cell.Name(), w.Name)
		}
		for _, d := range w.Shape {
			if d < 1 {
				return fmt.Errorf("cell %q: weight %q has the shape %v; every dimension must be at least 1",
					cell.Name(), w.Name, w.Shape)
			}
		}
		seen = append(seen, w.Name)
	}
	return nil
}

// checkStates panics if the method named where returned anything but NumStates float32 states [batch, hidden]. The
// message does not name the cell: Decoder.tryCell, which finds such cells first, adds the name.
func checkStates(cell Cell, where string, states []*Node, batch, hidden int) {
	if len(states) != cell.NumStates() {
		panic(fmt.Errorf("%s returned %d states, but NumStates is %d", where, len(states), cell.NumStates()))
	}
	for i, s := range states {
		if s == nil {
			panic(fmt.Errorf("state %d from %s is nil", i, where))
		}
		if s.DType() != dtypes.Float32 || s.Rank() != 2 || s.Shape().Dim(0) != batch || s.Shape().Dim(1) != hidden {
			panic(fmt.Errorf("state %d from %s has shape %v, want float32 [batch=%d, hidden=%d]",
				i, where, s.Shape(), batch, hidden))
		}
	}
}
