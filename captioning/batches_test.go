package captioning

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"captionlab/captioning/vocab"
)

// pairsOf makes examples with the given numbers of steps.
func pairsOf(steps ...int) []pair {
	pairs := make([]pair, len(steps))
	for i, n := range steps {
		ids := []int32{vocab.Start}
		for j := range n - 1 {
			ids = append(ids, int32(vocab.NumSpecials+(i+j)%5))
		}
		pairs[i] = pair{int32(i), append(ids, vocab.End)}
	}
	return pairs
}

func randomSteps(n int) []int {
	random := rand.New(rand.NewPCG(3, 4))
	steps := make([]int, n)
	for i := range steps {
		steps[i] = 3 + int(random.ExpFloat64()*4)%17
	}
	return steps
}

func TestEveryExampleOnceAnEpoch(t *testing.T) {
	pairs := pairsOf(randomSteps(1000)...)
	for _, byLength := range []bool{true, false} {
		b := newBatcher(pairs, 64, 5, byLength)
		for epoch := range 3 {
			seen := make([]int, len(pairs))
			small := 0
			lengths := make(map[[2]int]bool)
			var tokens []float64 // of the full batches
			for _, p := range b.epoch(epoch) {
				sum := 0
				for _, i := range p.members {
					sum += pairs[i].steps()
				}
				if len(p.members) != p.size {
					small++
				} else {
					tokens = append(tokens, float64(sum))
				}
				lengths[[2]int{p.steps, p.size}] = true
				for _, i := range p.members {
					seen[i]++
					if pairs[i].steps() > p.steps {
						t.Fatalf("example of %d steps in a batch of %d", pairs[i].steps(), p.steps)
					}
				}
			}
			if i := slices.IndexFunc(seen, func(n int) bool { return n != 1 }); i >= 0 {
				t.Fatalf("byLength=%v, epoch %d: example %d is there %d times", byLength, epoch, i, seen[i])
			}
			if small > 1 {
				t.Errorf("byLength=%v: %d batches are not full, want one at most", byLength, small)
			}
			mean, squares := 0.0, 0.0
			for _, n := range tokens {
				mean += n / float64(len(tokens))
				squares += n * n / float64(len(tokens))
			}
			deviation := math.Sqrt(squares - mean*mean)
			if deviation > mean/8 {
				t.Errorf(
					"byLength=%v: full batches have %.0f tokens on average, deviation %.0f; want about equal",
					byLength,
					mean,
					deviation,
				)
			}
			if !byLength && len(lengths) < 2 {
				t.Error("shuffled batches all have one length")
			}
			if byLength && len(lengths) > maxShapes {
				t.Errorf("%d lengths of batches, want at most %d", len(lengths), maxShapes)
			}
		}
	}
}

func TestPlansFollowFromSeedAndEpoch(t *testing.T) {
	pairs := pairsOf(randomSteps(300)...)
	for _, byLength := range []bool{true, false} {
		plan := func(seed int64, epoch int) []plan { return newBatcher(pairs, 32, seed, byLength).epoch(epoch) }
		if !reflect.DeepEqual(plan(1, 2), plan(1, 2)) {
			t.Error("the same seed and epoch gave two plans")
		}
		if reflect.DeepEqual(plan(1, 2), plan(1, 3)) || reflect.DeepEqual(plan(1, 2), plan(2, 2)) {
			t.Error("another epoch or seed gave the same plan")
		}
	}
}

