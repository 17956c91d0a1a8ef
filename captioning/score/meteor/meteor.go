package meteor

import (
	"strings"
	"sync"

	"captionlab/captioning/score"
)

// Span is a number of words in a row.
type Span struct {
	Start int `json:"start"` // from 0
	Words int `json:"words"`
}

func (s Span) end() int { return s.Start + s.Words }

// Match says that words of the reference and of the caption match.
type Match struct {
	Module    Module `json:"module"`
	Reference Span   `json:"reference"`
	Caption   Span   `json:"caption"`
}

// Alignment says how a caption and a reference match.
type Alignment struct {
	Caption, Reference []string // normalized words
	Matches            []Match  // by place in the reference
	Statistics         Statistics
}

// wordCache remembers words that were looked up.
type wordCache struct {
	lock  sync.RWMutex
	words map[string]*word
}

// maxCached is the largest number of words remembered.
const maxCached = 1 << 18

// lookUp returns what the tables say of a text's words.
func (t *Tables) lookUp(words []string) []*word {
	out := make([]*word, len(words))
	t.cache.lock.RLock()
	missing := 0
	for i, s := range words {
		if out[i] = t.cache.words[s]; out[i] == nil {
			missing++
		}
	}
	t.cache.lock.RUnlock()
	if missing == 0 {
		return out
	}
	t.cache.lock.Lock()
	defer t.cache.lock.Unlock()
	if t.cache.words == nil || len(t.cache.words) > maxCached {
		t.cache.words = make(map[string]*word)
	}
	for i, s := range words {
		if out[i] != nil {
			continue
		}
		w := t.cache.words[s]
		if w == nil {
			w = t.newWord(s)
			t.cache.words[strings.Clone(s)] = w
		}
		out[i] = w
	}
	return out
}

var searches = sync.Pool{New: func() any { return new(search) }}

// Align aligns a caption with a reference.
func (t *Tables) Align(caption, reference string) Alignment {
	a := Alignment{Caption: normalize(caption, t.prefix), Reference: normalize(reference, t.prefix)}
	test, ref := t.newText(t.lookUp(a.Caption)), t.newText(t.lookUp(a.Reference))
	s := searches.Get().(*search)
	defer searches.Put(s)
	a.Matches = s.align(ref, test)
	a.Statistics = newStatistics(ref.words, test.words, a.Matches)
	return a
}

// Score returns the statistics of a caption and the reference with which its score is best, the first of equal ones.
// It returns zero statistics without references. Their Score is the image's score.
func (t *Tables) Score(caption string, references []string) Statistics {
	caption = strings.ReplaceAll(strings.ReplaceAll(caption, separator, ""), "  ", " ") // as coco-caption does
	test := t.newText(t.lookUp(normalize(caption, t.prefix)))
	s := searches.Get().(*search)
	defer searches.Put(s)
	var best Statistics
	highest := -1.0
	for _, all := range references {
		for reference := range strings.SplitSeq(all, separator) {
			ref := t.newText(t.lookUp(normalize(reference, t.prefix)))
			one := newStatistics(ref.words, test.words, s.align(ref, test))
			if score := one.Score(); score > highest {
				highest, best = score, one
			}
		}
	}
	return best
}

// separator is what coco-caption puts between texts. In a reference, it begins another one.
const separator = "|||"

// Name is the name of the score.
const Name = score.METEOR

// Metric returns METEOR as a metric for [score.Measure], which gives it the protocol's tokens. The corpus score is that
// of the summed statistics. The tables must stay open as long as the metric is used.
func (t *Tables) Metric() score.Metric {
	return score.Metric{
		Name: Name, Scale: 100,
		Prepare: func(p *score.Prepared) func(i int) []float64 {
			return func(i int) []float64 {
				references := p.References(i)
				texts := make([]string, len(references))
				for k, r := range references {
					texts[k] = strings.Join(r, " ")
				}
				s := t.Score(strings.Join(p.Caption(i), " "), texts).whole()
				return s[:]
			}
		},
		Total: func(sum []float64, _ int) []float64 {
			return []float64{Statistics(sum).Score()}
		},
	}
}
