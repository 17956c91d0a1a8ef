package captioning

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"captionlab/captioning/decoder"
)

// Losses are the cross-entropies of a split, in nats.
type Losses struct {
	// Token is the mean over all real tokens, <end> included.
	Token float64 `json:"loss_token"`
	// Padded is the paper's: positions up to the longest caption of a batch, pads counted, mean of the means of shuffled
	// batches. For a model that was trained on real tokens alone, which has never seen a pad, pads cost nothing here.
	Padded float64 `json:"loss_padded"`
	// PadsMeasured tells that pads were computed, not taken as free.
	PadsMeasured bool `json:"pads_measured"`
}

// lossBatch is how many captions of mean length are evaluated at once.
const lossBatch = 128

// measure computes the losses of pairs. The shuffled batches of the padded loss have the given size and follow from seed.
func measure(ctx context.Context, d *decoder.Decoder, pairs []pair, size int, seed int64, measurePads bool) (Losses, error) {
	longest := 0
	for _, p := range pairs {
		longest = max(longest, p.steps())
	}
	b := newBatcher(pairs, lossBatch, seed, true)
	if measurePads {
		b.divide([]int{longest}) // every position up to the longest caption is wanted
	}
	perPosition := make([][]float32, len(pairs))
	for _, p := range b.epoch(0) {
		if err := ctx.Err(); err != nil {
			return Losses{}, err
		}
		losses, err := d.TokenLosses(b.fill(p, d.Features, measurePads))
		if err != nil {
			return Losses{}, err
		}
		for row, i := range p.members {
			n := pairs[i].steps()
			if measurePads {
				n = p.steps
			}
			perPosition[i] = make([]float32, n)
			for t := range perPosition[i] {
				perPosition[i][t] = losses[t*p.size+row]
			}
		}
	}
	return summarise(perPosition, pairs, size, seed, measurePads), nil
}

// summarise turns losses by position into the two figures.
func summarise(perPosition [][]float32, pairs []pair, size int, seed int64, padsMeasured bool) Losses {
	var total float64
	tokens := 0
	for i, p := range pairs {
		for _, x := range perPosition[i][:p.steps()] {
			total += float64(x)
		}
		tokens += p.steps()
	}
	order := rand.New(rand.NewPCG(uint64(seed), math.MaxUint64)).Perm(len(pairs))
	var means float64
	batches := 0
	for members := range slices.Chunk(order, size) {
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
	return Losses{Token: total / float64(tokens), Padded: means / float64(batches), PadsMeasured: padsMeasured}
}
