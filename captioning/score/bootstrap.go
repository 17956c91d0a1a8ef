package score

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Corpus is the result of scoring a caption file: *CocoScores or *PA4Scores.
type Corpus interface {
	// Metrics names the scores of the corpus, as in "BLEU-4", in a fixed order.
	Metrics() []string
	// Values are the scores, in the order of Metrics and on the scale of the scores themselves.
	Values() []float64
	// ids are the scored pictures, sorted.
	ids() []ID
	// statistics are what the scores are made of: one row of numbers for each picture, and the function that turns the
	// sum of rows of n pictures into scores.
	statistics() (rows [][]float64, finish func(sum []float64, n int) []float64)
}

// Metrics are BLEU-1 to BLEU-4, ROUGE-L and CIDEr-D.
func (s *CocoScores) Metrics() []string {
	return []string{"BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr-D"}
}

// Values are the scores in the order of Metrics.
func (s *CocoScores) Values() []float64 { return append(s.BLEU[:], s.ROUGEL, s.CIDEr) }

func (s *CocoScores) ids() []ID {
	ids := make([]ID, len(s.Images))
	for i, image := range s.Images {
		ids[i] = image.ID
	}
	return ids
}

// statistics: corpus BLEU comes from summed n-gram counts, the others are means. CIDEr-D keeps the document frequencies of
// all pictures, whichever are drawn.
func (s *CocoScores) statistics() ([][]float64, func([]float64, int) []float64) {
	rows := make([][]float64, len(s.Images))
	for i, image := range s.Images {
		o := image.overlap
		row := []float64{float64(o.TestLen), float64(o.RefLen)}
		for n := range maxOrder {
			row = append(row, float64(o.Guess[n]), float64(o.Correct[n]))
		}
		rows[i] = append(row, image.ROUGEL, image.CIDEr)
	}
	return rows, func(sum []float64, n int) []float64 {
		o := Overlap{TestLen: int(sum[0]), RefLen: int(sum[1])}
		for k := range maxOrder {
			o.Guess[k], o.Correct[k] = int(sum[2+2*k]), int(sum[3+2*k])
		}
		bleu := o.bleu()
		last := len(sum) - 2
		return append(bleu[:], sum[last]/float64(n), sum[last+1]/float64(n))
	}
}

// Metrics are BLEU-1, BLEU-4 and BLEU-4 individual.
func (s *PA4Scores) Metrics() []string { return []string{"BLEU-1", "BLEU-4", "BLEU-4 individual"} }

// Values are the scores in the order of Metrics.
func (s *PA4Scores) Values() []float64 { return []float64{s.BLEU1, s.BLEU4, s.BLEU4Individual} }

func (s *PA4Scores) ids() []ID {
	ids := make([]ID, len(s.Images))
	for i, image := range s.Images {
		ids[i] = image.ID
	}
	return ids
}

func (s *PA4Scores) statistics() ([][]float64, func([]float64, int) []float64) {
	rows := make([][]float64, len(s.Images))
	for i, image := range s.Images {
		rows[i] = []float64{image.BLEU1, image.BLEU4, image.BLEU4Individual}
	}
	return rows, func(sum []float64, n int) []float64 {
		means := slices.Clone(sum)
		for i := range means {
			means[i] /= float64(n)
		}
		return means
	}
}

