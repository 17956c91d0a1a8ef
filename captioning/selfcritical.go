package captioning

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/captioning/vocab"
	"captionlab/datasets"
)

// Self-critical sequence training (Rennie et al. 2017, "Self-Critical Sequence Training for Image Captioning"): instead
// of predicting the next word of a reference, the model samples whole captions, and those with a higher reward than
// the critic's become likelier. The critic is the mean of the image's other samples (Luo 2020, "A Better Variant of
// Self-Critical Sequence Training") or, as in the first paper, the greedy caption. Its reward does not depend on the
// sample, so the mean gradient of a step is that of the expected reward.

// selfCritical takes the steps of a run with loss=self-critical.
type selfCritical struct {
	run     *trainRun
	reward  *score.Reward
	rows    []int32 // of the training images in the image table, in the order of the reward's references
	perStep int     // images
	epoch   int     // that was planned last, from 0
	batches [][]int // of that epoch, as places in rows
}

// newSelfCritical prepares the rewards of the training images, whose features are the first of the image table.
func newSelfCritical(ctx context.Context, r *trainRun) (*selfCritical, error) {
	examples, err := r.data.Examples(ctx, datasets.Train)
	if err != nil {
		return nil, err
	}
	tokenize, err := score.Tokenizer(r.Settings.Tokens)
	if err != nil {
		return nil, err
	}
	words := r.checkpoint.Vocabulary
	s := &selfCritical{run: r}
	var references [][][]string
	for row, ex := range examples {
		var captions [][]string
		for _, caption := range ex.Captions {
			captions = append(captions, append(slices.Clone(tokenize(caption)), words.Word(vocab.End)))
		}
		if len(captions) > 0 {
			s.rows, references = append(s.rows, int32(row)), append(references, captions)
		}
	}
	if s.reward, err = score.NewReward(r.Settings.Reward, words.Words(), references); err != nil {
		return nil, err
	}
	steps := s.steps(len(s.rows))
	s.perStep = (len(s.rows) + steps - 1) / steps
	return s, nil
}

// steps is the number of steps of an epoch over so many images.
func (s *selfCritical) steps(images int) int {
	most := max(1, s.run.Settings.BatchSize/s.run.Settings.Samples)
	return (images + most - 1) / most
}

// captions is the number of captions that a step samples, at most.
func (s *selfCritical) captions() int { return s.perStep * s.run.Settings.Samples }

// plan shuffles the images and divides them into batches that differ in size by at most one.
func (s *selfCritical) plan(epoch int) int {
	order := rand.New(rand.NewPCG(uint64(s.run.Settings.Seed), uint64(epoch))).Perm(len(s.rows))
	n := s.steps(len(order))
	s.epoch, s.batches = epoch, make([][]int, n)
	for i := range s.batches {
		s.batches[i] = order[i*len(order)/n : (i+1)*len(order)/n]
	}
	return n
}

// step samples captions of a batch of images and trains on them, weighted by their advantages.
func (s *selfCritical) step(batch int) (stepped, error) {
	r := s.run
	images := s.batches[batch]
	random := rand.New(rand.NewPCG(uint64(r.Settings.Seed), uint64(s.epoch)<<32|uint64(batch)))
	drawn, err := s.generate(images, r.Settings.Samples, decoder.GenerateOptions{Temperature: 1, Seed: random.Uint64()})
	if err != nil {
		return stepped{}, err
	}
	rewards, err := s.reward.Score(drawn.images, drawn.captions)
	if err != nil {
		return stepped{}, err
	}
	done := stepped{tokens: drawn.tokens, entropy: -drawn.logProb / float64(drawn.tokens)}
	for _, reward := range rewards {
		done.reward += reward / float64(len(rewards))
	}
	var weights []float32
	if r.Settings.Critic == "greedy" {
		greedy, err := s.generate(images, 1, decoder.GenerateOptions{})
		if err != nil {
			return stepped{}, err
		}
		baseline, err := s.reward.Score(greedy.images, greedy.captions)
		if err != nil {
			return stepped{}, err
		}
		weights = above(rewards, baseline)
	} else {
		weights = aboveOthers(rewards, r.Settings.Samples)
	}
	if !slices.ContainsFunc(weights, func(w float32) bool { return w != 0 }) {
		return done, nil // all samples are equally good: the gradient is zero
	}
	rows := make([]int32, len(drawn.images))
	for i, image := range drawn.images {
		rows[i] = s.rows[image]
	}
	samples := samples{drawn.captions, rows, weights}
	var batches []*decoder.Batch
	for _, b := range samples.batches(s.captions(), r.Settings.MaxTokens-1) {
		batches = append(batches, r.images.give(b))
	}
	done.loss, err = r.trainer.Step(batches...)
	return done, err
}

