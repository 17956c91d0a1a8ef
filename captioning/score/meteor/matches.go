package meteor

import "slices"

// Module is a way in which words match.
type Module uint8

// The modules, in the order in which METEOR 1.5 applies them.
const (
	Exact      Module = iota // the same word
	Stem                     // the same stem
	Synonym                  // a WordNet synset in common
	Paraphrase               // phrases of the paraphrase table
	modules
)

// String returns the module's name.
func (m Module) String() string { return [modules]string{"exact", "stem", "synonym", "paraphrase"}[m] }

// options are matches between the reference's words from one place on and words of the caption: a match for each place
// in starts, in this order.
type options struct {
	module    Module
	ref, test uint8   // number of words in the reference, and in the caption
	starts    []int32 // in the caption
}

// gain is what the search counts a match as. METEOR 1.5 counts half a word for every word of a match that is not
// exact, on both sides, and rounds each side down.
func (o *options) gain() int32 {
	if o.module == Exact {
		return int32(o.ref) + int32(o.test)
	}
	return int32(o.ref/2) + int32(o.test/2)
}

// text is a sentence with what the matchers look up in it.
type text struct {
	words []*word
	// found are the phrases that have paraphrases, by start and then length.
	found []foundPhrase
}

type foundPhrase struct {
	start       int32
	words       uint8
	paraphrases phraseRecord
}

// newText looks up the phrases of a sentence.
func (t *Tables) newText(words []*word) text {
	x := text{words: words}
	var phrase []uint16
	for i, w := range words {
		phrase = phrase[:0]
		for k, n := i, min(len(words), i+t.longestPhrase(w.phrase)); k < n && words[k].phrase >= 0; k++ {
			phrase = append(phrase, uint16(words[k].phrase))
			if record := t.paraphrases(phrase); record != nil {
				x.found = append(x.found, foundPhrase{int32(i), uint8(k - i + 1), record})
			}
			if !t.begins(phrase) {
				break
			}
		}
	}
	return x
}

// matcher finds the matches between two texts. It reuses its memory.
type matcher struct {
	at     [][]options         // for each word of the reference, the matches that start there, in the search's order
	locked []bool              // for each word of the reference, whether nothing competes for its only match's words
	starts []int32             // memory of options.starts
	first  []int32             // for each word of phrases, 1 + its first place in a text
	after  []int32             // for each place in a text, 1 + the next place of the same word
	cover  [2][]int32          // for each word of both texts, the number of matches that touch it, at most 2
	kept   []options           // memory of matchesOf
	single [Paraphrase][]int32 // memory of matchesOf
}

// near is how far back a word is looked for, whose matches need not be found again.
const near = 64

// find fills at and locked with the matches between a reference and a caption.
func (m *matcher) find(ref, test text) {
	m.starts = m.starts[:0]
	m.at = resize(m.at, len(ref.words))
	for i, w := range ref.words {
		from := max(0, i-near)
		if same := slices.Index(ref.words[from:i], w); same >= 0 {
			m.at[i] = append(m.at[i][:0], m.at[from+same]...)
		} else {
			m.at[i] = append(m.at[i][:0], m.matchesOf(w, test.words)...)
		}
	}
	m.index(test.words)
	for _, f := range ref.found {
		m.paraphrase(f.paraphrases, test.words, func(start int32, words uint8) {
			m.add(int(f.start), options{module: Paraphrase, ref: f.words, test: words}, start)
		})
	}
	m.forget(test.words)
	m.index(ref.words)
	for _, f := range test.found {
		m.paraphrase(f.paraphrases, ref.words, func(start int32, words uint8) {
			m.add(int(start), options{module: Paraphrase, ref: words, test: f.words}, f.start)
		})
	}
	m.forget(ref.words)
	m.lock(len(ref.words), len(test.words))
}

// add appends a match to those of place i of the reference.
func (m *matcher) add(i int, o options, start int32) {
	m.starts = append(m.starts, start)
	o.starts = m.starts[len(m.starts)-1:]
	m.at[i] = append(m.at[i], o)
}

// matchesOf returns the matches of a word of the reference with single words of the caption.
func (m *matcher) matchesOf(w *word, test []*word) []options {
	for k := range m.single {
		m.single[k] = m.single[k][:0]
	}
	for j, other := range test {
		if w.text == other.text {
			m.single[Exact] = append(m.single[Exact], int32(j))
			continue
		}
		if w.stem == other.stem {
			m.single[Stem] = append(m.single[Stem], int32(j))
		}
		if shareSense(w, other) {
			m.single[Synonym] = append(m.single[Synonym], int32(j))
		}
	}
	m.kept = m.kept[:0]
	for module, starts := range m.single {
		if len(starts) > 0 {
			at := len(m.starts)
			m.starts = append(m.starts, starts...)
			m.kept = append(m.kept, options{module: Module(module), ref: 1, test: 1, starts: m.starts[at:]})
		}
	}
	return m.kept
}

// index notes where the words of a text are, for paraphrase.
func (m *matcher) index(words []*word) {
	m.after = resize(m.after, len(words))
	for i, w := range slices.Backward(words) {
		if w.phrase < 0 {
			continue
		}
		for int(w.phrase) >= len(m.first) {
			m.first = append(m.first, make([]int32, 1<<12)...)
		}
		m.after[i] = m.first[w.phrase]
		m.first[w.phrase] = int32(i + 1)
	}
}

// forget undoes index.
func (m *matcher) forget(words []*word) {
	for _, w := range words {
		if w.phrase >= 0 {
			m.first[w.phrase] = 0
		}
	}
}

// paraphrase calls found for each place at which one of the paraphrases is in the text that index noted.
func (m *matcher) paraphrase(record phraseRecord, words []*word, found func(start int32, words uint8)) {
	for len(record) > 0 {
		n := int(record[0])
		phrase := record[1 : 1+n]
		record = record[1+n:]
		if int(phrase[0]) >= len(m.first) {
			continue
		}
		for at := m.first[phrase[0]]; at > 0; at = m.after[at-1] {
			if isAt(phrase, words[at-1:]) {
				found(at-1, uint8(n))
			}
		}
	}
}

func isAt(phrase []uint16, words []*word) bool {
	if len(words) < len(phrase) {
		return false
	}
	for k, n := range phrase {
		if words[k].phrase != int32(n) {
			return false
		}
	}
	return true
}

// lock fills locked.
func (m *matcher) lock(refWords, testWords int) {
	ref, test := resize(m.cover[0], refWords), resize(m.cover[1], testWords)
	clear(ref)
	clear(test)
	m.cover = [2][]int32{ref, test}
	for i, all := range m.at {
		for _, o := range all {
			for k := range int(o.ref) {
				ref[i+k] = min(2, ref[i+k]+int32(len(o.starts)))
			}
			for _, j := range o.starts {
				for k := range int32(o.test) {
					test[j+k] = min(2, test[j+k]+1)
				}
			}
		}
	}
	m.locked = resize(m.locked, refWords)
	for i, all := range m.at {
		m.locked[i] = len(all) == 1 && len(all[0].starts) == 1 && allOne(ref[i:i+int(all[0].ref)]) &&
			allOne(test[all[0].starts[0]:all[0].starts[0]+int32(all[0].test)])
	}
}

func allOne(counts []int32) bool {
	return !slices.ContainsFunc(counts, func(n int32) bool { return n != 1 })
}

// resize returns a slice of n elements, in the memory of s if that suffices. Their values are those of s or zero.
func resize[T any](s []T, n int) []T {
	if n <= cap(s) {
		return s[:n]
	}
	return append(s[:cap(s)], make([]T, n-cap(s))...)
}
