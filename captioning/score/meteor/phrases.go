package meteor

import (
	"encoding/binary"
	"slices"
	"unsafe"
)

// maxPhrase is the largest number of words of a phrase in the index.
const maxPhrase = 255

// phraseRecord is a phrase with its paraphrases in section phrases, as uint16: the number of words, the words' numbers,
// the number of uint16 that follow (two uint16, low one first), and the paraphrases in the order of the table, each as
// its number of words and their numbers.
type phraseRecord []uint16

func phraseHash(words []uint16) uint32 {
	h := uint64(len(words))
	for _, w := range words {
		h = (h ^ uint64(w)) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	return uint32(h ^ h>>32)
}

// paraphrases returns the paraphrases of a phrase: its number of words and their numbers, one after another.
func (t *Tables) paraphrases(phrase []uint16) phraseRecord {
	slots := len(t.sections[phraseSlots]) / 4
	if slots == 0 {
		return nil
	}
	all := t.phraseNumbers()
	for slot := int(phraseHash(phrase)) & (slots - 1); ; slot = (slot + 1) & (slots - 1) {
		start := t.number(phraseSlots, slot)
		if start == 0 {
			return nil
		}
		record := all[start-1:]
		n := int(record[0])
		if n == len(phrase) && slices.Equal(phrase, record[1:1+n]) {
			length := int(record[1+n]) | int(record[2+n])<<16
			return record[3+n : 3+n+length]
		}
	}
}

// begins reports whether a phrase may be the beginning of a longer one with paraphrases.
func (t *Tables) begins(phrase []uint16) bool {
	bits := len(t.sections[phraseBeginnings]) * 8
	if bits == 0 {
		return false
	}
	bit := int(phraseHash(phrase)) & (bits - 1)
	return t.number(phraseBeginnings, bit/32)>>(bit%32)&1 != 0
}

// longestPhrase returns the number of words of the longest phrase with paraphrases that starts with a word.
func (t *Tables) longestPhrase(first int32) int {
	if first < 0 {
		return 0
	}
	return int(t.sections[phraseLengths][first])
}

// phraseNumbers returns section phrases as numbers.
func (t *Tables) phraseNumbers() []uint16 {
	data := t.sections[phrases]
	if littleEndian {
		return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/2)
	}
	out := make([]uint16, len(data)/2)
	for i := range out {
		out[i] = binary.LittleEndian.Uint16(data[2*i:])
	}
	return out
}
