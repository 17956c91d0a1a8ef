package captioning

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
)

// lossBatch is the number of captions of mean length that are evaluated at once.
const lossBatch = 128

// lossPlan says how losses are averaged: the padded loss over shuffled batches of size captions, drawn with seed, and
// with pads measured or taken as free.
type lossPlan struct {
	size int
	seed int64
	pads bool
}

// measure computes the losses of pairs, whose features are in images.
func (plan lossPlan) measure(ctx context.Context, d *decoder.Decoder, images *imageTable, pairs []pair) (
	experiment.Losses, error) {
	longest := 0
	for _, p := range pairs {
		longest = max(longest, p.steps())
	}
	b := newBatcher(pairs, lossBatch, plan.seed, true)
	if plan.pads {
		b.divide([]int{longest}) // all positions up to the longest caption are needed
	}
	objective := Objective{Pads: plan.pads}
	perPosition := make([][]float32, len(pairs))
	for _, p := range b.epoch(0) {
		if err := ctx.Err(); err != nil {
			return experiment.Losses{}, err
		}
		losses, err := d.TokenLosses(images.give(b.fill(p, objective)))
		if err != nil {
			return experiment.Losses{}, err
		}
		for row, i := range p.members {
			n := pairs[i].steps()
			if plan.pads {
				n = p.steps
			}
			perPosition[i] = make([]float32, n)
			for t := range perPosition[i] {
				perPosition[i][t] = losses[t*p.size+row]
			}
		}
	}
	return summarise(perPosition, pairs, plan), nil
}

// summarise turns losses by position into the two figures.
func summarise(perPosition [][]float32, pairs []pair, plan lossPlan) experiment.Losses {
	var total float64
	for i, p := range pairs {
		for _, x := range perPosition[i][:p.steps()] {
			total += float64(x)
		}
	}
	order := rand.New(rand.NewPCG(uint64(plan.seed), math.MaxUint64)).Perm(len(pairs))
	var means float64
	batches := 0
	for members := range slices.Chunk(order, plan.size) {
		steps := 0
		for _, i := range members {
			steps = max(steps, pairs[i].steps())
		}
		var sum float64
		for _, i := range members {
			for _, x := range perPosition[i][:min(steps, len(perPosition[i]))] {
				sum += float64(x)
			}
		}
		means += sum / float64(steps*len(members))
		batches++
	}
	return experiment.Losses{
		Token:        total / float64(tokensOf(pairs)),
		Padded:       means / float64(batches),
		PadsMeasured: plan.pads,
	}
}
