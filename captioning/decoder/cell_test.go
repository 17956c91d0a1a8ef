package decoder

import (
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// broken is an RNN with one method replaced.
type broken struct {
	RNN
	weights func(in, hidden int) []Weight
	start   func(image *Node) []*Node
	step    func(w Weights, x *Node, state []*Node) []*Node
}

func (broken) Name() string { return "broken" }

func (b broken) Weights(in, hidden int) []Weight {
	if b.weights != nil {
		return b.weights(in, hidden)
	}
	return b.RNN.Weights(in, hidden)
}

func (b broken) Start(image *Node) []*Node {
	if b.start != nil {
		return b.start(image)
	}
	return b.RNN.Start(image)
}

func (b broken) Step(w Weights, x *Node, state []*Node) []*Node {
	if b.step != nil {
		return b.step(w, x, state)
	}
	return b.RNN.Step(w, x, state)
}

// New reports each mistake in a custom cell as an error that names the cell.
func TestUnsoundCells(t *testing.T) {
	backend, err := compute.NewWithConfig("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	copies := func(n int) func(image *Node) []*Node {
		return func(image *Node) []*Node { return slices.Repeat([]*Node{image}, n) }
	}
	weights := func(list ...Weight) func(in, hidden int) []Weight {
		return func(in, hidden int) []Weight { return list }
	}
	for name, c := range map[string]struct {
		cell broken
		want string
	}{
		"weight without name": {broken{weights: weights(Weight{"", []int{1}})}, "empty"},
		"weight twice": {
			broken{weights: weights(Weight{"a", []int{1}}, Weight{"a", []int{1}})}, "used twice",
		},
		"empty weight": {broken{weights: weights(Weight{"a", []int{0}})}, "at least 1"},
		"two states":   {broken{start: copies(2)}, "Start returned 2 states"},
		"nil state":    {broken{start: func(image *Node) []*Node { return []*Node{nil} }}, "state 0 from Start is nil"},
		"wide state": {broken{step: func(w Weights, x *Node, state []*Node) []*Node {
			return []*Node{Concatenate([]*Node{state[0], state[0]}, 1)}
		}}, "state 0 from Step has shape"},
		"dtype": {broken{step: func(w Weights, x *Node, state []*Node) []*Node {
			return []*Node{ConvertDType(state[0], dtypes.Float64)}
		}}, "want float32 [batch=2, hidden=4]"},
		"panic": {broken{step: func(w Weights, x *Node, state []*Node) []*Node {
			return []*Node{Add(x, state[0])}
		}}, "Add"},
	} {
		t.Run(name, func(t *testing.T) {
			m := Model{Cell: c.cell, Vocabulary: 8, Features: 2, Embedding: 6, Hidden: 4}
			d, err := New(backend, m, m.Initialize(1))
			if err == nil {
				d.Finalize()
				t.Fatal("the cell was accepted")
			}
			if !strings.Contains(err.Error(), `cell "broken"`) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error %q does not name the cell or contain %q", err, c.want)
			}
		})
	}
}
