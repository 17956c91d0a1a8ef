// Package decoder is the recurrent half of the captioner as GoMLX graphs: the cells (LSTM, tanh RNN, or one of your
// own), the teacher-forced pass with its loss, and the loops that generate captions on the device.
//
// It leaves to others: what words mean (package vocab), where image features come from (package encoder), and epochs,
// files and scores (package captioning).
package decoder

import (
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
)

// Weight names one trainable array of a cell.
type Weight struct {
	Name  string // unique within the cell, as in "weight_ih"
	Shape []int
}

// Weights are the values of a cell's arrays in the graph that is being built, by name.
type Weights map[string]*Node

// Cell is one recurrent layer. The built-in ones are LSTM and RNN; a cell of your own only has to implement these five
// methods. It is trained through automatic differentiation, and nothing else in the project has to know of it.
//
// Start and Step build graphs: they may use every operation of GoMLX's package graph, and panic as these do.
type Cell interface {
	// Name identifies the cell in settings and records, as in "gru".
	Name() string
	// Weights lists the cell's arrays for inputs of size in and a hidden state of size hidden. They are drawn from
	// U(-1/sqrt(hidden), 1/sqrt(hidden)), as PyTorch does for its recurrent layers.
	Weights(in, hidden int) []Weight
	// NumStates is how many state arrays, each [batch, hidden], are carried from step to step.
	NumStates() int
	// Start returns the NumStates initial states out of the image embedding [batch, hidden].
	Start(image *Node) []*Node
	// Step returns the next states out of one input x [batch, in] and the states before. The first one is the output
	// that the vocabulary layer reads.
	Step(w Weights, x *Node, state []*Node) []*Node
}

// unroller is what a built-in cell offers beyond Cell: the whole teacher-forced sequence at once with a gradient written
// by hand, which is faster than automatic differentiation of the steps (see recurrence.go).
type unroller interface {
	// unrollGraph returns the outputs [time, batch, hidden] for inputs that stand, each once, in xs [n, in]; places [time, batch]
	// tells where.
	unrollGraph(w Weights, xs, places *Node, state []*Node) *Node
}

// tabled is what a built-in cell offers beyond Cell for generation: its step in two parts, of which the first depends on the
// input alone and can be computed once for every word of the vocabulary.
type tabled interface {
	// gatesGraph returns what inputs x [rows, in] contribute to the step, [rows, n].
	gatesGraph(w Weights, x *Node) *Node
	// stepFromGates is Step for inputs of which gatesGraph returned gates.
	stepFromGates(w Weights, gates *Node, state []*Node) []*Node
}

// Builtin returns the cell called "lstm" or "rnn".
func Builtin(name string) (Cell, error) {
	switch name {
	case "lstm":
		return LSTM{}, nil
	case "rnn":
		return RNN{}, nil
	}
	return nil, fmt.Errorf("unknown cell %q: the built-in cells are lstm and rnn; pass a cell of your own by value", name)
}

// LSTM is the long short-term memory cell with the gates, the order of the gates (input, forget, cell, output) and the
// two bias vectors of torch.nn.LSTM, so that weights can be exchanged. States: h, c.
//
// Reference: Hochreiter and Schmidhuber 1997; https://docs.pytorch.org/docs/2.11/generated/torch.nn.LSTM.html
type LSTM struct{}

// Name is "lstm".
func (LSTM) Name() string { return "lstm" }

// Weights are weight_ih [4*hidden, in], weight_hh [4*hidden, hidden], bias_ih and bias_hh [4*hidden].
func (LSTM) Weights(in, hidden int) []Weight { return torchWeights(4, in, hidden) }

// NumStates is 2.
func (LSTM) NumStates() int { return 2 }

// Start returns the image embedding as both h0 and c0 (the paper's hand-out).
func (LSTM) Start(image *Node) []*Node { return []*Node{image, image} }

// Step computes one time step.
func (LSTM) Step(w Weights, x *Node, state []*Node) []*Node {
	return LSTM{}.stepFromGates(w, inputGates(w, x), state)
}

func (LSTM) gatesGraph(w Weights, x *Node) *Node { return inputGates(w, x) }

func (LSTM) stepFromGates(w Weights, gates *Node, state []*Node) []*Node {
	h, c, _ := lstmGates(Add(gates, matMulT(state[0], w["weight_hh"])), state[1])
	return []*Node{h, c}
}

