package decoder

import (
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Attention returns where the model looks when it says captions, given the inputs of each caption's image: for every
// token of a caption, its words and then <end> unless it has o.MaxWords words, the weights of all places
// [Model.Places]. They are the weights with which Generate chose that token of a caption that it wrote. Of o, only
// MaxWords and AllowUnknown count. Fails for a cell that is not Attending, and where WordLogProbs does.
func (d *Decoder) Attention(images Inputs, captions [][]int32, o GenerateOptions) (weights [][][]float32, err error) {
	o = o.WithDefaults()
	if _, ok := asAttending(d.Cell); !ok {
		return nil, fmt.Errorf("decoder: cell %q has no attention", d.Cell.Name())
	}
	if err := d.checkCaptioned(images, captions, o); err != nil {
		return nil, err
	}
	defer recoverTo(&err, "decoder: attention")
	if d.looks == nil {
		d.looks, err = model.NewExec(d.backend, d.store, func(_ *model.Scope, in []*Node) *Node {
			w := d.weightsGraph(in[0].Graph())
			_, weights := d.attendingGraph(w, d.captionsGraph(w, in[0], in[1], in[2:]))
			return weights
		})
		if err != nil {
			return nil, err
		}
	}
	first := 0
	for part := range slices.Chunk(captions, probsFew) {
		in := images.of(d.Model, first, first+len(part)).padded(d.Model, probsFew)
		first += len(part)
		steps := stepsFor(part, o.MaxWords)
		inputs, _ := teacherForced(part, steps, probsFew)
		out, err := d.looks.Call1(append([]any{in[0], tensors.FromFlatDataAndDimensions(inputs, steps, probsFew)},
			in[1:]...)...)
		if err != nil {
			return nil, fmt.Errorf("decoder: attention: %w", err)
		}
		all := tensors.MustCopyFlatData[float32](out)
		if err := out.FinalizeAll(); err != nil {
			return nil, err
		}
		for row, ids := range part {
			tokens := make([][]float32, min(len(ids)+1, o.MaxWords))
			for t := range tokens {
				at := (t*probsFew + row) * d.Places
				tokens[t] = all[at : at+d.Places : at+d.Places]
			}
			weights = append(weights, tokens)
		}
	}
	return weights, nil
}
