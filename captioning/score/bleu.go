package score

import "math"

// bleuMetric is corpus BLEU as in bleu_scorer.py of coco-caption.
var bleuMetric = builtIn(Metric{
	Name: "BLEU", Scores: []string{BLEU1, BLEU2, BLEU3, BLEU4}, Scale: 100,
	Total: func(sum []float64, _ int) []float64 {
		bleu := overlapOf(sum).bleu()
		return bleu[:]
	},
}, overlapWidth, func(*Prepared) func(s *segment, row []float64) {
	return func(s *segment, row []float64) { s.overlap().fill(row) }
})

// Overlap holds the counts that BLEU sums over images.
type Overlap struct {
	TestLen int           `json:"testlen"` // tokens of the caption
	RefLen  int           `json:"reflen"`  // tokens of the reference of the closest length, the shorter one of two
	Guess   [maxOrder]int `json:"guess"`   // n-grams of the caption, by order
	Correct [maxOrder]int `json:"correct"` // of them, found in a reference, each at most as often as in one reference
}

func (o *Overlap) add(p Overlap) {
	o.TestLen += p.TestLen
	o.RefLen += p.RefLen
	for n := range maxOrder {
		o.Guess[n] += p.Guess[n]
		o.Correct[n] += p.Correct[n]
	}
}

// overlapWidth is the length of an Overlap as a row of numbers.
const overlapWidth = 2 + 2*maxOrder

// row returns the counts as numbers. It leaves room for two more.
func (o Overlap) row() []float64 {
	row := make([]float64, overlapWidth, overlapWidth+2)
	o.fill(row)
	return row
}

// fill writes the counts to a row.
func (o Overlap) fill(row []float64) {
	row[0], row[1] = float64(o.TestLen), float64(o.RefLen)
	for n := range maxOrder {
		row[2+2*n], row[3+2*n] = float64(o.Guess[n]), float64(o.Correct[n])
	}
}

// overlapOf is the inverse of fill.
func overlapOf(row []float64) Overlap {
	o := Overlap{TestLen: int(row[0]), RefLen: int(row[1])}
	for n := range maxOrder {
		o.Guess[n], o.Correct[n] = int(row[2+2*n]), int(row[3+2*n])
	}
	return o
}

func (s *segment) overlap() Overlap {
	s.count()
	o := Overlap{TestLen: len(s.test), RefLen: closestLength(len(s.test), s.refs)}
	for n := range maxOrder {
		o.Guess[n] = max(0, len(s.test)-n)
	}
	for i, n := range s.orders[:s.inTest] {
		o.Correct[n] += s.clipped(i)
	}
	return o
}

func closestLength(n int, refs [][]uint32) int {
	best := len(refs[0])
	for _, r := range refs[1:] {
		d, e := abs(len(r)-n), abs(best-n)
		if d < e || (d == e && len(r) < best) {
			best = len(r)
		}
	}
	return best
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// The small constants of bleu_scorer.py.
const tiny, small = 1e-15, 1e-9

// brevityPenalty is below 1 if the captions are shorter than the closest references.
func (o Overlap) brevityPenalty() float64 {
	ratio := (float64(o.TestLen) + tiny) / (float64(o.RefLen) + small)
	if ratio >= 1 {
		return 1
	}
	return math.Exp(1 - 1/ratio)
}

// bleu returns BLEU-1 to BLEU-4 of summed overlaps (Papineni et al. 2002), with the small constants of bleu_scorer.py.
func (o Overlap) bleu() [maxOrder]float64 {
	var scores [maxOrder]float64
	product := 1.0
	for n := range maxOrder {
		product *= (float64(o.Correct[n]) + tiny) / (float64(o.Guess[n]) + small)
		scores[n] = math.Pow(product, 1/float64(n+1))
	}
	penalty := o.brevityPenalty()
	for n := range scores {
		scores[n] *= penalty
	}
	return scores
}
