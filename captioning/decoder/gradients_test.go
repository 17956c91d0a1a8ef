package decoder

import (
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	. "github.com/gomlx/gomlx/core/graph"
)

// gradients returns the gradient of every weight for a batch, without taking a step.
func (t *Trainer) gradients(b *Batch) (Values, error) {
	inputs, err := t.inputs(b)
	if err != nil {
		return nil, err
	}
	var names []string
	exec, err := model.NewExec(t.backend, t.store, func(scope *model.Scope, in []*Node) []*Node {
		loss := t.lossGraph(in)
		names = nil
		for v := range scope.Store().Scope(modelScope).IterVariables() {
			if v.Trainable && v.InUseByGraph(loss.Graph()) {
				names = append(names, v.Name())
			}
		}
		return t.gradientsGraph(scope, loss)
	})
	if err != nil {
		return nil, err
	}
	defer exec.Finalize()
	out, err := exec.Call(inputs...)
	if err != nil {
		return nil, err
	}
	values := make(Values)
	for i, name := range names {
		values[name] = tensors.MustCopyFlatData[float32](out[i])
	}
	return values, nil
}
