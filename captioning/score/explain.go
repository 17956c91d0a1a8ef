package score

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// Explanation shows how the BLEU of one caption is computed.
type Explanation struct {
	Tokens     string     `json:"tokens"` // the tokenizer
	Caption    []string   `json:"caption"`
	References [][]string `json:"references"`
	// Matches are the distinct n-grams of the caption by order (Matches[0] are single words), in the order in which
	// they first appear.
	Matches [maxOrder][]Match `json:"matches"`
	// Clipped and Total are the numerator and denominator of each order's precision.
	Clipped [maxOrder]int `json:"clipped"`
	Total   [maxOrder]int `json:"total"`
	// Length is the caption's length in tokens, Closest the reference length closest to it. The penalty is
	// exp(1 - Closest/Length) if the caption is shorter, else 1.
	Length         int               `json:"length"`
	Closest        int               `json:"closest_reference_length"`
	BrevityPenalty float64           `json:"brevity_penalty"`
	Coco           [maxOrder]float64 `json:"coco_bleu"` // BLEU-1 to BLEU-4 of coco-caption, 0 to 1
	PA4            [2]float64        `json:"pa4_bleu"`  // BLEU-1 and BLEU-4 of NLTK, 0 to 1
}

// CocoBLEU returns the caption's BLEU of coco-caption, from 0 to 1, by name: BLEU1 to BLEU4.
func (e *Explanation) CocoBLEU(metric string) (float64, bool) {
	i := slices.Index([]string{BLEU1, BLEU2, BLEU3, BLEU4}, metric)
	if i < 0 {
		return 0, false
	}
	return e.Coco[i], true
}

// PA4BLEU returns the caption's BLEU of NLTK, from 0 to 1, by name: BLEU1 or BLEU4.
func (e *Explanation) PA4BLEU(metric string) (float64, bool) {
	i := slices.Index([]string{BLEU1, BLEU4}, metric)
	if i < 0 {
		return 0, false
	}
	return e.PA4[i], true
}

// Match is one n-gram of a caption.
type Match struct {
	Words        []string `json:"words"`
	At           []int    `json:"at"`            // token positions in the caption
	InReferences []int    `json:"in_references"` // number of occurrences in each reference
	Clipped      int      `json:"clipped"`       // occurrences that count: at most as many as in one reference
}

// Explain shows which n-grams of a caption match which references. tokens names the tokenizer; empty means "ptb".
func Explain(caption string, references []string, tokens string) (*Explanation, error) {
	if tokens == "" {
		tokens = "ptb"
	}
	tokenize, err := Tokenizer(tokens)
	if err != nil {
		return nil, err
	}
	if len(references) == 0 {
		return nil, fmt.Errorf("explain: no references given: give at least one")
	}
	if err := checkTexts("", caption, references); err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	e := &Explanation{Tokens: tokens, Caption: tokenize(caption)}
	for _, r := range references {
		e.References = append(e.References, tokenize(r))
	}
	w := make(words)
	s := segment{width: 32, test: w.number(nil, e.Caption)}
	total := 0
	for _, r := range e.References {
		s.refs = append(s.refs, w.number(nil, r))
		total += len(r)
	}
	for which := range 1 + len(references) {
		if err := checkTokenCount("", which, len(s.whole(which))); err != nil {
			return nil, fmt.Errorf("explain: %w", err)
		}
	}
	if err := checkImage("", total); err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	o := s.overlap()
	e.Clipped, e.Total, e.Length, e.Closest = o.Correct, o.Guess, o.TestLen, o.RefLen
	e.BrevityPenalty, e.Coco = o.brevityPenalty(), o.bleu()
	e.PA4 = [2]float64{o.nltkBLEU([maxOrder]float64{1}), o.nltkBLEU([maxOrder]float64{0.25, 0.25, 0.25, 0.25})}
	for i, g := range s.grams[:s.inTest] {
		ids := s.width.words(g)
		n := len(ids)
		_, refs := s.row(i)
		m := Match{Clipped: s.clipped(i), InReferences: make([]int, len(references))}
		for _, r := range refs {
			m.InReferences[r.text-1] = int(r.times)
		}
		for at := 0; at+n <= len(s.test); at++ {
			if slices.Equal(s.test[at:at+n], ids) {
				m.At = append(m.At, at)
			}
		}
		m.Words = e.Caption[m.At[0] : m.At[0]+n]
		e.Matches[n-1] = append(e.Matches[n-1], m)
	}
	return e, nil
}

// String formats the explanation as text.
func (e *Explanation) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "caption      %s\n", strings.Join(e.Caption, " "))
	for i, r := range e.References {
		fmt.Fprintf(&out, "reference %d  %s\n", i+1, strings.Join(r, " "))
	}
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for n, matches := range e.Matches {
		fmt.Fprintf(w, "\n%d-grams\t%d of %d match\n", n+1, e.Clipped[n], e.Total[n])
		for _, m := range matches {
			var in []string
			for i, times := range m.InReferences {
				if times > 0 {
					in = append(in, fmt.Sprint(i+1))
				}
			}
			where := "in no reference"
			if len(in) > 0 {
				where = "in reference " + strings.Join(in, ", ")
			}
			fmt.Fprintf(w, "  %s\t%d of %d\t%s\n", strings.Join(m.Words, " "), m.Clipped, len(m.At), where)
		}
	}
	w.Flush()
	fmt.Fprintf(&out, "\nbrevity penalty %.4f (%d tokens, closest reference %d)\n",
		e.BrevityPenalty, e.Length, e.Closest)
	fmt.Fprintf(&out, "coco BLEU-1 to BLEU-4  %.4f %.4f %.4f %.4f\npa4 BLEU-1, BLEU-4     %.4f %.4f\n",
		e.Coco[0], e.Coco[1], e.Coco[2], e.Coco[3], e.PA4[0], e.PA4[1])
	return out.String()
}
