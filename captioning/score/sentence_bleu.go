package score

import "math"

// sentenceBLEUMetric is the mean of NLTK's sentence BLEU over images, times 100.
var sentenceBLEUMetric = builtIn(Metric{
	Name: "sentence BLEU", Scores: []string{BLEU1, BLEU4, BLEU4Individual},
}, 3, func(*Prepared) func(s *segment, row []float64) {
	return func(s *segment, row []float64) {
		o := s.overlap()
		row[0] = 100 * o.nltkBLEU([maxOrder]float64{1})
		row[1] = 100 * o.nltkBLEU([maxOrder]float64{0.25, 0.25, 0.25, 0.25})
		row[2] = 100 * o.nltkBLEU([maxOrder]float64{0, 0, 0, 1})
	}
})

// nltkBLEU is sentence_bleu of NLTK 3.9 with SmoothingFunction().method1 (Chen and Cherry 2014): an order without
// matches counts as 0.1 matches; a caption without any matching word scores 0. weights are those of the orders.
func (o Overlap) nltkBLEU(weights [maxOrder]float64) float64 {
	if o.Correct[0] == 0 {
		return 0
	}
	var sum float64
	for n, weight := range weights {
		if weight == 0 {
			continue
		}
		matches := float64(o.Correct[n])
		if matches == 0 {
			matches = 0.1
		}
		sum += weight * math.Log(matches/float64(max(1, o.Guess[n])))
	}
	brevity := 1.0
	if o.TestLen <= o.RefLen {
		brevity = math.Exp(1 - float64(o.RefLen)/float64(o.TestLen))
	}
	return brevity * math.Exp(sum)
}