// TestLengthBounds compares with trying all choices of bounds.
func TestLengthBounds(t *testing.T) {
	waste := func(steps, bounds []int) int {
		total := 0
		for _, s := range steps {
			at, _ := slices.BinarySearch(bounds, s)
			total += bounds[at] - s
		}
		return total
	}
	for trial := range 20 {
		steps := randomSteps(50 + trial*7)[trial*7:]
		longest := slices.Max(steps)
		best := -1
		for choice := range 1 << (longest - 1) { // which of the lengths below the longest are bounds
			var bounds []int
			for l := 1; l < longest; l++ {
				if choice>>(l-1)&1 == 1 {
					bounds = append(bounds, l)
				}
			}
			if bounds = append(bounds, longest); len(bounds) > 3 {
				continue
			}
			if w := waste(steps, bounds); best < 0 || w < best {
				best = w
			}
		}
		got := lengthBounds(pairsOf(steps...), 3)
		if len(got) > 3 || got[len(got)-1] != longest || waste(steps, got) != best {
			t.Fatalf("bounds %v waste %d positions, the best choice %d", got, waste(steps, got), best)
		}
	}
	if got := lengthBounds(pairsOf(7, 7, 7), 5); !slices.Equal(got, []int{7}) {
		t.Errorf("one length gave the bounds %v", got)
	}
}

func TestFill(t *testing.T) {
	b := newBatcher(pairsOf(2, 3), 3, 1, false)
	for _, c := range []struct {
		padsCount bool
		weights   []float32 // time-major [3 steps, 3 rows]; the third row is a filler
	}{
		{false, []float32{1, 1, 0, 1, 1, 0, 0, 1, 0}},
		{true, []float32{1, 1, 0, 1, 1, 0, 1, 1, 0}},
	} {
		t.Run(fmt.Sprint("padsCount=", c.padsCount), func(t *testing.T) {
			got := b.fill(plan{[]int{0, 1}, 3, 3}, Objective{Pads: c.padsCount})
			if !slices.Equal(got.Weights, c.weights) {
				t.Errorf("weights %v, want %v", got.Weights, c.weights)
			}
			if !slices.Equal(got.Rows, []int32{0, 1, 0}) {
				t.Errorf("images %v", got.Rows)
			}
			// Row 0 is <start> 4 <end>, row 1 <start> 5 6 <end>.
			if want := []int32{4, 5, 0, 2, 6, 0, 0, 2, 0}; !slices.Equal(got.Targets, want) {
				t.Errorf("targets %v, want %v", got.Targets, want)
			}
		})
	}
}

// A custom objective weighs each token by itself; fillers and pads keep weight 0.
func TestFillWithACustomObjective(t *testing.T) {
	b := newBatcher(pairsOf(2, 3), 3, 1, false)
	o := Objective{
		Name:   "place",
		Weight: func(token int32, place int) float32 { return float32(token) + float32(place)/10 },
	}
	got := b.fill(plan{[]int{0, 1}, 3, 3}, o)
	if want := []float32{4, 5, 0, 2.1, 6.1, 0, 0, 2.2, 0}; !slices.Equal(got.Weights, want) {
		t.Errorf("weights %v, want %v", got.Weights, want)
	}
	if total := o.total(b.pairs[1]); math.Abs(total-13.3) > 1e-6 {
		t.Errorf("the weights of <start> 5 6 <end> add up to %v, want 13.3", total)
	}
}

func TestBatchesOfEachLengthComeAtEvenDistances(t *testing.T) {
	var plans []plan
	for _, kind := range []struct{ steps, n int }{{5, 40}, {9, 20}, {12, 10}} {
		for range kind.n {
			plans = append(plans, plan{steps: kind.steps})
		}
	}
	ordered := spread(plans, rand.New(rand.NewPCG(3, 1)))
	if len(ordered) != 70 {
		t.Fatalf("%d batches, want 70", len(ordered))
	}
	counts := make(map[int]int)
	for i, p := range ordered {
		counts[p.steps]++
		for steps, n := range map[int]int{5: 40, 9: 20, 12: 10} {
			if want := float64(n) * float64(i+1) / 70; math.Abs(float64(counts[steps])-want) > 2 {
				t.Fatalf("after %d batches %d are of %d steps, want about %.1f", i+1, counts[steps], steps, want)
			}
		}
	}
}
