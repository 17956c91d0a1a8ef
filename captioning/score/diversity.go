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
	// SelfBLEU is the mean BLEU-4 (NLTK's, method 1) of each caption against the other ones of its picture, over all
	// captions of a picture and then over pictures (Zhu et al. 2018); high means that samples repeat each other. Nil where
	// no picture has two captions.
	SelfBLEU *float64 `json:"self_bleu,omitempty"`
	// Unseen is the share of captions that are no training caption, token for token. Nil where no training captions were
	// given.
	Unseen *float64 `json:"unseen,omitempty"`
}

// Diversity measures captions, one or several samples a picture. training are captions that the model learnt from, nil
// where they are not at hand; tokens names the tokenizer of all of them, empty means "ptb".
func Diversity(samples map[ID][]string, training []string, tokens string) (*DiversityScores, error) {
	if tokens == "" {
		tokens = "ptb"
	}
	tokenize, err := Tokenizer(tokens)
	if err != nil {
		return nil, err
	}
	var d DiversityScores
	w := make(words)
	var c counter
	different, seen := make(map[string]bool), make(map[string]bool)
	unigrams, bigrams := make(map[ngram]bool), make(map[ngram]bool)
	totalWords, totalBigrams, unseen := 0, 0, 0
	for _, caption := range training {
		seen[strings.Join(tokenize(caption), " ")] = true
	}
	var selfBLEU float64
	pictures := 0
	for _, id := range slices.Sorted(maps.Keys(samples)) {
		var numbered [][]uint32
		for _, caption := range samples[id] {
			t := tokenize(caption)
			joined := strings.Join(t, " ")
			different[joined] = true
			if !seen[joined] {
				unseen++
			}
			d.Captions++
			ids := w.number(t)
			numbered = append(numbered, ids)
			totalWords += len(ids)
			totalBigrams += max(0, len(ids)-1)
			for i := range ids {
				unigrams[ngram{ids[i]}] = true
				if i > 0 {
					bigrams[ngram{ids[i-1], ids[i]}] = true
				}
			}
		}
		if len(numbered) < 2 {
			continue
		}
		pictures++
		for i := range numbered {
			s := segment{test: numbered[i], refs: slices.Concat(numbered[:i], numbered[i+1:])}
			c.count(&s)
			selfBLEU += s.overlap().nltkBLEU([maxOrder]float64{0.25, 0.25, 0.25, 0.25}) / float64(len(numbered))
		}
	}
	if d.Captions == 0 {
		return nil, fmt.Errorf("diversity: no captions given")
	}
	d.Different, d.Words = len(different), len(unigrams)
	d.MeanWords = float64(totalWords) / float64(d.Captions)
	d.Distinct1 = float64(len(unigrams)) / float64(max(1, totalWords))
	d.Distinct2 = float64(len(bigrams)) / float64(max(1, totalBigrams))
	if pictures > 0 {
		selfBLEU /= float64(pictures)
		d.SelfBLEU = &selfBLEU
	}
	if training != nil {
		share := float64(unseen) / float64(d.Captions)
		d.Unseen = &share
	}
	return &d, nil
}
