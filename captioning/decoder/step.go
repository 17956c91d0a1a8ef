package decoder

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
)

// lossInputs is the number of inputs of lossGraph.
func (m Model) lossInputs() int {
	if m.Looks() {
		return 10
	}
	return 8
}

// stepGraph builds one training step and returns its loss, [] (float32). The inputs are those of lossGraph for each
// batch of the step.
func (t *Trainer) stepGraph(scope *model.Scope, in []*Node) *Node {
	var loss *Node
	for own := range slices.Chunk(in, t.lossInputs()) {
		if more := t.lossGraph(own); loss == nil {
			loss = more
		} else {
			loss = Add(loss, more)
		}
	}
	all := t.overDevices(append([]*Node{loss}, t.gradientsGraph(scope, loss)...)...)
	loss, gradients := all[0], all[1:]
	if t.options.ClipNorm > 0 {
		gradients = clipByGlobalNorm(gradients, t.options.ClipNorm)
	}
	adam := optimizer.Adam().LearningRate(t.options.LearningRate).Epsilon(1e-8).Done()
	adam.(interface {
		UpdateGraphWithGradients(*model.Scope, []*Node, dtypes.DType)
	}).UpdateGraphWithGradients(scope, gradients, dtypes.Float32)
	return loss
}

// gradientsGraph returns the gradient of every trainable variable, in the optimizer's order.
func (t *Trainer) gradientsGraph(scope *model.Scope, loss *Node) []*Node {
	return scope.Store().Scope(modelScope).BuildTrainableVariablesGradientsGraph(loss)
}

// lossGraph returns the weighted mean loss of a batch, [] (float32). Inputs, in this order:
//
//   - a table of image features [n, features] (float32) and the row of each caption's image [batch, 1] (int32)
//   - words [n] and places [time, batch] (int32), the input ids; see Batch.words
//   - targets [time, batch] (int32)
//   - weights [time, batch] (float32)
//   - rows [m, 1] (int32), the positions, of time*batch, that the output layer and the loss read
//   - the state of the random numbers for dropout
//   - for a Looking cell, the grids of the batch's images [images, places, channels] (bfloat16) and the image of each
//     caption [batch] (int32)
func (t *Trainer) lossGraph(in []*Node) *Node {
	targets, weights, rows, dropoutState := in[4], in[5], in[6], in[7]
	g := targets.Graph()
	w := t.inPrecision(t.options.Precision, t.weightsGraph(g))
	forced := t.forcedGraph(w, in)
	targets.AssertDims(forced.places.Shape().Dimensions...)
	weights.AssertDims(forced.places.Shape().Dimensions...)
	read := wordInputs{w, forced.words, forced.places}
	if share := t.options.EmbeddingDropout; share > 0 {
		dropoutState, read = read.dropEmbeddings(dropoutState, share)
		forced.words, forced.places = read.words, read.places
	}
	outputs, penalty := t.penalisedGraph(read.w, forced, weights)
	positions := targets.Shape().Size()
	outputs = Reshape(outputs, positions, t.Hidden)
	targets, weights = Reshape(targets, positions), Reshape(weights, positions)
	if rows.Shape().Dim(0) < positions {
		outputs, targets, weights = Gather(outputs, rows), Gather(targets, rows), Gather(weights, rows)
	}
	outputs.AssertDims(rows.Shape().Dim(0), t.Hidden)
	targets.AssertDims(rows.Shape().Dim(0))
	weights.AssertDims(rows.Shape().Dim(0))
	if t.options.Dropout > 0 {
		_, outputs = dropped(dropoutState, outputs, t.options.Dropout)
	}
	logits := t.logitsGraph(w, outputs)
	if t.options.WordsOnly {
		never := Const(g, neverTokens(t.Vocabulary, GenerateOptions{}))
		first := filled(g, int32(forced.places.Shape().Dim(1)), rows.Shape().Dim(0))
		logits = onlyWords(logits, never, LessThan(Reshape(rows, rows.Shape().Dim(0)), first))
	}
	losses := smoothedLosses(logits, targets, t.options.LabelSmoothing)
	losses.AssertDims(rows.Shape().Dim(0))
	total := ReduceAllSum(weights)
	if t.options.Devices > 1 {
		total = StopGradient(t.overDevices(total)[0])
	}
	if t.options.BatchWeight > 0 {
		total = Scalar(g, dtypes.Float32, t.options.BatchWeight)
	}
	sum := ReduceAllSum(Mul(losses, weights))
	if penalty != nil {
		sum = Add(sum, penalty)
	}
	return Div(sum, total)
}

// clipByGlobalNorm multiplies all gradients by limit/norm if their joint 2-norm is above limit, like
// torch.nn.utils.clip_grad_norm_ (with its 1e-6 in the denominator).
func clipByGlobalNorm(gradients []*Node, limit float64) []*Node {
	g := gradients[0].Graph()
	total := ScalarZero(g, dtypes.Float32)
	for _, x := range gradients {
		total = Add(total, ReduceAllSum(Square(x)))
	}
	factor := MinScalar(Div(Scalar(g, dtypes.Float32, limit), AddScalar(Sqrt(total), 1e-6)), 1.0)
	clipped := make([]*Node, len(gradients))
	for i, x := range gradients {
		clipped[i] = Mul(x, factor)
	}
	return clipped
}
