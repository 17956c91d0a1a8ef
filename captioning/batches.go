package captioning

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"captionlab/captioning/decoder"
	"captionlab/captioning/vocab"
)

// maxShapes is the number of batch lengths for which length-aware batching compiles programs.
const maxShapes = 5

// plan is one batch: its examples, its length in steps, and the number of examples for which it has room.
type plan struct {
	members     []int
	steps, size int
}

// batcher plans the batches of every epoch. The plan depends only on the seed and the number of the epoch.
type batcher struct {
	pairs  []pair
	size   int
	seed   uint64
	bounds []int // lengths that batches may have, ascending; nil for plain shuffled batches
	sizes  []int // how many examples a batch of each of these lengths has
}

func newBatcher(pairs []pair, size int, seed int64, byLength bool) *batcher {
	b := &batcher{pairs: pairs, size: size, seed: uint64(seed)}
	if byLength {
		b.divide(lengthBounds(pairs, maxShapes))
	}
	return b
}

// divide plans batches of the given lengths. A batch of short captions holds more captions than one of long captions,
// so that all batches have about as many real tokens as size captions of mean length: every optimizer step then has the
// same weight. (With equally many captions in each batch, Adam, which divides by the root mean square of the gradients,
// learned about 4 % slower than from shuffled batches.) Sizes are multiples of a sixteenth of size.
func (b *batcher) divide(bounds []int) {
	b.bounds, b.sizes = bounds, make([]int, len(bounds))
	counts, tokens := make([]int, len(bounds)), make([]int, len(bounds))
	total := 0
	for _, p := range b.pairs {
		at, _ := slices.BinarySearch(bounds, p.steps())
		counts[at]++
		tokens[at] += p.steps()
		total += p.steps()
	}
	unit := max(1, b.size/16)
	want := float64(b.size) * float64(total) / float64(len(b.pairs)) // tokens a batch
	for i := range bounds {
		own := float64(tokens[i]) / float64(counts[i])
		b.sizes[i] = unit * max(1, int(math.Round(want/own/float64(unit))))
	}
}

// lengthBounds chooses at most n lengths, including that of the longest example, so that padding every example to the
// next length wastes the fewest positions.
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

// epoch returns the batches of one epoch. Each example is in exactly one of them; at most one is not full.
func (b *batcher) epoch(number int) []plan {
	random := rand.New(rand.NewPCG(b.seed, uint64(number)))
	order := random.Perm(len(b.pairs))
	if b.bounds == nil {
		var plans []plan
		for members := range slices.Chunk(order, b.size) {
			plans = append(plans, plan{members, b.longest(members), b.size})
		}
		return plans
	}
	var plans []plan
	var rest []int // what did not fill a batch moves to the next length
	for k, bound := range b.bounds {
		members, size := rest, b.sizes[k]
		for _, i := range order {
			if s := b.pairs[i].steps(); s <= bound && (k == 0 || s > b.bounds[k-1]) {
				members = append(members, i)
			}
		}
		for len(members) >= size {
			plans = append(plans, plan{slices.Clone(members[:size]), bound, size})
			members = members[size:]
		}
		rest = slices.Clone(members)
	}
	// what is left of shorter lengths may be more than the longest takes
	for last := len(b.bounds) - 1; len(rest) > 0; {
		n := min(len(rest), b.sizes[last])
		plans = append(plans, plan{rest[:n], b.bounds[last], b.sizes[last]})
		rest = rest[n:]
	}
	return spread(plans, random)
}

// spread orders the batches so that those of each length come at even distances from a random start. No part of an
// epoch then consists only of short or only of long captions.
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

func (b *batcher) longest(members []int) int {
	steps := 0
	for _, i := range members {
		steps = max(steps, b.pairs[i].steps())
	}
	return steps
}

// fill writes a planned batch for an objective, without the features of its images; see imageTable.give. Rows and
// positions beyond the examples have weight 0, unless the objective counts pads: then the pads of real examples have
// weight 1, as in the paper.
func (b *batcher) fill(p plan, o Objective) *decoder.Batch {
	n := p.size * p.steps
	batch := &decoder.Batch{Size: p.size, Steps: p.steps, Rows: make([]int32, p.size),
		Inputs: make([]int32, n), Targets: make([]int32, n), Weights: make([]float32, n)} // 0 is <pad>
	for row := range p.size {
		if row >= len(p.members) {
			batch.Inputs[row] = vocab.Start // a filler row only has to be computable
			continue
		}
		example := b.pairs[p.members[row]]
		batch.Rows[row] = example.image
		for t := range p.steps {
			at := t*p.size + row
			if t < example.steps() {
				batch.Inputs[at], batch.Targets[at] = example.ids[t], example.ids[t+1]
				batch.Weights[at] = o.weight(example.ids[t+1], t)
			} else if o.Pads {
				batch.Weights[at] = 1
				if t == example.steps() {
					batch.Inputs[at] = example.ids[t] // <end>, as in a padded caption
				}
			}
		}
	}
	return batch
}
