package score

import (
	"encoding/binary"
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
	newTokenizer func() tokenizer
	captions     map[string]bool // tokens joined by spaces; nil if unknown
}

// NewSeen tokenizes training captions, nil if they are not known. tokens names the tokenizer, empty means "ptb".
func NewSeen(training []string, tokens string) (*Seen, error) {
	if tokens == "" {
		tokens = "ptb"
	}
	newTokenizer, err := contextTokenizer(tokens)
	if err != nil {
		return nil, err
	}
	s := &Seen{newTokenizer: newTokenizer}
	if training == nil {
		return s, nil
	}
	tokenize := newTokenizer()
	s.captions = make(map[string]bool, len(training))
	for _, caption := range training {
		s.captions[strings.Join(takeApart(tokenize(caption, "")), " ")] = true
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

// DiversityOfCaptions is Diversity for captions of which only the texts matter, such as one of each image: it measures
// no SelfBLEU. training may be nil, and empty tokens mean "ptb".
func DiversityOfCaptions(captions []Caption, training []string, tokens string) (*DiversityScores, error) {
	s, err := NewSeen(training, tokens)
	if err != nil {
		return nil, err
	}
	v := s.newVariety()
	var ids []uint32
	for _, c := range captions {
		ids = v.add(ids[:0], c.Text)
	}
	return v.scores()
}

// Diversity measures captions, one or several per image, with the tokenizer of s. It fails if there are none.
func (s *Seen) Diversity(samples map[ID][]string) (*DiversityScores, error) {
	v := s.newVariety()
	for _, id := range slices.Sorted(maps.Keys(samples)) {
		numbered := make([][]uint32, len(samples[id]))
		for i, caption := range samples[id] {
			numbered[i] = v.add(nil, caption)
		}
		if len(numbered) >= 2 {
			v.addSelfBLEU(numbered)
		}
	}
	return v.scores()
}

// variety counts the words and bigrams of captions, and the captions that differ.
type variety struct {
	seen                     *Seen
	tokenize                 tokenizer
	numbers                  words
	bigrams                  map[[2]uint32]struct{}
	different                map[string]struct{} // the numbers of a caption's words as text
	key                      []byte
	captions, unseen         int
	totalWords, totalBigrams int

	segment  segment
	images   int // with several captions
	selfBLEU float64
}

func (s *Seen) newVariety() *variety {
	return &variety{seen: s, tokenize: s.newTokenizer(), numbers: make(words),
		bigrams: make(map[[2]uint32]struct{}), different: make(map[string]struct{})}
}

// add counts one caption and appends its words as numbers to ids.
func (v *variety) add(ids []uint32, caption string) []uint32 {
	tokens := takeApart(v.tokenize(caption, ""))
	from := len(ids)
	ids = v.numbers.number(ids, tokens)
	added := ids[from:]
	v.captions++
	v.totalWords += len(added)
	v.totalBigrams += max(0, len(added)-1)
	v.key = v.key[:0]
	for i, id := range added {
		v.key = binary.AppendUvarint(v.key, uint64(id))
		if i > 0 {
			v.bigrams[[2]uint32{added[i-1], id}] = struct{}{}
		}
	}
	if _, known := v.different[string(v.key)]; !known {
		v.different[string(v.key)] = struct{}{}
	}
	if v.seen.captions != nil && !v.seen.captions[strings.Join(tokens, " ")] {
		v.unseen++
	}
	return ids
}

// scores returns the scores of what was added.
func (v *variety) scores() (*DiversityScores, error) {
	if v.captions == 0 {
		return nil, fmt.Errorf("diversity: no captions given")
	}
	d := &DiversityScores{
		Captions:  v.captions,
		Different: len(v.different),
		Distinct1: float64(len(v.numbers)) / float64(max(1, v.totalWords)),
		Distinct2: float64(len(v.bigrams)) / float64(max(1, v.totalBigrams)),
		Words:     len(v.numbers),
		MeanWords: float64(v.totalWords) / float64(v.captions),
	}
	if v.images > 0 {
		selfBLEU := v.selfBLEU / float64(v.images)
		d.SelfBLEU = &selfBLEU
	}
	if v.seen.captions != nil {
		share := float64(v.unseen) / float64(v.captions)
		d.Unseen = &share
	}
	return d, nil
}

// addSelfBLEU adds the mean BLEU-4 of each of an image's captions against the others. It adds caption by caption: the
// last bits of recorded scores depend on it.
func (v *variety) addSelfBLEU(captions [][]uint32) {
	v.images++
	for i := range captions {
		s := &v.segment
		s.width, s.counted, s.test, s.refs = 32, false, captions[i], slices.Concat(captions[:i], captions[i+1:])
		bleu := s.overlap().nltkBLEU([maxOrder]float64{0.25, 0.25, 0.25, 0.25})
		v.selfBLEU += bleu / float64(len(captions))
	}
}
