package score

// maxOrder is the longest n-gram that any of the metrics counts.
const maxOrder = 4

// ngram is up to four words as numbers from 1; unused places are 0.
type ngram [maxOrder]uint32

func (g ngram) order() int {
	n := maxOrder
	for g[n-1] == 0 {
		n--
	}
	return n
}

// words gives every different word a number, from 1.
type words map[string]uint32

func (w words) number(tokens []string) []uint32 {
	ids := make([]uint32, len(tokens))
	for i, t := range tokens {
		id, ok := w[t]
		if !ok {
			id = uint32(len(w) + 1)
			w[t] = id
		}
		ids[i] = id
	}
	return ids
}

// countNgrams counts all n-grams of orders 1 to 4.
func countNgrams(ids []uint32) map[ngram]int {
	counts := make(map[ngram]int, maxOrder*len(ids))
	for n := 1; n <= maxOrder; n++ {
		for i := 0; i+n <= len(ids); i++ {
			var g ngram
			copy(g[:], ids[i:i+n])
			counts[g]++
		}
	}
	return counts
}

// segment is one picture: its caption and references as numbers, and their counts.
type segment struct {
	id         ID
	test       []uint32
	refs       [][]uint32
	testCounts map[ngram]int
	refCounts  []map[ngram]int
}

func newSegment(w words, id ID, test []string, refs [][]string) segment {
	s := segment{id: id, test: w.number(test)}
	for _, r := range refs {
		s.refs = append(s.refs, w.number(r))
	}
	return s
}

func (s *segment) count() {
	s.testCounts = countNgrams(s.test)
	s.refCounts = make([]map[ngram]int, len(s.refs))
	for i, r := range s.refs {
		s.refCounts[i] = countNgrams(r)
	}
}

// Overlap is what BLEU sums over pictures.
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

func (s *segment) overlap() Overlap {
	o := Overlap{TestLen: len(s.test), RefLen: closestLength(len(s.test), s.refs)}
	for n := range maxOrder {
		o.Guess[n] = max(0, len(s.test)-n)
	}
	for g, count := range s.testCounts {
		most := 0
		for _, r := range s.refCounts {
			most = max(most, r[g])
		}
		o.Correct[g.order()-1] += min(count, most)
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
