package decoder

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/train/optimizer"
)

// State is what training needs, in addition to the weights, to resume to the bit: Adam's moments and step count, by
// name, each row-major. A moment has the shape of its weight, the step count has one element.
type State map[string][]float32

// Where GoMLX's Adam keeps its variables.
const adamScope = "/" + optimizer.AdamDefaultScope

var learningRatePath = "/" + optimizer.Scope + "/" + optimizer.ParamLearningRate

// StateNames returns the sorted names of the arrays in the optimizer's state. There are none before the first step.
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

// ReadState calls f with one array of the optimizer's state. F must not keep the slice.
func (t *Trainer) ReadState(name string, f func(data []float32) error) error {
	return readVariable(t.store, adamScope+"/"+name, f)
}

// Names of the arrays of the state.
const (
	stepState    = "step"
	firstMoment  = "_1st_moment" // appended to the path of a weight
	secondMoment = "_2nd_moment"
)

// stateShapes returns the shapes of the arrays in the optimizer's state, by name.
func (m Model) stateShapes() map[string][]int {
	shapes := map[string][]int{stepState: {}}
	for _, w := range m.Weights() {
		for _, moment := range []string{firstMoment, secondMoment} {
			shapes[strings.TrimPrefix(variablePath(w.Name), "/")+moment] = w.Shape
		}
	}
	return shapes
}

// CheckState reports an array of the optimizer's state that is missing, unknown, of the wrong size, or holds numbers
// that Adam cannot leave. An empty state is that of a training that has not begun.
func (m Model) CheckState(state State) error {
	if len(state) == 0 {
		return nil
	}
	shapes := m.stateShapes()
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		data := state[name]
		if len(data) != size(shapes[name]) {
			return fmt.Errorf("decoder: optimizer state %q has %d numbers, want %d", name, len(data),
				size(shapes[name]))
		}
		low, high := math.Inf(-1), math.Inf(1)
		if name == stepState || strings.HasSuffix(name, secondMoment) {
			low = 0
		}
		if name == stepState {
			high = 1 << 40
		}
		for i, x := range data {
			if v := float64(x); !isFinite(v) || v < low || v > high {
				return fmt.Errorf("decoder: optimizer state %q is %v at position %d", name, x, i)
			}
		}
	}
	if len(state) != len(shapes) {
		return fmt.Errorf("decoder: optimizer state has %d arrays, want %d", len(state), len(shapes))
	}
	return nil
}

// restore creates the optimizer's variables from state. Call it before any graph is built.
func (t *Trainer) restore(state State) error {
	if len(state) == 0 {
		return nil
	}
	if err := t.CheckState(state); err != nil {
		return err
	}
	shapes := t.stateShapes()
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		value := tensors.FromFlatDataAndDimensions(state[name], shapes[name]...)
		v, err := t.store.CreateVariable(adamScope+"/"+name, value)
		if err != nil {
			return err
		}
		v.SetTrainable(false)
	}
	t.steps = int64(state[stepState][0])
	return nil
}
