package decoder

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"captionlab/captioning/vocab"
)

// The numbers of captions whose words are looked up at once: few, and many where there are as many, since the weights
// are read once for all. With them and steps in multiples of probsSteps, few programs serve all.
const probsFew, probsMany, probsSteps = 8, 32, 8

// WordLogProbs returns the log-probability, in nats, of every token of captions that Generate wrote, given their
// features [n, features], row-major: one for each word and, if the caption is shorter than o.MaxWords, one for <end>.
// They add up to Caption.LogProb but for rounding, since the forbidden tokens are left out in the same way. Of o, only
// MaxWords and AllowUnknown count. Fails if a caption is empty or too long, if an id is not a word, or if features does
// not hold n vectors.
func (d *Decoder) WordLogProbs(features []float32, captions [][]int32, o GenerateOptions) (
	logProbs [][]float64, err error) {
	return d.WordLogProbsFrom(Inputs{Features: features}, captions, o)
}

// WordLogProbsFrom is WordLogProbs for models that look as well as others. It needs the inputs of each caption's image.
func (d *Decoder) WordLogProbsFrom(images Inputs, captions [][]int32, o GenerateOptions) (
	logProbs [][]float64, err error) {
	o = o.WithDefaults()
	if err := d.checkCaptioned(images, captions, o); err != nil {
		return nil, err
	}
	defer recoverTo(&err, "decoder: probabilities of words")
	if d.words == nil {
		d.words, err = model.NewExec(d.backend, d.store, func(_ *model.Scope, in []*Node) *Node {
			return d.wordLossesGraph(d.weightsGraph(in[0].Graph()), in)
		})
		if err != nil {
			return nil, err
		}
	}
	first, batch := 0, probsFew
	if len(captions) >= probsMany/2 {
		batch = probsMany
	}
	for part := range slices.Chunk(captions, batch) {
		in := images.of(d.Model, first, first+len(part)).padded(d.Model, batch)
		first += len(part)
		steps := stepsFor(part, o.MaxWords)
		inputs, targets := teacherForced(part, steps, batch)
		out, err := d.words.Call1(append([]any{in[0],
			tensors.FromFlatDataAndDimensions(inputs, steps, batch),
			tensors.FromFlatDataAndDimensions(targets, steps, batch), forbiddenTokens(d.Vocabulary, o)}, in[1:]...)...)
		if err != nil {
			return nil, fmt.Errorf("decoder: probabilities of words: %w", err)
		}
		losses := tensors.MustCopyFlatData[float32](out)
		if err := out.FinalizeAll(); err != nil {
			return nil, err
		}
		for row, ids := range part {
			tokens := make([]float64, min(len(ids)+1, o.MaxWords))
			for t := range tokens {
				tokens[t] = -float64(losses[t*batch+row])
			}
			logProbs = append(logProbs, tokens)
		}
	}
	return logProbs, nil
}

// checkCaptioned reports captions that Generate does not write, and inputs that are not those of their images.
func (d *Decoder) checkCaptioned(images Inputs, captions [][]int32, o GenerateOptions) error {
	if err := images.check(d.Model, len(captions)); err != nil {
		return fmt.Errorf("decoder: %w", err)
	}
	for i, ids := range captions {
		if err := d.checkWords(ids, o); err != nil {
			return fmt.Errorf("decoder: caption %d: %w", i, err)
		}
	}
	return nil
}

// checkWords reports ids that Generate does not write.
func (d *Decoder) checkWords(ids []int32, o GenerateOptions) error {
	if len(ids) < 1 || len(ids) > o.MaxWords {
		return fmt.Errorf("%d words, want 1 to %d", len(ids), o.MaxWords)
	}
	for _, id := range ids {
		if id >= int32(d.Vocabulary) || id < vocab.NumSpecials && (id != vocab.Unknown || !o.AllowUnknown) {
			return fmt.Errorf("token id %d is not a word of the vocabulary of %d", id, d.Vocabulary)
		}
	}
	return nil
}

// stepsFor returns the number of steps that captions take, with <end>, in multiples of probsSteps but at most maxWords.
func stepsFor(captions [][]int32, maxWords int) int {
	longest := 0
	for _, ids := range captions {
		longest = max(longest, len(ids)+1)
	}
	return min((longest+probsSteps-1)/probsSteps*probsSteps, maxWords)
}

// teacherForced lays out captions time-major, [steps, batch]: the tokens that are read and those that follow.
func teacherForced(captions [][]int32, steps, batch int) (inputs, targets []int32) {
	inputs, targets = make([]int32, steps*batch), make([]int32, steps*batch)
	for i := range targets {
		inputs[i], targets[i] = vocab.Start, vocab.End
	}
	for row, ids := range captions {
		for t, id := range ids {
			targets[t*batch+row] = id
			if t+1 < steps {
				inputs[(t+1)*batch+row] = id
			}
		}
	}
	return inputs, targets
}

// wordLossesGraph returns the cross-entropy [steps*batch] (float32) of targets [steps, batch] after inputs
// [steps, batch] (int32), given features [batch, features] and, if the model looks, grids [batch, places, channels],
// among the tokens that are not in never [vocabulary] (bool). <end> cannot come first.
func (d *Decoder) wordLossesGraph(w Weights, in []*Node) *Node {
	features, inputs, targets, never := in[0], in[1], in[2], in[3]
	g := features.Graph()
	batch, rows := inputs.Shape().Dim(1), inputs.Shape().Size()
	outputs := d.outputsGraph(w, d.captionsGraph(w, features, inputs, in[4:]))
	logits := d.logitsGraph(w, Reshape(outputs, rows, d.Hidden))
	isFirst := LessThan(Iota(g, shapes.Make(dtypes.Int32, rows), 0), filled(g, int32(batch), rows))
	losses := tokenLosses(onlyWords(logits, never, isFirst), Reshape(targets, rows))
	losses.AssertDims(rows)
	return losses
}

// captionsGraph is the input of teacher forcing for captions inputs [steps, batch] (int32) of images with features
// [batch, features] and, if the model looks, grids [batch, places, channels].
func (d *Decoder) captionsGraph(w Weights, features, inputs *Node, grids []*Node) forced {
	steps, batch := inputs.Shape().Dim(0), inputs.Shape().Dim(1)
	features.AssertDims(batch, d.Features)
	var seen []*Node
	if d.Looks() {
		seen = d.lookGraph(w, grids[0])
	}
	rows := steps * batch
	places := Reshape(Iota(features.Graph(), shapes.Make(dtypes.Int32, rows), 0), steps, batch)
	return forced{features, seen, Reshape(inputs, rows), places}
}
