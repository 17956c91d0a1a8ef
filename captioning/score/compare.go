package score

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Difference compares two caption files in one score.
type Difference struct {
	Metric string  `json:"metric"`
	A      float64 `json:"a"`
	B      float64 `json:"b"`
	Delta  float64 `json:"delta"` // A minus B
	Low    float64 `json:"low"`   // of the interval of Delta
	High   float64 `json:"high"`
	P      float64 `json:"p"` // two-sided
}

// Differences are the differences in all scores of two corpora.
type Differences []Difference

// Get returns the difference in the score of that name, and whether there is one.
func (all Differences) Get(metric string) (Difference, bool) {
	i := slices.IndexFunc(all, func(d Difference) bool { return d.Metric == metric })
	if i < 0 {
		return Difference{}, false
	}
	return all[i], true
}

// Compare tests whether the captions of a score differently from those of b on the same images. It returns a paired
// bootstrap interval of the difference and the p-value of paired approximate randomization, which swaps the two
// captions of each image with probability 1/2 (Noreen 1989; for translation Riezler and Maxwell 2005). With r of the
// draws at least as far apart as the observed scores, p is (r+1)/(draws+1), so it is never 0. Compare fails if a and b
// have different scores or different images.
func Compare(a, b Corpus, o BootstrapOptions) (Differences, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	if err := sameScores(a, b); err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	pairs, err := newPairedRows(a, b)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	draws, swapped := resample(pairs.rows, pairs.difference, o), pairs.swap(o)
	valuesA, valuesB := a.Values(), b.Values()
	out := make(Differences, len(valuesA))
	for m, name := range a.Metrics() {
		delta := valuesA[m] - valuesB[m]
		asFar := 0
		for _, d := range swapped {
			if math.Abs(d[m]) >= math.Abs(delta)-1e-12 {
				asFar++
			}
		}
		low, high := percentiles(draws, m, o.Confidence)
		p := float64(asFar+1) / float64(o.Draws+1)
		out[m] = Difference{Metric: name, A: valuesA[m], B: valuesB[m], Delta: delta, Low: low, High: high, P: p}
	}
	return out, nil
}

// pairedRows hold the statistics of two corpora: in each row, those of a come before those of b, so that an image's
// two captions are drawn together.
type pairedRows struct {
	rows  [][]float64
	width int // of a, and of b
	total func(sum []float64, n int) []float64
}

func newPairedRows(a, b Corpus) (pairedRows, error) {
	rowsA, total := a.statistics()
	rowsB, _ := b.statistics()
	if len(rowsA[0]) != len(rowsB[0]) {
		return pairedRows{}, fmt.Errorf("a metric of the two files differs: score both with the same metrics")
	}
	p := pairedRows{make([][]float64, len(rowsA)), len(rowsA[0]), total}
	for i := range p.rows {
		p.rows[i] = append(slices.Clone(rowsA[i]), rowsB[i]...)
	}
	return p, nil
}

// difference returns the scores of a minus those of b, from a sum of n rows.
func (p pairedRows) difference(sum []float64, n int) []float64 {
	x, y := p.total(sum[:p.width], n), p.total(sum[p.width:], n)
	for m := range x {
		x[m] -= y[m]
	}
	return x
}

// swap returns the differences for each draw of random swaps.
func (p pairedRows) swap(o BootstrapOptions) [][]float64 {
	draws := make([][]float64, o.Draws)
	inParallel(o.Draws, func(d int) {
		random := rand.New(rand.NewPCG(o.Seed, uint64(d)|1<<63))
		sum := make([]float64, 2*p.width)
		var coins uint64
		for i, row := range p.rows {
			if i%64 == 0 {
				coins = random.Uint64()
			}
			first := int(coins&1) * p.width
			coins >>= 1
			for k := range p.width {
				sum[k] += row[first+k]
				sum[p.width+k] += row[p.width-first+k]
			}
		}
		draws[d] = p.difference(sum, len(p.rows))
	})
	return draws
}

// sameScores fails unless a and b have the same scores of the same images.
func sameScores(a, b Corpus) error {
	if !slices.Equal(a.Metrics(), b.Metrics()) {
		return fmt.Errorf("scores by different protocols: %q and %q", a.Metrics(), b.Metrics())
	}
	return sameImages(a.ids(), b.ids())
}

func sameImages(a, b []ID) error {
	if len(a) == 0 || len(b) == 0 {
		return fmt.Errorf("the scores do not include those of each image: score the captions again")
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Errorf("image %s is only in one of the files", min(a[i], b[i]))
		}
	}
	if len(a) != len(b) {
		return fmt.Errorf("%d images in one file, %d in the other", len(a), len(b))
	}
	return nil
}