// RNN is the vanilla recurrent cell h' = tanh(W_ih x + b_ih + W_hh h + b_hh) of torch.nn.RNN. State: h.
//
// Reference: Elman 1990; https://docs.pytorch.org/docs/2.11/generated/torch.nn.RNN.html
type RNN struct{}

// Name is "rnn".
func (RNN) Name() string { return "rnn" }

// Weights are weight_ih [hidden, in], weight_hh [hidden, hidden], bias_ih and bias_hh [hidden].
func (RNN) Weights(in, hidden int) []Weight { return torchWeights(1, in, hidden) }

// NumStates is 1.
func (RNN) NumStates() int { return 1 }

// Start returns the image embedding as h0.
func (RNN) Start(image *Node) []*Node { return []*Node{image} }

// Step computes one time step.
func (RNN) Step(w Weights, x *Node, state []*Node) []*Node {
	return RNN{}.stepFromGates(w, inputGates(w, x), state)
}

func (RNN) gatesGraph(w Weights, x *Node) *Node { return inputGates(w, x) }

func (RNN) stepFromGates(w Weights, gates *Node, state []*Node) []*Node {
	return []*Node{Tanh(Add(gates, matMulT(state[0], w["weight_hh"])))}
}

func torchWeights(gates, in, hidden int) []Weight {
	return []Weight{
		{"weight_ih", []int{gates * hidden, in}},
		{"weight_hh", []int{gates * hidden, hidden}},
		{"bias_ih", []int{gates * hidden}},
		{"bias_hh", []int{gates * hidden}},
	}
}

// inputGates is W_ih x + b_ih + b_hh for x [..., in].
func inputGates(w Weights, x *Node) *Node {
	bias := Add(w["bias_ih"], w["bias_hh"])
	out := matMulT(x, w["weight_ih"])
	return Add(out, ExpandLeftToRank(bias, out.Rank()))
}

// lstmGates splits pre-activations [batch, 4*hidden] and returns the next h and c, and the four activated gates i, f, g, o.
func lstmGates(gates, c *Node) (h, cNext *Node, activated [4]*Node) {
	parts := splitLast(gates, 4)
	activated = [4]*Node{Sigmoid(parts[0]), Sigmoid(parts[1]), Tanh(parts[2]), Sigmoid(parts[3])}
	cNext = Add(Mul(activated[1], c), Mul(activated[0], activated[2]))
	return Mul(activated[3], Tanh(cNext)), cNext, activated
}

// splitLast cuts the last axis into n equal parts.
func splitLast(x *Node, n int) []*Node {
	size := x.Shape().Dim(-1) / n
	parts := make([]*Node, n)
	for i := range parts {
		parts[i] = SliceAxis(x, -1, AxisRange(i*size, (i+1)*size))
	}
	return parts
}

// checkCell reports what is wrong with a cell's own description, before any graph is built.
func checkCell(cell Cell, in, hidden int) error {
	if cell == nil {
		return fmt.Errorf("no cell given: use decoder.LSTM{}, decoder.RNN{} or one of your own")
	}
	if cell.Name() == "" {
		return fmt.Errorf("cell %T has no name", cell)
	}
	if n := cell.NumStates(); n < 1 {
		return fmt.Errorf("cell %q: NumStates is %d; a cell carries at least its output", cell.Name(), n)
	}
	var seen []string
	for _, w := range cell.Weights(in, hidden) {
		if w.Name == "" || slices.Contains(seen, w.Name) {
			return fmt.Errorf("cell %q: weight name %q is empty or used twice", cell.Name(), w.Name)
		}
		for _, d := range w.Shape {
			if d < 1 {
				return fmt.Errorf("cell %q: weight %q has the impossible shape %v", cell.Name(), w.Name, w.Shape)
			}
		}
		seen = append(seen, w.Name)
	}
	return nil
}

// checkStates panics, naming both shapes, when a cell returned states of the wrong number or shape. Decoder.tryCell, which finds
// such cells before anything else does, puts the cell's name before it.
func checkStates(cell Cell, where string, states []*Node, batch, hidden int) {
	if len(states) != cell.NumStates() {
		panic(fmt.Errorf("%s returned %d states, NumStates promises %d", where, len(states), cell.NumStates()))
	}
	for i, s := range states {
		if s == nil || s.Rank() != 2 || s.Shape().Dim(0) != batch || s.Shape().Dim(1) != hidden {
			panic(fmt.Errorf("state %d from %s has shape %v, want [batch=%d, hidden=%d]", i, where, s.Shape(), batch, hidden))
		}
	}
}
