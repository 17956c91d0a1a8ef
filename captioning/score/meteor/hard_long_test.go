//go:build long

package meteor

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// generator makes captions and references that are hard to align, out of the tables.
type generator struct {
	*rand.Rand
	words     []string // of the dictionary
	phrases   []string // by number
	bySense   map[uint32][]string
	starts    []uint32 // of the records in section phrases
	tables    *Tables
	functions []string
}

func newGenerator(t *Tables, seed uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), tables: t, bySense: make(map[uint32][]string)}
	g.phrases = make([]string, len(t.sections[phraseLengths]))
	for at := range t.sections[wordFlags] {
		word := string(t.sections[wordText][t.number(wordStarts, at):t.number(wordStarts, at+1)])
		g.words = append(g.words, word)
		if n := t.phraseNumber(at); n >= 0 {
			g.phrases[n] = word
		}
		if t.flags(at)&functionFlag != 0 {
			g.functions = append(g.functions, word)
		}
		for _, sense := range t.synsets(at) {
			g.bySense[sense] = append(g.bySense[sense], word)
		}
	}
	for slot := range len(t.sections[phraseSlots]) / 4 {
		if start := t.number(phraseSlots, slot); start > 0 {
			g.starts = append(g.starts, start-1)
		}
	}
	slices.Sort(g.starts)
	return g
}

func one[T any](g *generator, of []T) T { return of[g.IntN(len(of))] }

// paraphrases returns a random phrase of the table and up to n of its paraphrases.
func (g *generator) paraphrases(n int) []string {
	all := g.tables.phraseNumbers()[one(g, g.starts):]
	text := func(words []uint16) string {
		var out []string
		for _, w := range words {
			out = append(out, g.phrases[w])
		}
		return strings.Join(out, " ")
	}
	phrase := all[1 : 1+all[0]]
	var record []string
	rest := g.tables.paraphrases(phrase)
	for len(rest) > 0 {
		record = append(record, text(rest[1:1+rest[0]]))
		rest = rest[1+rest[0]:]
	}
	g.Shuffle(len(record), func(i, k int) { record[i], record[k] = record[k], record[i] })
	return append(record[:min(n, len(record))], text(phrase))
}

// inflect adds an ending to a word.
func (g *generator) inflect(word string) string {
	return word + one(g, []string{"", "", "s", "es", "ed", "ing", "er", "est", "ly", "'s", "ness"})
}

// synonym returns a word that shares a synset with word, or word.
func (g *generator) synonym(word string) string {
	at, found := g.tables.find(word)
	if !found || len(g.tables.synsets(at)) == 0 {
		return word
	}
	return one(g, g.bySense[one(g, g.tables.synsets(at))])
}

// pool returns words and phrases of which many match.
func (g *generator) pool() []string {
	var pool []string
	for range 1 + g.IntN(4) {
		switch g.IntN(3) {
		case 0:
			pool = append(pool, g.paraphrases(4)...)
		case 1:
			word := one(g, g.words)
			pool = append(pool, word, g.inflect(word), g.inflect(word), g.inflect(g.synonym(word)))
		default:
			pool = append(pool, one(g, g.functions), one(g, g.functions), one(g, g.words))
		}
	}
	return pool
}

// segments returns n segments of at most longest words and phrases a text.
func (g *generator) segments(n, longest int) []segment {
	out := make([]segment, n)
	for i := range out {
		pool := g.pool()
		most := 1 + g.IntN(longest)
		text := func() string {
			var words []string
			for range 1 + g.IntN(most) {
				words = append(words, one(g, pool))
			}
			return strings.Join(words, " ")
		}
		out[i].caption = text()
		for range one(g, []int{1, 1, 2, 5}) {
			out[i].references = append(out[i].references, text())
		}
	}
	return out
}

// perturb changes a caption in one of many ways.
func (g *generator) perturb(caption string) string {
	words := strings.Fields(caption)
	if len(words) == 0 {
		return caption
	}
	change := func(by func(string) string) {
		for i, w := range words {
			if g.IntN(2) == 0 {
				words[i] = by(w)
			}
		}
	}
	switch g.IntN(9) {
	case 0:
		g.Shuffle(len(words), func(i, k int) { words[i], words[k] = words[k], words[i] })
	case 1:
		words = slices.Repeat(words, 2)
	case 2:
		change(g.inflect)
	case 3:
		change(g.synonym)
	case 4:
		words = words[:g.IntN(min(4, len(words)+1))]
	case 5:
		change(func(w string) string { return w + " " + w })
	case 6:
		words = slices.Repeat(words, 8)[:1+g.IntN(8*len(words))]
	case 7:
		words = slices.DeleteFunc(words, func(string) bool { return g.IntN(3) == 0 })
	case 8:
		change(g.paraphrase)
	}
	return strings.Join(words, " ")
}

// paraphrase returns a paraphrase of a word, or the word.
func (g *generator) paraphrase(word string) string {
	at, found := g.tables.find(word)
	if !found || g.tables.phraseNumber(at) < 0 {
		return word
	}
	record := g.tables.paraphrases([]uint16{uint16(g.tables.phraseNumber(at))})
	var all []string
	for len(record) > 0 {
		var words []string
		for _, n := range record[1 : 1+record[0]] {
			words = append(words, g.phrases[n])
		}
		all = append(all, strings.Join(words, " "))
		record = record[1+record[0]:]
	}
	if len(all) == 0 {
		return word
	}
	return one(g, all)
}

// punctuated returns a line of letters and marks.
func (g *generator) punctuated() string {
	marks := one(g, []string{"ab1.,'- sA", "aé1.'`-—–“”‘’\"&\t\u00a0 ", "a1. DrnoptNoMr", "aбЖçŒ'-.,1 ",
		"中한é'.,- σΣςİß", "a1\u2003\u2028\u3000\ufeff.' -", "😀a1'-., ",
		"<>&;#/\\_*+=~^@!?:()[]{}$%a1.,'-\" ", "'s t'n a1.0,0-"})
	runes := []rune(marks)
	var out []rune
	for range 1 + g.IntN(20) {
		out = append(out, one(g, runes))
	}
	return string(out)
}
