package score

import "slices"

// maxOrder is the length of the longest n-grams counted.
const maxOrder = 4

// ngram holds the numbers (from 1) of up to four words; unused places are 0.
type ngram [maxOrder]uint32

func (g ngram) order() int {
	n := maxOrder
	for g[n-1] == 0 {
		n--
	}
	return n
}

// words assigns a number, from 1, to each distinct word.
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

// hash is a multiply and xor-shift hash, as in SplitMix64.
func (g ngram) hash() uint64 {
	h := (uint64(g[0]) | uint64(g[1])<<32) * 0x9e3779b97f4a7c15
	h = (h ^ h>>32 ^ uint64(g[2]) ^ uint64(g[3])<<32) * 0xbf58476d1ce4e5b9
	return h ^ h>>31
}

// segment is one image: its caption and references as word numbers, and the counts of their n-grams.
type segment struct {
	id   ID
	test []uint32
	refs [][]uint32
	// grams are the distinct n-grams in order of first occurrence, the caption's first, then those of the references.
	grams  []ngram
	hashes []uint64
	// counts are the texts in which each gram occurs, gram by gram; those of gram i are counts[starts[i]:starts[i+1]].
	counts []count
	starts []int32
	inTest int // number of grams in the caption
	// joined are texts in which some tokens are several words. Only ROUGE-L uses them.
	joined []joinedTokens
}

// count says that a gram occurs some times in the caption (text = 0) or in reference text (from 1).
type count struct{ text, times int32 }

// joinedTokens are the tokens of the caption (which = 0) or of reference which (from 1).
type joinedTokens struct {
	which  int
	tokens []uint32
}

// whole returns the tokens that ROUGE-L compares: those of the caption (0) or of a reference (from 1).
func (s *segment) whole(which int) []uint32 {
	order := func(j joinedTokens, which int) int { return j.which - which }
	if i, found := slices.BinarySearchFunc(s.joined, which, order); found {
		return s.joined[i].tokens
	}
	if which == 0 {
		return s.test
	}
	return s.refs[which-1]
}

// texts are the caption and the references of an image, with what the reference implementation tokenizes after them.
type texts struct {
	id        ID
	caption   string
	refs      []string
	next      string // caption
	nextFirst string // reference
}

// newSegment tokenizes the texts of an image and numbers their words.
func newSegment(w words, t texts, tokenize func(text, after string) []string) segment {
	s := segment{id: t.id, refs: make([][]uint32, len(t.refs))}
	for i := range 1 + len(t.refs) {
		text, after := t.caption, t.next
		if i > 0 {
			text, after = t.refs[i-1], t.nextFirst
			if i < len(t.refs) {
				after = t.refs[i]
			}
		}
		whole := tokenize(text, after)
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

// numbering holds the word numbers of one core, and common, the number that all cores use for each of them.
type numbering struct {
	words  words
	common []uint32
}

// translate fills n.common. It adds the words that common lacks.
func (n *numbering) translate(common words) {
	n.common = make([]uint32, len(n.words)+1)
	for word, id := range n.words {
		n.common[id] = common.number([]string{word})[0]
	}
}

// apply replaces the numbers in a segment by the common ones.
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

// counter counts n-grams and reuses its memory between images. Memory is proportional to the words of an image.
type counter struct {
	table  []int32 // open addressing: index of the gram, plus 1
	grams  []ngram
	hashes []uint64
	last   []int32 // for each gram, the index in counts of the last text with it
	// counts and gramOf are in the order of the texts.
	counts []count
	gramOf []int32
}

// count fills grams, hashes, counts, starts and inTest.
func (c *counter) count(s *segment) {
	places := maxOrder * len(s.test)
	for _, r := range s.refs {
		places += maxOrder * len(r)
	}
	size := 64
	for size < 2*places {
		size *= 2
	}
	if size > cap(c.table) {
		c.table = make([]int32, size)
	} else {
		c.table = c.table[:size]
		clear(c.table)
	}
	c.grams, c.hashes, c.last = c.grams[:0], c.hashes[:0], c.last[:0]
	c.counts, c.gramOf = c.counts[:0], c.gramOf[:0]
	c.countOne(0, s.test)
	s.inTest = len(c.grams)
	for i, r := range s.refs {
		c.countOne(int32(i+1), r)
	}
	s.grams, s.hashes = slices.Clone(c.grams), slices.Clone(c.hashes)
	c.sortByGram(s)
}

// countOne counts the n-grams of one text.
func (c *counter) countOne(text int32, ids []uint32) {
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
				c.grams, c.hashes, c.last = append(c.grams, g), append(c.hashes, h), append(c.last, -1)
				c.table[at] = int32(len(c.grams))
			}
			gram := c.table[at] - 1
			if last := c.last[gram]; last >= 0 && c.counts[last].text == text {
				c.counts[last].times++
				continue
			}
			c.last[gram] = int32(len(c.counts))
			c.counts, c.gramOf = append(c.counts, count{text, 1}), append(c.gramOf, gram)
		}
	}
}

// sortByGram fills counts and starts. It keeps the order of the texts of each gram.
func (c *counter) sortByGram(s *segment) {
	s.starts, s.counts = make([]int32, len(c.grams)+1), make([]count, len(c.counts))
	for _, gram := range c.gramOf {
		s.starts[gram+1]++
	}
	for gram := range c.grams {
		s.starts[gram+1] += s.starts[gram]
		c.last[gram] = s.starts[gram] // from here on, where the next count goes
	}
	for i, gram := range c.gramOf {
		s.counts[c.last[gram]] = c.counts[i]
		c.last[gram]++
	}
}

// row returns the occurrences of gram i in the caption, and its counts in the references that contain it.
func (s *segment) row(i int) (test int32, refs []count) {
	row := s.counts[s.starts[i]:s.starts[i+1]]
	if row[0].text == 0 {
		return row[0].times, row[1:]
	}
	return 0, row
}

// clipped returns how many of the occurrences of gram i in the caption count: at most as many as in one reference.
func (s *segment) clipped(i int) int {
	test, refs := s.row(i)
	var most int32
	for _, r := range refs {
		most = max(most, r.times)
	}
	return int(min(test, most))
}
