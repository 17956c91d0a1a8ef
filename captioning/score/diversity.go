package score

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// DiversityScores say how varied captions are. Shares are from 0 to 1.
type DiversityScores struct {
	Captions  int     `json:"captions"`
	Different int     `json:"different_captions"` // as sequences of tokens
	Distinct1 float64 `json:"distinct_1"`         // different words / all words (Li et al. 2016)
	Distinct2 float64 `json:"distinct_2"`         // different bigrams / all bigrams
	Words     int     `json:"words_used"`         // different words
	MeanWords float64 `json:"mean_words"`
	// SelfBLEU is the mean BLEU-4 (NLTK's, method 1) of each caption against the other captions of its image, averaged
	// over the captions of an image and then over images (Zhu et al. 2018). A high value means that samples repeat
	// each other. Nil if no image has two captions.
	SelfBLEU *float64 `json:"self_bleu,omitempty"`
	// Unseen is the share of captions that differ from every training caption, token for token. Nil if no training
	// captions were given.
	Unseen *float64 `json:"unseen,omitempty"`
}

// Seen holds the tokenized captions that a model was trained on, for several calls of Diversity.
type Seen struct {
	tokenize func(caption string) []string
	captions map[string]bool // tokens joined by spaces; nil if unknown
}

// NewSeen tokenizes training captions, nil if they are not known. tokens names the tokenizer, empty means "ptb".
func NewSeen(training []string, tokens string) (*Seen, error) {
	if tokens == "" {
		tokens = "ptb"
	}
	tokenize, err := Tokenizer(tokens)
	if err != nil {
		return nil, err
	}
	s := &Seen{tokenize: tokenize}
	if training == nil {
		return s, nil
	}
	s.captions = make(map[string]bool, len(training))
	for _, caption := range training {
		s.captions[strings.Join(tokenize(caption), " ")] = true
	}
	return s, nil
}

// Diversity is NewSeen(training, tokens) and its Diversity in one step.
func Diversity(samples map[ID][]string, training []string, tokens string) (*DiversityScores, error) {
	s, err := NewSeen(training, tokens)
	if err != nil {
		return nil, err
	}
	return s.Diversity(samples)
}

// Diversity measures captions, one or several per image, with the tokenizer of s. It fails if there are none.
func (s *Seen) Diversity(samples map[ID][]string) (*DiversityScores, error) {
	v := variety{numbers: make(words), bigrams: make(map[[2]uint32]struct{})}
	different := make(map[string]bool)
	captions, unseen, images := 0, 0, 0
	var selfBLEU float64
	for _, id := range slices.Sorted(maps.Keys(samples)) {
		var numbered [][]uint32
		for _, caption := range samples[id] {
			tokens := s.tokenize(caption)
			joined := strings.Join(tokens, " ")
			different[joined] = true
			if !s.captions[joined] {
				unseen++
			}
			captions++
			numbered = append(numbered, v.add(nil, tokens))
		}
		if len(numbered) < 2 {
			continue
		}
		images++
		v.addSelfBLEU(&selfBLEU, numbered)
	}
	if captions == 0 {
		return nil, fmt.Errorf("diversity: no captions given")
	}
	d := &DiversityScores{
		Captions:  captions,
		Different: len(different),
		Distinct1: float64(len(v.numbers)) / float64(max(1, v.totalWords)),
		Distinct2: float64(len(v.bigrams)) / float64(max(1, v.totalBigrams)),
		Words:     len(v.numbers),
		MeanWords: float64(v.totalWords) / float64(captions),
	}
	if images > 0 {
		selfBLEU /= float64(images)
		d.SelfBLEU = &selfBLEU
	}
	if s.captions != nil {
		share := float64(unseen) / float64(captions)
		d.Unseen = &share
	}
	return d, nil
}

// variety counts the words and bigrams of captions.
type variety struct {
	numbers                  words
	segment                  segment
	bigrams                  map[[2]uint32]struct{}
	totalWords, totalBigrams int
}

// add counts one caption and appends its words as numbers to ids.
func (v *variety) add(ids []uint32, tokens []string) []uint32 {
	from := len(ids)
	ids = v.numbers.number(ids, tokens)
	added := ids[from:]
	v.totalWords += len(added)
	v.totalBigrams += max(0, len(added)-1)
	for i := 1; i < len(added); i++ {
		v.bigrams[[2]uint32{added[i-1], added[i]}] = struct{}{}
	}
	return ids
}

// addSelfBLEU adds the mean BLEU-4 of each of an image's captions against the others to sum. It adds caption by
// caption: the last bits of recorded scores depend on it.
func (v *variety) addSelfBLEU(sum *float64, captions [][]uint32) {
	for i := range captions {
		s := &v.segment
		s.width, s.counted, s.test, s.refs = 32, false, captions[i], slices.Concat(captions[:i], captions[i+1:])
		bleu := s.overlap().nltkBLEU([maxOrder]float64{0.25, 0.25, 0.25, 0.25})
		*sum += bleu / float64(len(captions))
	}
}
