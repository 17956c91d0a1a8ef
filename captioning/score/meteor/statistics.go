package meteor

import "math"

// The parameters of METEOR 1.5 for English, tuned to agree with rankings by people (Denkowski and Lavie 2014). They are
// variables because Go computes with constants exactly: 1 - alpha would be .15, but METEOR 1.5 has the sum of two
// rounded numbers, 0.15000000000000002. The last bit decides which of two references with equal scores counts.
var (
	alpha = .85 // weight of recall
	beta  = .2  // exponent of the fragmentation
	gamma = .6  // largest penalty for fragmentation
	delta = .75 // weight of content words; that of function words is 1 - delta
)

// weights are the weights of the modules.
var weights = [modules]float64{1, .6, .8, .6}

// statisticsCount is the number of statistics of a segment.
const statisticsCount = 7 + 4*int(modules)

// Statistics are what METEOR counts in a caption and a reference, in the order in which METEOR 1.5 prints them: words
// of the caption and of the reference, function words of both; for each module, matched content words of the caption
// and the reference, and matched function words of both; chunks; matched words of the caption and of the reference.
type Statistics [statisticsCount]float64

// perfect reports whether the texts have all words in common, in the same order. Such a segment has no chunk.
func (s *Statistics) perfect() bool {
	n := len(s)
	return s[n-3] == 1 && s[n-2] == s[0] && s[n-1] == s[1]
}

// whole returns the statistics as they are summed: a segment that is perfect counts without its chunk.
func (s Statistics) whole() Statistics {
	if s.perfect() {
		s[len(s)-3] = 0
	}
	return s
}

// Add adds the statistics of another segment, for the score of both.
func (s *Statistics) Add(other Statistics) {
	for i, x := range other.whole() {
		s[i] += x
	}
}

// Parts are what a score is made of, each from 0 to 1.
type Parts struct {
	Precision float64 `json:"precision"` // share of the caption that matches, weighed
	Recall    float64 `json:"recall"`    // share of the reference that matches, weighed
	Mean      float64 `json:"mean"`      // harmonic mean, in which recall weighs more
	Penalty   float64 `json:"penalty"`   // for matches in several chunks
}

// Score is the mean less the penalty.
func (p Parts) Score() float64 { return p.Mean * (1 - p.Penalty) }

// Score returns the METEOR score, from 0 to 1: the harmonic mean of precision and recall, recall weighing more, minus
// a penalty for matches in many chunks.
func (s Statistics) Score() float64 { return s.Parts().Score() }

// Parts returns what the score is made of. All parts are 0 if nothing matches.
func (s Statistics) Parts() (p Parts) {
	s = s.whole()
	weigh := func(content, function float64) float64 { return delta*content + (1-delta)*function }
	var test, ref float64
	for m, w := range weights {
		k := 4 + 4*m
		test += w * weigh(s[k], s[k+2])
		ref += w * weigh(s[k+1], s[k+3])
	}
	if test == 0 || ref == 0 {
		return p
	}
	p.Precision = test / weigh(s[0]-s[2], s[2])
	p.Recall = ref / weigh(s[1]-s[3], s[3])
	p.Mean = 1 / ((1-alpha)/p.Precision + alpha/p.Recall)
	n := len(s)
	fragmentation := s[n-3] / ((s[n-2] + s[n-1]) / 2)
	p.Penalty = gamma * math.Pow(fragmentation, beta)
	return p
}

// Chunks is the number of runs of matches that are side by side in both texts, in the same order. A corpus has the sum
// of its segments' chunks.
func (s Statistics) Chunks() int { return int(s[len(s)-3]) }

// newStatistics counts the words and the matches of an alignment.
func newStatistics(ref, test []*word, matches []Match) Statistics {
	var s Statistics
	s[0], s[1] = float64(len(test)), float64(len(ref))
	for side, words := range [][]*word{test, ref} {
		for _, w := range words {
			if w.function {
				s[2+side]++
			}
		}
	}
	count := func(module Module, side int, words []*word) {
		for _, w := range words {
			k := 4 + 4*int(module) + side
			if w.function {
				k += 2
			}
			s[k]++
			s[statisticsCount-2+side]++
		}
	}
	for i, m := range matches {
		count(m.Module, 0, test[m.Caption.Start:m.Caption.end()])
		count(m.Module, 1, ref[m.Reference.Start:m.Reference.end()])
		if i == 0 || !matches[i-1].before(m) {
			s[statisticsCount-3]++
		}
	}
	return s
}
