package meteor

import (
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
)

// word is what the matchers compare.
type word struct {
	// text and stem are the 32-bit hash codes by which METEOR 1.5 compares words and stems. Different words may have
	// the same code, as "variants" and "gelato" do; METEOR 1.5 counts them as the same.
	text, stem int32
	function   bool      // a function word
	senses     []uint32  // synsets, sorted
	some       [4]uint64 // a bit for each of senses, to find out fast that two words have none in common
	phrase     int32     // number in the phrases of the paraphrase table, -1 for a word of none
}

// hashCode is the sum of the UTF-16 code units, each weighed by a power of 31.
func hashCode(s string) int32 {
	var h int32
	for _, r := range s {
		if r >= 0x10000 {
			high, low := utf16.EncodeRune(r)
			h = 31*(31*h+high) + low
		} else {
			h = 31*h + r
		}
	}
	return h
}

// stemOf returns the stem of Snowball's English stemmer.
func stemOf(s string) string {
	env := snowballstem.NewEnv(s)
	english.Stem(env)
	return env.Current()
}

// newWord looks up everything about a word.
func (t *Tables) newWord(s string) *word {
	w := &word{text: hashCode(s), stem: hashCode(stemOf(s)), phrase: -1}
	at, found := t.find(s)
	if found {
		w.function = t.flags(at)&functionFlag != 0
		w.phrase = t.phraseNumber(at)
	}
	w.senses = t.senses(s, at, found)
	for _, sense := range w.senses {
		w.some[sense/64%4] |= 1 << (sense % 64)
	}
	return w
}

// shareSense reports whether two words have a synset in common.
func shareSense(a, b *word) bool {
	if a.some[0]&b.some[0]|a.some[1]&b.some[1]|a.some[2]&b.some[2]|a.some[3]&b.some[3] == 0 {
		return false
	}
	x, y := a.senses, b.senses
	for len(x) > 0 && len(y) > 0 {
		switch {
		case x[0] == y[0]:
			return true
		case x[0] < y[0]:
			x = x[1:]
		default:
			y = y[1:]
		}
	}
	return false
}

// endings are the inflections that WordNet's morphology undoes, in the order in which it tries them.
var endings = []struct{ ending, by string }{
	{"s", ""}, {"ses", "s"}, {"xes", "x"}, {"zes", "z"}, {"ches", "ch"}, {"shes", "sh"}, {"men", "man"}, {"ies", "y"},
	{"es", "e"}, {"es", ""}, {"ed", "e"}, {"ed", ""}, {"ing", "e"}, {"ing", ""},
	{"er", ""}, {"est", ""}, {"er", "e"}, {"est", "e"},
}

// senses returns the synsets of the word s, which is entry at of the dictionary if found, and of its base forms: those
// that the table of irregular forms has or, if it has none, the first one with synsets that an ending leads to.
func (t *Tables) senses(s string, at int, found bool) []uint32 {
	var all []uint32
	if found {
		all = slices.Clone(t.synsets(at))
		if bases := t.bases(at); len(bases) > 0 {
			for _, base := range bases {
				all = append(all, t.synsets(int(base))...)
			}
			slices.Sort(all)
			return slices.Compact(all)
		}
	}
	if len(s) > 2 && !strings.HasSuffix(s, "ss") {
		for _, e := range endings {
			root, ok := strings.CutSuffix(s, e.ending)
			if !ok {
				continue
			}
			if base, found := t.find(root + e.by); found && len(t.synsets(base)) > 0 {
				all = append(all, t.synsets(base)...)
				break
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
