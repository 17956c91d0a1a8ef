package score

import "slices"

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

// hash spreads n-grams over tables (multiplication and xor-shift, as in SplitMix64).
func (g ngram) hash() uint64 {
	h := (uint64(g[0]) | uint64(g[1])<<32) * 0x9e3779b97f4a7c15
	h = (h ^ h>>32 ^ uint64(g[2]) ^ uint64(g[3])<<32) * 0xbf58476d1ce4e5b9
	return h ^ h>>31
}

// segment is one picture: its caption and references as numbers, and how often each n-gram is in them.
type segment struct {
	id   ID
	test []uint32
	refs [][]uint32
	// grams are the different n-grams of caption and references in the order in which they are met, the caption's first.
	grams  []ngram
	hashes []uint64
	// counts [gram][1 + references]: how often the gram is in the caption and in each reference.
	counts []int32
	inTest int // how many of the grams are in the caption
	// joined are captions some of whose tokens are several words, as ROUGE-L sees them.
	joined []joinedTokens
}

// joinedTokens are the tokens of the caption (which is 0) or of a reference (from 1).
type joinedTokens struct {
	which  int
	tokens []uint32
}

// whole returns what ROUGE-L compares: the caption (0) or a reference (from 1).
func (s *segment) whole(which int) []uint32 {
	for _, j := range s.joined {
		if j.which == which {
			return j.tokens
		}
	}
	if which == 0 {
		return s.test
	}
	return s.refs[which-1]
}

// newSegment tokenizes and numbers the caption and the references of a picture.
func newSegment(w words, id ID, tokenize func(string) []string, test string, refs []string) segment {
	s := segment{id: id, refs: make([][]uint32, len(refs))}
	for i := range s.width() {
		text := test
		if i > 0 {
			text = refs[i-1]
		}
		whole := tokenize(text)
		tokens := takeApart(whole)
		if len(whole) != len(tokens) {
			s.joined = append(s.joined, joinedTokens{i, w.number(whole)})
		}
		if i == 0 {
			s.test = w.number(tokens)
		} else {
			s.refs[i-1] = w.number(tokens)
		}
	}
	return s
}

// numbering is how one core numbered words, and what these numbers are in common.
type numbering struct {
	words  words
	common []uint32
}

// translate finds the common numbers of the words.
func (n *numbering) translate(common words) {
	n.common = make([]uint32, len(n.words)+1)
	for word, id := range n.words {
		n.common[id] = common.number([]string{word})[0]
	}
}

// apply changes the numbers of a segment to the common ones.
func (n *numbering) apply(s *segment) {
	change := func(ids []uint32) {
		for i, id := range ids {
			ids[i] = n.common[id]
		}
	}
	change(s.test)
	for _, r := range s.refs {
		change(r)
	}
	for _, j := range s.joined {
		change(j.tokens)
	}
}

// counter counts n-grams; it keeps its memory between pictures.
type counter struct {
	table  []int32 // open addressing: index of the gram, plus 1
	grams  []ngram
	hashes []uint64
	counts []int32
}

// count fills in grams, hashes and counts.
func (c *counter) count(s *segment) {
	places := maxOrder * len(s.test)
	for _, r := range s.refs {
		places += maxOrder * len(r)
	}
	size := 64
	for size < 2*places {
		size *= 2
	}
	if size > len(c.table) {
		c.table = make([]int32, size)
	} else {
		clear(c.table)
	}
	c.grams, c.hashes, c.counts = c.grams[:0], c.hashes[:0], c.counts[:0]
	c.countOne(0, s.width(), s.test)
	s.inTest = len(c.grams)
	for i, r := range s.refs {
		c.countOne(i+1, s.width(), r)
	}
	s.grams, s.hashes, s.counts = slices.Clone(c.grams), slices.Clone(c.hashes), slices.Clone(c.counts)
}

// countOne counts the n-grams of one caption into a column of counts.
func (c *counter) countOne(column, width int, ids []uint32) {
	mask := uint64(len(c.table) - 1)
	for n := 1; n <= maxOrder; n++ {
		for i := 0; i+n <= len(ids); i++ {
			var g ngram
			copy(g[:], ids[i:i+n])
			h := g.hash()
			at := h & mask
			for c.table[at] != 0 && c.grams[c.table[at]-1] != g {
				at = (at + 1) & mask
			}
			if c.table[at] == 0 {
				c.grams, c.hashes = append(c.grams, g), append(c.hashes, h)
				for range width {
					c.counts = append(c.counts, 0)
				}
				c.table[at] = int32(len(c.grams))
			}
			c.counts[int(c.table[at]-1)*width+column]++
		}
	}
}

func (s *segment) width() int { return 1 + len(s.refs) }

// row returns how often gram i is in the caption and in each reference.
func (s *segment) row(i int) (test int32, refs []int32) {
	row := s.counts[i*s.width() : (i+1)*s.width()]
	return row[0], row[1:]
}