// drawn are generated captions.
type drawn struct {
	images   []int32   // of each caption, as a place in selfCritical.rows
	captions [][]int32 // ids, with <end> unless the caption was cut
	tokens   int       // in all captions
	logProb  float64   // sum over all captions
}

// generate generates several captions of each image with the trainer's current weights.
func (s *selfCritical) generate(images []int, each int, o decoder.GenerateOptions) (drawn, error) {
	o.MaxWords = s.run.Settings.MaxTokens - 1 // without <start>
	var d drawn
	o.Draws = each
	var rows []int32
	for _, image := range images {
		d.images, rows = append(d.images, slices.Repeat([]int32{int32(image)}, each)...), append(rows, s.rows[image])
	}
	generated, err := s.run.trainer.GenerateFrom(s.run.images.inputs(rows), o)
	if err != nil {
		return d, fmt.Errorf("sampling captions to reward: %w", err)
	}
	for _, caption := range slices.Concat(generated...) {
		ids := caption.IDs
		if len(ids) < o.MaxWords {
			ids = append(ids, vocab.End)
		}
		d.captions = append(d.captions, ids)
		d.tokens += len(ids)
		d.logProb += caption.LogProb
	}
	return d, nil
}

// aboveOthers returns each reward less the mean of the other rewards of its group of n.
func aboveOthers(rewards []float64, n int) []float32 {
	out := make([]float32, 0, len(rewards))
	for group := range slices.Chunk(rewards, n) {
		sum := 0.0
		for _, r := range group {
			sum += r
		}
		if slices.Max(group) == slices.Min(group) {
			out = append(out, make([]float32, n)...) // not the rounding error of the sum
			continue
		}
		for _, r := range group {
			out = append(out, float32(r-(sum-r)/float64(n-1)))
		}
	}
	return out
}

// above returns each reward less the baseline of its group; there are as many groups as baselines.
func above(rewards, baselines []float64) []float32 {
	out, n := make([]float32, len(rewards)), len(rewards)/len(baselines)
	for i, r := range rewards {
		out[i] = float32(r - baselines[i/n])
	}
	return out
}

// samples are sampled captions, ids with <end>, with their images' rows in the image table and one weight each.
type samples struct {
	captions [][]int32
	rows     []int32
	weights  []float32
}

// batches divides samples by length into a batch of short and one of long captions, because the recurrence also runs
// over the padding. Together they have room for size captions. A batch has one of few lengths, the longest being
// maxSteps, so that few programs are compiled. Batches without a weight are left out.
func (s samples) batches(size, maxSteps int) []*decoder.Batch {
	order := make([]int, len(s.captions))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(s.captions[a]) - len(s.captions[b]) })
	short := min((size+1)/2, len(order))
	var out []*decoder.Batch
	for _, part := range []struct {
		members []int
		size    int
	}{{order[:short], (size + 1) / 2}, {order[short:], size / 2}} {
		if slices.ContainsFunc(part.members, func(i int) bool { return s.weights[i] != 0 }) {
			out = append(out, s.batch(part.members, part.size, maxSteps))
		}
	}
	return out
}

// batch lays out some of the samples for teacher forcing, with one weight for all tokens of a caption.
func (s samples) batch(members []int, size, maxSteps int) *decoder.Batch {
	longest := len(s.captions[members[len(members)-1]])
	b := &decoder.Batch{Size: size, Steps: maxSteps, Rows: make([]int32, size)}
	for _, steps := range []int{(maxSteps + 1) / 2, (5*maxSteps + 7) / 8, (3*maxSteps + 3) / 4} {
		if longest <= steps {
			b.Steps = steps
			break
		}
	}
	n := b.Size * b.Steps
	b.Inputs, b.Targets, b.Weights = make([]int32, n), make([]int32, n), make([]float32, n) // 0 is <pad>
	for row := range size {
		b.Inputs[row] = vocab.Start // a filler row only has to be computable
		if row >= len(members) {
			continue
		}
		i := members[row]
		b.Rows[row] = s.rows[i]
		for t, id := range s.captions[i] {
			at := t*size + row
			b.Targets[at], b.Weights[at] = id, s.weights[i]
			if t+1 < len(s.captions[i]) {
				b.Inputs[at+size] = id
			}
		}
	}
	return b
}

// validate captions the validation split greedily and returns the CIDEr-D of protocol coco.
func (s *selfCritical) validate(ctx context.Context) (float64, error) {
	r := s.run
	captions, err := r.current().CaptionSplit(ctx, r.data, datasets.Val, decoder.GenerateOptions{})
	if err != nil {
		return 0, err
	}
	refs, err := r.data.References(ctx, datasets.Val)
	if err != nil {
		return 0, err
	}
	scores, err := score.Coco(refs, captions, score.Options{})
	if err != nil {
		return 0, fmt.Errorf("scoring the validation split of %s: %w", r.data.Name(), err)
	}
	return experiment.CorpusValue(scores, score.CIDErD), nil
}
