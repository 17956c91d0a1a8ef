package decoder

import (
	"fmt"
	"maps"
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

// restore creates the optimizer's variables from state. Call it before any graph is built.
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
