package score

import (
	"fmt"
	"strconv"
	"strings"
)

// Reward scores single captions, given as ids of a vocabulary, while a model is trained on them. Its document
// frequencies and references are fixed, so that all that can be is counted once. It is safe for concurrent use.
type Reward struct {
	terms   []rewardTerm
	numbers words        // word number of every token: its id plus 1, then those of tokens outside the vocabulary
	refs    [][][]uint32 // references of each image, as word numbers
	cider   *ciderReward // nil if no term is CIDEr-D
	ids     int          // size of the vocabulary
}

// rewardTerm is one term of a weighted sum of scores.
type rewardTerm struct {
	weight float64
	metric Metric
	at     int // place of the score among those of the metric
}

// CheckReward reports why a reward cannot be computed; see NewReward.
func CheckReward(spec string) error {
	_, err := parseReward(spec)
	return err
}

// parseReward reads a sum such as "cider-d+0.5*bleu-4".
func parseReward(spec string) ([]rewardTerm, error) {
	var terms []rewardTerm
	for part := range strings.SplitSeq(spec, "+") {
		term, name := rewardTerm{weight: 1}, strings.TrimSpace(part)
		if factor, rest, ok := strings.Cut(name, "*"); ok {
			weight, err := strconv.ParseFloat(strings.TrimSpace(factor), 64)
			if err != nil || !(weight > 0 && weight <= 1e6) {
				return nil, fmt.Errorf("reward %.200q: %.200q is not a weight above 0 and up to 1e6", spec, factor)
			}
			term.weight, name = weight, strings.TrimSpace(rest)
		}
		if !term.find(name) {
			return nil, fmt.Errorf("reward %.200q: unknown score %.200q: write a sum such as cider-d+0.5*bleu-4 of %s",
				spec, name, strings.ToLower(strings.Join(scoreNames(Metrics), ", ")))
		}
		terms = append(terms, term)
	}
	return terms, nil
}

// find sets the metric that has the score called name, in any case.
func (t *rewardTerm) find(name string) bool {
	for _, m := range Metrics {
		for k, s := range m.scores() {
			if strings.EqualFold(s, name) {
				t.metric, t.at = m, k
				return true
			}
		}
	}
	return false
}

// NewReward returns the reward that spec describes: the name of a score of Metrics, in any case, or a weighted sum of
// such, like "cider-d+0.5*bleu-4". Scores are those of single captions and not multiplied by their scale: CIDEr-D is
// from 0 to 10. Vocabulary holds the token of each id; references holds the tokens of each image's references. Those
// outside the vocabulary match nothing but themselves. CIDEr-D's document frequencies are those of the references of
// all images. NewReward fails if the spec is unsound or an image has no reference.
func NewReward(spec string, vocabulary []string, references [][][]string) (*Reward, error) {
	terms, err := parseReward(spec)
	if err != nil {
		return nil, err
	}
	r := &Reward{terms: terms, numbers: make(words), refs: make([][][]uint32, len(references)), ids: len(vocabulary)}
	r.numbers.number(nil, vocabulary)
	if len(r.numbers) != len(vocabulary) {
		return nil, fmt.Errorf("reward: the vocabulary has a token twice")
	}
	for i, captions := range references {
		if len(captions) == 0 {
			return nil, fmt.Errorf("reward: image %d has no reference", i)
		}
		for _, tokens := range captions {
			r.refs[i] = append(r.refs[i], r.numbers.number(nil, tokens))
		}
	}
	for _, t := range terms {
		if t.metric.Name != CIDErD {
			continue
		}
		if r.cider == nil {
			r.cider = newCiderReward(r.refs)
		}
		r.cider.weight += t.weight
	}
	return r, nil
}

// Score returns the rewards of captions, ids of the vocabulary, each of the image at the same place of images, which
// counts from 0 in the order of NewReward's references. It works on all cores; the results do not depend on their
// number. It fails for an image or id that does not exist.
func (r *Reward) Score(images []int32, captions [][]int32) ([]float64, error) {
	if len(images) != len(captions) {
		return nil, fmt.Errorf("reward: %d captions of %d images", len(captions), len(images))
	}
	for i, image := range images {
		if image < 0 || int(image) >= len(r.refs) {
			return nil, fmt.Errorf("reward: caption %d is of image %d, but there are %d", i, image, len(r.refs))
		}
		for _, id := range captions[i] {
			if id < 0 || int(id) >= r.ids {
				return nil, fmt.Errorf("reward: caption %d has token id %d, the vocabulary ends at %d", i, id, r.ids-1)
			}
		}
	}
	out := make([]float64, len(captions))
	if r.cider != nil {
		inParallelWith(len(captions), func() func(int) {
			s := ciderScorer{ciderReward: r.cider}
			return func(i int) { out[i] = r.cider.weight * s.score(images[i], captions[i]) }
		})
	}
	var prepared *Prepared
	for _, t := range r.terms {
		if t.metric.Name == CIDErD {
			continue
		}
		if prepared == nil {
			prepared = r.prepare(images, captions)
		}
		row := t.metric.Prepare(prepared)
		inParallel(len(captions), func(i int) { out[i] += t.weight * t.metric.total(row(i), 1)[t.at] })
	}
	return out, nil
}

// prepare puts captions and their references into blocks, for metrics other than CIDEr-D.
func (r *Reward) prepare(images []int32, captions [][]int32) *Prepared {
	p := &Prepared{ids: make([]ID, len(captions)), blockSize: maxBlock, numbers: r.numbers,
		width: widthOf(len(r.numbers))}
	for from := 0; from < len(captions); from += maxBlock {
		var b block
		for i := from; i < min(from+maxBlock, len(captions)); i++ {
			p.ids[i] = ID(strconv.Itoa(i))
			b.first = append(b.first, uint32(len(b.ends)))
			for _, id := range captions[i] {
				b.tokens = append(b.tokens, uint32(id)+1)
			}
			b.ends = append(b.ends, uint32(len(b.tokens)))
			for _, ref := range r.refs[images[i]] {
				b.tokens = append(b.tokens, ref...)
				b.ends = append(b.ends, uint32(len(b.tokens)))
			}
		}
		b.first = append(b.first, uint32(len(b.ends)))
		p.blocks = append(p.blocks, b)
	}
	return p
}
