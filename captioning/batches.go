package captioning

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"captionlab/captioning/decoder"
	"captionlab/captioning/vocab"
)

// pair is one training example: a picture and one of its captions as token ids, <start> first.
type pair struct {
	features []float32
	ids      []int32
}

// steps is how many words the decoder reads and how many it is asked for.
func (p pair) steps() int { return len(p.ids) - 1 }

// maxShapes is how many lengths of batches length-aware batching compiles programs for.
const maxShapes = 5

// plan is which examples make one batch, and its length in steps.
type plan struct {
	members []int
	steps   int
}

// batcher plans the batches of every epoch. The plan follows from the seed and the number of the epoch alone.
type batcher struct {
	pairs  []pair
	size   int
	seed   uint64
	bounds []int // lengths that batches may have, ascending; nil for plain shuffled batches
}

func newBatcher(pairs []pair, size int, seed int64, byLength bool) *batcher {
	b := &batcher{pairs: pairs, size: size, seed: uint64(seed)}
	if byLength {
		b.bounds = lengthBounds(pairs, maxShapes)
	}
	return b
}

// lengthBounds chooses at most n lengths, the longest example's among them, such that bringing every example to the next
// one wastes the fewest positions.
func lengthBounds(pairs []pair, n int) []int {
	longest := 0
	for _, p := range pairs {
		longest = max(longest, p.steps())
	}
	counts := make([]int, longest+1)
	for _, p := range pairs {
		counts[p.steps()]++
	}
	// waste[i][j]: positions wasted by padding all lengths in (i, j] to j.
	waste := func(i, j int) int {
		total := 0
		for l := i + 1; l <= j; l++ {
			total += counts[l] * (j - l)
		}
		return total
	}
	type choice struct{ cost, from int }
	best := make([]map[int]choice, n+1) // best[k][j]: lengths up to j covered with k bounds, the last one j
	best[0] = map[int]choice{0: {}}
	for k := 1; k <= n; k++ {
		best[k] = make(map[int]choice)
		for j := 1; j <= longest; j++ {
			for i := range j {
				before, ok := best[k-1][i]
				if !ok {
					continue
				}
				cost := before.cost + waste(i, j)
				if now, seen := best[k][j]; !seen || cost < now.cost || (cost == now.cost && i < now.from) {
					best[k][j] = choice{cost, i}
				}
			}
		}
	}
	k := min(n, longest)
	for fewer := k - 1; fewer >= 1; fewer-- {
		if c, ok := best[fewer][longest]; ok && c.cost <= best[k][longest].cost {
			k = fewer
		}
	}
	var bounds []int
	for j := longest; k > 0; k-- {
		bounds = append(bounds, j)
		j = best[k][j].from
	}
	slices.Reverse(bounds)
	return bounds
}

// epoch returns the batches of one epoch, each example in exactly one of them; all have the full size but perhaps one.
func (b *batcher) epoch(number int) []plan {
	random := rand.New(rand.NewPCG(b.seed, uint64(number)))
	order := random.Perm(len(b.pairs))
	if b.bounds == nil {
		var plans []plan
		for members := range slices.Chunk(order, b.size) {
			plans = append(plans, plan{members, b.longest(members)})
		}
		return plans
	}
	var plans []plan
	var rest []int // what did not fill a batch goes on to the next length
	for _, bound := range b.bounds {
		members := rest
		for _, i := range order {
			if s := b.pairs[i].steps(); s <= bound && (bound == b.bounds[0] || s > b.before(bound)) {
				members = append(members, i)
			}
		}
		for len(members) >= b.size {
			plans = append(plans, plan{slices.Clone(members[:b.size]), bound})
			members = members[b.size:]
		}
		rest = slices.Clone(members)
	}
	if len(rest) > 0 {
		plans = append(plans, plan{rest, b.bounds[len(b.bounds)-1]})
	}
	return spread(plans, random)
}

// spread orders the batches such that those of each length come at even distances, with a random start, so that no stretch of
// an epoch sees short or long captions alone.
func spread(plans []plan, random *rand.Rand) []plan {
	of, place := make(map[int]int), make(map[int]float64)
	for _, p := range plans {
		of[p.steps]++
	}
	type placed struct {
		plan
		at float64
	}
	all := make([]placed, len(plans))
	for i, p := range plans {
		if _, begun := place[p.steps]; !begun {
			place[p.steps] = random.Float64()
		}
		all[i] = placed{p, place[p.steps] / float64(of[p.steps])}
		place[p.steps]++
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	for i, p := range all {
		plans[i] = p.plan
	}
	return plans
}

// before is the bound below the given one.
func (b *batcher) before(bound int) int { return b.bounds[slices.Index(b.bounds, bound)-1] }

func (b *batcher) longest(members []int) int {
	steps := 0
	for _, i := range members {
		steps = max(steps, b.pairs[i].steps())
	}
	return steps
}

// fill writes a planned batch. Rows and positions beyond the examples have weight 0; with padsCount, the pads of real
// examples have weight 1 as in the paper.
func (b *batcher) fill(p plan, dim int, padsCount bool) *decoder.Batch {
	n := b.size * p.steps
	batch := &decoder.Batch{Size: b.size, Steps: p.steps, Features: make([]float32, b.size*dim),
		Inputs: make([]int32, n), Targets: make([]int32, n), Weights: make([]float32, n)} // 0 is <pad>
	for row := range b.size {
		if row >= len(p.members) {
			batch.Inputs[row] = vocab.Start // a filler row must only be computable
			continue
		}
		example := b.pairs[p.members[row]]
		copy(batch.Features[row*dim:], example.features)
		for t := range p.steps {
			at := t*b.size + row
			if t < example.steps() {
				batch.Inputs[at], batch.Targets[at], batch.Weights[at] = example.ids[t], example.ids[t+1], 1
			} else if padsCount {
				batch.Weights[at] = 1
				if t == example.steps() {
					batch.Inputs[at] = example.ids[t] // <end>, as a padded caption has it
				}
			}
		}
	}
	return batch
}
