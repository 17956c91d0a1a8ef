package meteor

import (
	"fmt"
	"strings"

	"captionlab/captioning/score"
)

// Explanation shows how METEOR scores one caption.
type Explanation struct {
	// Alignment is the one with the reference that counts. Its Caption and Reference are METEOR's words.
	Alignment
	References []string  // as METEOR gets them: tokens with spaces between them
	Scores     []float64 // with each of References, from 0 to 1
	Best       int       // the reference that counts: the first with the highest score
}

// Explain shows how a caption is scored: which of its words match which words of the best reference. Texts are
// tokenized as in protocol coco. It fails without references.
func (t *Tables) Explain(caption string, references []string) (*Explanation, error) {
	if len(references) == 0 {
		return nil, fmt.Errorf("METEOR: no references given: give at least one")
	}
	tokenize, err := score.Tokenizer("ptb")
	if err != nil {
		return nil, err
	}
	e := new(Explanation)
	test := strings.Join(tokenize(caption), " ")
	for i, r := range references {
		reference := strings.Join(tokenize(r), " ")
		a := t.Align(test, reference)
		one := a.Statistics.Score()
		e.References, e.Scores = append(e.References, reference), append(e.Scores, one)
		if i == 0 || one > e.Scores[e.Best] {
			e.Alignment, e.Best = a, i
		}
	}
	return e, nil
}

// Chunks returns the number of each match's chunk, from 0. The matches of a chunk are side by side in both texts.
func (a Alignment) Chunks() []int {
	chunks := make([]int, len(a.Matches))
	for i := 1; i < len(a.Matches); i++ {
		chunks[i] = chunks[i-1]
		if !a.Matches[i-1].before(a.Matches[i]) {
			chunks[i]++
		}
	}
	return chunks
}

// before reports whether a match is followed by another, without a word between them, in both texts.
func (m Match) before(next Match) bool {
	return m.Reference.end() == next.Reference.Start && m.Caption.end() == next.Caption.Start
}
