package meteor

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// readParaphrases fills phrases, starts and lengths.
func (b *builder) readParaphrases(in *lines) error {
	var last string
	var length int // where the number of uint16 of the current record is in phrases
	seen := make(map[string]bool)
	for _, ok := in.next(); ok; _, ok = in.next() {
		phrase, err := in.second()
		if err != nil {
			return err
		}
		paraphrase, err := in.second()
		if err != nil {
			return err
		}
		if phrase != last || len(b.starts) == 0 {
			if seen[phrase] {
				return fmt.Errorf("%.40q comes back after other phrases: its pairs must follow each other", phrase)
			}
			seen[phrase], last = true, phrase
			if len(b.phrases) > math.MaxUint32/2 {
				return fmt.Errorf("the table is too large for an index")
			}
			b.starts = append(b.starts, uint32(len(b.phrases)))
			if err := b.addPhrase(phrase); err != nil {
				return err
			}
			length = len(b.phrases)
			b.phrases = append(b.phrases, 0, 0)
			b.noteLength(b.phrases[b.starts[len(b.starts)-1]:length])
		}
		if err := b.addPhrase(paraphrase); err != nil {
			return err
		}
		n := len(b.phrases) - length - 2
		b.phrases[length], b.phrases[length+1] = uint16(n), uint16(n>>16)
	}
	return nil
}

// addPhrase appends a phrase's number of words and their numbers to phrases.
func (b *builder) addPhrase(phrase string) error {
	at := len(b.phrases)
	b.phrases = append(b.phrases, 0)
	for word := range strings.FieldsSeq(phrase) {
		n, known := b.inPhrase[word]
		if !known {
			if len(b.inPhrase) == math.MaxUint16 {
				return fmt.Errorf("the table has more than %d different words", math.MaxUint16)
			}
			n = uint16(len(b.inPhrase) + 1)
			word = strings.Clone(word)
			b.inPhrase[word] = n
			b.entry(word).phrase = n
		}
		b.phrases = append(b.phrases, n-1)
	}
	n := len(b.phrases) - at - 1
	if n == 0 || n > maxPhrase {
		return fmt.Errorf("%.40q has %d words: want 1 to %d", phrase, n, maxPhrase)
	}
	b.phrases[at] = uint16(n)
	return nil
}

// noteLength notes the length of a phrase with paraphrases, given as in section phrases.
func (b *builder) noteLength(phrase []uint16) {
	for len(b.lengths) <= int(phrase[1]) {
		b.lengths = append(b.lengths, 0)
	}
	b.lengths[phrase[1]] = max(b.lengths[phrase[1]], byte(phrase[0]))
}

// layPhrases fills the sections of phrases.
func (b *builder) layPhrases() {
	b.sections[phraseLengths] = append(b.lengths, make([]byte, len(b.inPhrase)-len(b.lengths))...)
	if len(b.starts) == 0 {
		return
	}
	count := 1
	for count < 2*len(b.starts) {
		count *= 2
	}
	slots := make([]uint32, count)
	for _, start := range b.starts {
		n := uint32(b.phrases[start])
		slot := int(phraseHash(b.phrases[start+1:start+1+n])) & (count - 1)
		for slots[slot] != 0 {
			slot = (slot + 1) & (count - 1)
		}
		slots[slot] = start + 1
	}
	for _, s := range slots {
		b.sections[phraseSlots] = binary.LittleEndian.AppendUint32(b.sections[phraseSlots], s)
	}
	b.layBeginnings(8 * count)
	for _, n := range b.phrases {
		b.sections[phrases] = binary.LittleEndian.AppendUint16(b.sections[phrases], n)
	}
}

// layBeginnings fills the section of the beginnings of phrases, with a number of bits that is a power of two.
func (b *builder) layBeginnings(bits int) {
	set := make([]uint32, max(2, bits/32))
	for _, start := range b.starts {
		phrase := b.phrases[start+1 : start+1+uint32(b.phrases[start])]
		for n := 1; n < len(phrase); n++ {
			bit := int(phraseHash(phrase[:n])) & (32*len(set) - 1)
			set[bit/32] |= 1 << (bit % 32)
		}
	}
	for _, s := range set {
		b.sections[phraseBeginnings] = binary.LittleEndian.AppendUint32(b.sections[phraseBeginnings], s)
	}
}
