// Package vocab maps words to the integers that a decoder reads and writes. It does not depend on GoMLX, and it does
// not tokenize: package score splits captions into tokens.
package vocab

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The four special tokens, in the order of the paper's starter code.
const (
	Pad     int32 = 0 // fills up captions of a batch that are shorter than others
	Start   int32 = 1 // the decoder's first input
	End     int32 = 2 // the decoder's last output
	Unknown int32 = 3 // replaces every word outside the vocabulary

	// NumSpecials is the number of special tokens; the first word has this id.
	NumSpecials = 4
)

var specials = [NumSpecials]string{"<pad>", "<start>", "<end>", "<unk>"}

// Vocabulary is an immutable two-way map between words and ids 0..Len()-1. It is safe for concurrent use.
type Vocabulary struct {
	words []string
	ids   map[string]int32
}

// Build returns the vocabulary of all words that occur at least minCount times in captions. The words follow the four
// special tokens, most frequent first, equally frequent ones in alphabetical order, so that the same captions always
// give the same ids. Build fails if minCount is below 1 or no word occurs often enough.
func Build(captions [][]string, minCount int) (*Vocabulary, error) {
	if minCount < 1 {
		return nil, fmt.Errorf("vocabulary: minimum count %d; use 1 or more", minCount)
	}
	counts := make(map[string]int)
	for _, tokens := range captions {
		for _, token := range tokens {
			counts[token]++
		}
	}
	words := make([]string, 0, len(counts))
	for word, n := range counts {
		if n >= minCount && !slices.Contains(specials[:], word) {
			words = append(words, word)
		}
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("vocabulary: none of the %d distinct words in %d captions occurs %d times; "+
			"lower min_count or use more captions", len(counts), len(captions), minCount)
	}
	slices.SortFunc(words, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	return FromWords(append(specials[:], words...))
}

// FromWords returns a vocabulary in which words[i] has id i. It fails unless words begins with the four special tokens,
// continues with at least one word, and has no duplicates.
func FromWords(words []string) (*Vocabulary, error) {
	if len(words) <= NumSpecials || !slices.Equal(words[:NumSpecials], specials[:]) {
		return nil, fmt.Errorf("vocabulary: the words must begin with %s, followed by at least one more",
			strings.Join(specials[:], " "))
	}
	ids := make(map[string]int32, len(words))
	for i, word := range words {
		if first, duplicate := ids[word]; duplicate {
			return nil, fmt.Errorf("vocabulary: word %q has the ids %d and %d", word, first, i)
		}
		ids[word] = int32(i)
	}
	return &Vocabulary{words: slices.Clone(words), ids: ids}, nil
}

// Len returns the number of ids, including the special tokens.
func (v *Vocabulary) Len() int { return len(v.words) }

// Words returns all words by id, special tokens first. The slice is a copy.
func (v *Vocabulary) Words() []string { return slices.Clone(v.words) }

// Word returns the word with an id, or "<unk>" if the id is out of range.
func (v *Vocabulary) Word(id int32) string {
	if id < 0 || int(id) >= len(v.words) {
		return specials[Unknown]
	}
	return v.words[id]
}

// ID returns the id of a word, or Unknown for a special token and for a word outside the vocabulary.
func (v *Vocabulary) ID(word string) int32 {
	if id, ok := v.ids[word]; ok && id >= NumSpecials {
		return id
	}
	return Unknown
}

// Encode returns Start, the ids of tokens and End, truncated to maxTokens ids. A truncated caption has no End, as in
// the paper's code. MaxTokens must be at least 2.
func (v *Vocabulary) Encode(tokens []string, maxTokens int) []int32 {
	out := make([]int32, 1, min(len(tokens)+2, maxTokens))
	out[0] = Start
	for _, token := range tokens {
		if len(out) == maxTokens {
			return out
		}
		out = append(out, v.ID(token))
	}
	if len(out) < maxTokens {
		out = append(out, End)
	}
	return out
}

// Decode joins the words of ids with single spaces, up to the first End. It omits Pad and Start.
func (v *Vocabulary) Decode(ids []int32) string {
	words := make([]string, 0, len(ids))
	for _, id := range ids {
		if id == End {
			break
		}
		if id != Pad && id != Start {
			words = append(words, v.Word(id))
		}
	}
	return strings.Join(words, " ")
}

// Coverage returns the share of tokens in captions, from 0 to 1, that the vocabulary contains.
func (v *Vocabulary) Coverage(captions [][]string) float64 {
	known, total := 0, 0
	for _, tokens := range captions {
		for _, token := range tokens {
			total++
			if v.ID(token) != Unknown {
				known++
			}
		}
	}
	if total == 0 {
		return 0
	}
	return float64(known) / float64(total)
}

// CoverageBySize returns the coverage of smaller vocabularies: element n is the share of tokens in captions, from 0 to
// 1, that are among the first n words, the most frequent ones in the captions that v was built from. The slice has
// Len()-NumSpecials+1 elements; the last one is Coverage.
func (v *Vocabulary) CoverageBySize(captions [][]string) []float64 {
	share := make([]float64, len(v.words)-NumSpecials+1)
	total := 0
	for _, tokens := range captions {
		for _, token := range tokens {
			total++
			if id := v.ID(token); id != Unknown {
				share[id-NumSpecials+1]++
			}
		}
	}
	sum := 0.0
	for n, count := range share {
		sum += count
		share[n] = sum / float64(max(1, total))
	}
	return share
}

// MarshalJSON encodes the words as an array, in the order of their ids.
func (v *Vocabulary) MarshalJSON() ([]byte, error) { return json.Marshal(v.words) }

// UnmarshalJSON decodes the result of MarshalJSON, with the checks of FromWords.
func (v *Vocabulary) UnmarshalJSON(data []byte) error {
	var words []string
	if err := json.Unmarshal(data, &words); err != nil {
		return fmt.Errorf("vocabulary: %w", err)
	}
	read, err := FromWords(words)
	if err != nil {
		return err
	}
	*v = *read
	return nil
}
