package score

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// BootstrapOptions set the number of draws. The zero value means 1,000 draws, 95 % confidence, seed 0.
type BootstrapOptions struct {
	Draws      int     // 0 means 1,000; at most MaxDraws
	Confidence float64 // 0 means 0.95
	Seed       uint64
}

func (o BootstrapOptions) withDefaults() (BootstrapOptions, error) {
	if o.Draws == 0 {
		o.Draws = 1000
	}
	if o.Confidence == 0 {
		o.Confidence = 0.95
	}
	if o.Draws < 0 || o.Draws > MaxDraws || !(o.Confidence > 0 && o.Confidence < 1) {
		return o, fmt.Errorf("%d draws, confidence %v: use 1 to %d draws and a confidence between 0 and 1",
			o.Draws, o.Confidence, MaxDraws)
	}
	return o, nil
}

// Interval is a score with its confidence interval.
type Interval struct {
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// Intervals are the intervals of all scores of a corpus.
type Intervals []Interval

// Get returns the interval of the score of that name, and whether there is one.
func (all Intervals) Get(metric string) (Interval, bool) {
	i := slices.IndexFunc(all, func(i Interval) bool { return i.Metric == metric })
	if i < 0 {
		return Interval{}, false
	}
	return all[i], true
}

// Bootstrap returns percentile confidence intervals of all scores. Each draw takes as many images as the corpus has,
// with replacement (Efron and Tibshirani 1993; for BLEU Koehn 2004). The same seed gives the same intervals.
func Bootstrap(c Corpus, o BootstrapOptions) (Intervals, error) {
	return BootstrapMean([]Corpus{c}, o)
}

// BootstrapMean is Bootstrap for the mean scores of several caption files of the same images, such as those of a model
// trained with several seeds. Each draw takes the same images from all files.
func BootstrapMean(files []Corpus, o BootstrapOptions) (Intervals, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("bootstrap: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("bootstrap: no scores given")
	}
	out := make(Intervals, len(files[0].Metrics()))
	means := make([][]float64, o.Draws)
	for d := range means {
		means[d] = make([]float64, len(out))
	}
	for _, c := range files {
		if err := sameScores(c, files[0]); err != nil {
			return nil, fmt.Errorf("bootstrap: %w", err)
		}
		rows, total := c.statistics()
		for d, draw := range resample(rows, total, o) {
			for m, x := range draw {
				means[d][m] += x / float64(len(files))
			}
		}
		for m, x := range c.Values() {
			out[m].Value += x / float64(len(files))
		}
	}
	for m, name := range files[0].Metrics() {
		out[m].Metric = name
		out[m].Low, out[m].High = percentiles(means, m, o.Confidence)
	}
	return out, nil
}

// resample returns the scores of each draw of images.
func resample(rows [][]float64, total func([]float64, int) []float64, o BootstrapOptions) [][]float64 {
	draws := make([][]float64, o.Draws)
	inParallel(o.Draws, func(d int) {
		random := rand.New(rand.NewPCG(o.Seed, uint64(d)))
		sum := make([]float64, len(rows[0]))
		for range rows {
			for k, x := range rows[random.IntN(len(rows))] {
				sum[k] += x
			}
		}
		draws[d] = total(sum, len(rows))
	})
	return draws
}

// percentiles returns the two ends of the middle share of score m over the draws.
func percentiles(draws [][]float64, m int, share float64) (low, high float64) {
	values := make([]float64, len(draws))
	for i, d := range draws {
		values[i] = d[m]
	}
	slices.Sort(values)
	at := func(q float64) float64 { // linear between neighbours
		place := q * float64(len(values)-1)
		below := int(place)
		above := min(below+1, len(values)-1)
		return values[below] + (place-float64(below))*(values[above]-values[below])
	}
	return at((1 - share) / 2), at((1 + share) / 2)
}