// BootstrapOptions say how often to draw. The zero value is 1,000 draws, 95 %, seed 0.
type BootstrapOptions struct {
	Draws      int     // 0 means 1,000
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
	if o.Draws < 0 || !(o.Confidence > 0 && o.Confidence < 1) {
		return o, fmt.Errorf("bootstrap: %d draws, confidence %v; use at least 1 draw and a confidence between 0 and 1", o.Draws, o.Confidence)
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

// Bootstrap returns percentile confidence intervals of all scores, from draws of as many pictures with replacement (Efron
// and Tibshirani 1993; for BLEU Koehn 2004). The same seed gives the same intervals.
func Bootstrap(c Corpus, o BootstrapOptions) ([]Interval, error) {
	return BootstrapMean([]Corpus{c}, o)
}

// BootstrapMean is Bootstrap for the mean scores of several caption files of the same pictures, as of a model trained with
// several seeds. A draw of pictures is the same for all files.
func BootstrapMean(files []Corpus, o BootstrapOptions) ([]Interval, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("bootstrap: no scores")
	}
	out := make([]Interval, len(files[0].Metrics()))
	means := make([][]float64, o.Draws)
	for d := range means {
		means[d] = make([]float64, len(out))
	}
	for _, c := range files {
		if !slices.Equal(c.Metrics(), files[0].Metrics()) {
			return nil, fmt.Errorf("bootstrap: the files are scored by different protocols")
		}
		if err := samePictures(c.ids(), files[0].ids()); err != nil {
			return nil, err
		}
		rows, finish := c.statistics()
		if len(rows) == 0 {
			return nil, fmt.Errorf("bootstrap: the scores hold no single pictures")
		}
		for d, draw := range resample(rows, finish, o) {
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

// resample returns the scores of each draw of pictures.
func resample(rows [][]float64, finish func([]float64, int) []float64, o BootstrapOptions) [][]float64 {
	draws := make([][]float64, o.Draws)
	inParallel(o.Draws, func(d int) {
		random := rand.New(rand.NewPCG(o.Seed, uint64(d)))
		sum := make([]float64, len(rows[0]))
		for range rows {
			for k, x := range rows[random.IntN(len(rows))] {
				sum[k] += x
			}
		}
		draws[d] = finish(sum, len(rows))
	})
	return draws
}

// percentiles are the ends of the middle share of what metric m came to.
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

// Difference is how far one caption file is from another in one score.
type Difference struct {
	Metric string  `json:"metric"`
	A      float64 `json:"a"`
	B      float64 `json:"b"`
	Delta  float64 `json:"delta"` // A minus B
	Low    float64 `json:"low"`   // of the interval of Delta
	High   float64 `json:"high"`
	P      float64 `json:"p"` // two-sided
}

// Compare tests whether caption file a scores differently from b on the same pictures: a paired bootstrap interval of the
// difference, and the p-value of paired approximate randomization, in which each picture's two captions change sides by
// the toss of a coin (Noreen 1989; for translation Riezler and Maxwell 2005). p is (r+1)/(draws+1) with r draws at least as
// far apart as what was seen, so it is never 0. Both must be scored alike, on the same pictures.
func Compare(a, b Corpus, o BootstrapOptions) ([]Difference, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if !slices.Equal(a.Metrics(), b.Metrics()) {
		return nil, fmt.Errorf("compare: the two files are scored by different protocols")
	}
	if err := samePictures(a.ids(), b.ids()); err != nil {
		return nil, err
	}
	rowsA, finish := a.statistics()
	rowsB, _ := b.statistics()
	n, width := len(rowsA), len(rowsA[0])
	both := make([][]float64, n) // a picture's two rows behind each other, so that they are drawn together
	for i := range both {
		both[i] = append(slices.Clone(rowsA[i]), rowsB[i]...)
	}
	difference := func(sum []float64, n int) []float64 {
		x, y := finish(sum[:width], n), finish(sum[width:], n)
		for m := range x {
			x[m] -= y[m]
		}
		return x
	}
	draws := resample(both, difference, o)
	tossed := make([][]float64, o.Draws)
	inParallel(o.Draws, func(d int) {
		random := rand.New(rand.NewPCG(o.Seed, uint64(d)|1<<63))
		sum := make([]float64, 2*width)
		var coins uint64
		for i, row := range both {
			if i%64 == 0 {
				coins = random.Uint64()
			}
			first := int(coins&1) * width
			coins >>= 1
			for k := range width {
				sum[k] += row[first+k]
				sum[width+k] += row[width-first+k]
			}
		}
		tossed[d] = difference(sum, n)
	})
	valuesA, valuesB := a.Values(), b.Values()
	out := make([]Difference, len(valuesA))
	for m, name := range a.Metrics() {
		delta := valuesA[m] - valuesB[m]
		asFar := 0
		for _, d := range tossed {
			if math.Abs(d[m]) >= math.Abs(delta)-1e-12 {
				asFar++
			}
		}
		low, high := percentiles(draws, m, o.Confidence)
		out[m] = Difference{name, valuesA[m], valuesB[m], delta, low, high, float64(asFar+1) / float64(o.Draws+1)}
	}
	return out, nil
}

func samePictures(a, b []ID) error {
	if len(a) == 0 {
		return fmt.Errorf("compare: the scores hold no single pictures")
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Errorf("compare: image %s is in one file alone", min(a[i], b[i]))
		}
	}
	if len(a) != len(b) {
		return fmt.Errorf("compare: %d images in one file, %d in the other", len(a), len(b))
	}
	return nil
}
