package score

import "math"

// The small constants of coco-caption's bleu_scorer.py.
const tiny, small = 1e-15, 1e-9

// brevityPenalty is coco-caption's: below 1 where the captions are shorter than the closest references.
func (o Overlap) brevityPenalty() float64 {
	ratio := (float64(o.TestLen) + tiny) / (float64(o.RefLen) + small)
	if ratio >= 1 {
		return 1
	}
	return math.Exp(1 - 1/ratio)
}

// bleu returns BLEU-1 to BLEU-4 of summed overlaps, with the small constants of coco-caption's bleu_scorer.py (Papineni et
// al. 2002 for the idea).
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

// rougeL is coco-caption's: the F-measure, beta 1.2, of the best precision and the best recall, which may come from
// different references (Lin 2004). An empty caption or reference counts as one empty word, as it does there.
func (s *segment) rougeL() float64 {
	const beta2 = 1.2 * 1.2
	var precision, recall float64
	test := orEmptyWord(s.whole(0))
	for i := range s.refs {
		ref := orEmptyWord(s.whole(i + 1))
		common := float64(longestCommon(test, ref))
		precision = max(precision, common/float64(len(test)))
		recall = max(recall, common/float64(len(ref)))
	}
	if precision == 0 || recall == 0 {
		return 0
	}
	return (1 + beta2) * precision * recall / (recall + beta2*precision)
}

func orEmptyWord(ids []uint32) []uint32 {
	if len(ids) == 0 {
		return []uint32{0}
	}
	return ids
}

// longestCommon is the length of the longest common subsequence.
func longestCommon(a, b []uint32) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

// nltkBLEU is NLTK 3.9's sentence_bleu with SmoothingFunction().method1 (Chen and Cherry 2014): a precision of zero counts
// as 0.1 matches; no common word at all is 0. weights are those of the orders.
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
