package score

// maxOrder is the length of the longest n-grams counted.
const maxOrder = 4

// ngram holds the numbers (from 1) of up to four words; unused places are 0. It compares exactly: a [width] says how
// many bits a number has.
type ngram struct{ lo, hi uint64 }

// width is the number of bits of a word in an ngram. With 16, all words are in lo; with 32, two in each half.
type width uint

// widthOf returns the smallest width for a number of distinct words.
func widthOf(words int) width {
	if words < 1<<16 {
		return 16
	}
	return 32
}

// with returns g with a word at place n, from 0. The place must be unused.
func (w width) with(g ngram, n int, word uint32) ngram {
	switch {
	case w == 16:
		g.lo |= uint64(word) << (16 * n)
	case n < 2:
		g.lo |= uint64(word) << (32 * n)
	default:
		g.hi |= uint64(word) << (32 * (n - 2))
	}
	return g
}

// words returns the numbers of an n-gram's words.
func (w width) words(g ngram) []uint32 {
	var out []uint32
	for g != (ngram{}) {
		out = append(out, uint32(g.lo&(1<<w-1)))
		g.lo >>= w
		if w == 32 && len(out)%2 == 0 {
			g = ngram{lo: g.hi}
		}
	}
	return out
}

// hash is a multiply and xor-shift hash, as in SplitMix64.
func (g ngram) hash() uint64 {
	h := (g.lo ^ g.hi*0x94d049bb133111eb) * 0x9e3779b97f4a7c15
	h = (h ^ h>>32) * 0xbf58476d1ce4e5b9
	return h ^ h>>31
}

// segment is one image: its caption and references as word numbers and, after count, the counts of their n-grams. It
// is used for one image after another and keeps its memory, which is proportional to the words of an image.
type segment struct {
	width  width
	test   []uint32
	refs   [][]uint32
	joined []joinedTokens // texts in which some tokens are several words; only ROUGE-L uses them

	counted bool
	// grams are the distinct n-grams in order of first occurrence, the caption's first, then those of the references.
	grams  []ngram
	hashes []uint64
	orders []uint8 // of each gram, its number of words minus 1
	// counts are the texts in which each gram occurs, gram by gram; those of gram i are counts[starts[i]:starts[i+1]].
	counts []count
	starts []int32
	inTest int // number of grams in the caption

	counter
	cider ciderMemory
	rouge []int
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

// counter is what a segment needs while it counts.
type counter struct {
	table    []int32 // open addressing: index of the gram, plus 1
	prefixes []ngram // the gram that begins at each word, one order lower
	last     []int32 // for each gram, the index in byText of the last text with it
	// byText and gramOf are in the order of the texts.
	byText []count
	gramOf []int32
}

// count fills grams, hashes, orders, counts, starts and inTest, unless it has done so for this image.
func (s *segment) count() {
	if s.counted {
		return
	}
	s.counted = true
	places := maxOrder * len(s.test)
	for _, r := range s.refs {
		places += maxOrder * len(r)
	}
	size := 64
	for size < 2*places {
		size *= 2
	}
	if size > cap(s.table) {
		s.table = make([]int32, size)
	} else {
		s.table = s.table[:size]
		clear(s.table)
	}
	s.grams, s.hashes, s.orders, s.last = s.grams[:0], s.hashes[:0], s.orders[:0], s.last[:0]
	s.byText, s.gramOf = s.byText[:0], s.gramOf[:0]
	s.countOne(0, s.test)
	s.inTest = len(s.grams)
	for i, r := range s.refs {
		s.countOne(int32(i+1), r)
	}
	s.sortByGram()
}

// countOne counts the n-grams of one text.
func (s *segment) countOne(text int32, ids []uint32) {
	mask := uint64(len(s.table) - 1)
	s.prefixes = zeroed(s.prefixes, len(ids))
	for n := range maxOrder {
		for i := 0; i+n < len(ids); i++ {
			g := s.width.with(s.prefixes[i], n, ids[i+n])
			s.prefixes[i] = g
			h := g.hash()
			at := h & mask
			for s.table[at] != 0 && s.grams[s.table[at]-1] != g {
				at = (at + 1) & mask
			}
			if s.table[at] == 0 {
				s.grams, s.hashes, s.last = append(s.grams, g), append(s.hashes, h), append(s.last, -1)
				s.orders = append(s.orders, uint8(n))
				s.table[at] = int32(len(s.grams))
			}
			gram := s.table[at] - 1
			if last := s.last[gram]; last >= 0 && s.byText[last].text == text {
				s.byText[last].times++
				continue
			}
			s.last[gram] = int32(len(s.byText))
			s.byText, s.gramOf = append(s.byText, count{text, 1}), append(s.gramOf, gram)
		}
	}
}

// sortByGram fills counts and starts. It keeps the order of the texts of each gram.
func (s *segment) sortByGram() {
	s.starts, s.counts = zeroed(s.starts, len(s.grams)+1), zeroed(s.counts, len(s.byText))
	for _, gram := range s.gramOf {
		s.starts[gram+1]++
	}
	for gram := range s.grams {
		s.starts[gram+1] += s.starts[gram]
		s.last[gram] = s.starts[gram] // from here on, where the next count goes
	}
	for i, gram := range s.gramOf {
		s.counts[s.last[gram]] = s.byText[i]
		s.last[gram]++
	}
}

// zeroed returns n zeros, in the memory of s if it has enough.
func zeroed[T any](s []T, n int) []T {
	if n > cap(s) {
		return make([]T, n, n+n/2)
	}
	s = s[:n]
	clear(s)
	return s
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
