package nbkit

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"captionlab/captioning/score"
	"captionlab/captioning/vocab"
	"captionlab/datasets"
)

// Tokens returns the tokens of all captions of a split, in order, as the decoder is trained on them.
func (l *Lab) Tokens(split datasets.Split) ([][]string, error) {
	tokenize, err := score.Tokenizer(l.Experiment.Settings.Tokens)
	if err != nil {
		return nil, err
	}
	var out [][]string
	for _, ex := range l.Dataset.Examples(split) {
		for _, c := range ex.Captions {
			out = append(out, tokenize(c))
		}
	}
	return out, nil
}

// Vocabulary returns the vocabulary that training builds: the words that are frequent enough in the training captions.
func (l *Lab) Vocabulary() (*vocab.Vocabulary, error) {
	return l.vocabulary(l.Experiment.Settings.MinCount)
}

func (l *Lab) vocabulary(minCount int) (*vocab.Vocabulary, error) {
	captions, err := l.Tokens(datasets.Train)
	if err != nil {
		return nil, err
	}
	return vocab.Build(captions, minCount)
}

// CaptionLengths draws the lengths of captions in tokens, split by split, and says how many training captions are cut.
func (l *Lab) CaptionLengths() (template.HTML, error) {
	var samples []Sample
	longest, cut, total := 0, 0, 0
	room := l.Experiment.Settings.MaxTokens - 2 // without <start> and <end>
	for _, split := range datasets.Splits {
		captions, err := l.Tokens(split)
		if err != nil {
			return "", err
		}
		s := Sample{Name: string(split)}
		for _, c := range captions {
			s.Values = append(s.Values, float64(len(c)))
			if split == datasets.Train {
				longest, total = max(longest, len(c)), total+1
				if len(c) > room {
					cut++
				}
			}
		}
		samples = append(samples, s)
	}
	histogram, err := Histogram("captions", "tokens in a caption", 1, samples...)
	if err != nil {
		return "", err
	}
	return histogram + Text("The longest training caption has %d tokens. With max_tokens=%d, "+
		"<start> and <end> included, %d of %d training captions (%.2f %%) are longer than %d words and lose their end.",
		longest, l.Experiment.Settings.MaxTokens, cut, total, percent(cut, total), room), nil
}

// WordTable counts tokens and different words, split by split, and how many of them v does not know.
func (l *Lab) WordTable(v *vocab.Vocabulary) (template.HTML, error) {
	var rows [][]string
	for _, split := range datasets.Splits {
		captions, err := l.Tokens(split)
		if err != nil {
			return "", err
		}
		words, unknown := make(map[string]bool), make(map[string]bool)
		tokens, lost, touched := 0, 0, 0
		for _, c := range captions {
			before := lost
			for _, word := range c {
				tokens++
				words[word] = true
				if v.ID(word) == vocab.Unknown {
					lost++
					unknown[word] = true
				}
			}
			if lost > before {
				touched++
			}
		}
		rows = append(rows, []string{
			string(split), fmt.Sprint(len(captions)), fmt.Sprint(tokens),
			fmt.Sprint(len(words)), fmt.Sprint(len(unknown)),
			fmt.Sprintf("%d (%.2f %%)", lost, percent(lost, tokens)),
			fmt.Sprintf("%d (%.1f %%)", touched, percent(touched, len(captions))),
			fmt.Sprintf("%.2f %%", 100*v.Coverage(captions)),
		})
	}
	return Table([]string{"split", "captions", "tokens", "different words", "of these not in the vocabulary",
		"tokens that become <unk>", "captions with an <unk>", "coverage"}, rows), nil
}

func percent(part, whole int) float64 { return 100 * float64(part) / float64(max(1, whole)) }

// MinCounts shows for each min_count the size of the vocabulary, the number of decoder weights it needs (for each
// word a row of the embedding and a row of the output layer with its bias), and the share of tokens that become
// <unk>.
func (l *Lab) MinCounts(counts ...int) (template.HTML, error) {
	var rows [][]string
	s := l.Experiment.Settings
	for _, n := range counts {
		v, err := l.vocabulary(n)
		if err != nil {
			return "", err
		}
		weights := float64(v.Len() * (s.Embedding + s.Hidden + 1))
		row := []string{fmt.Sprint(n), fmt.Sprint(v.Len()), fmt.Sprintf("%.2f million", weights/1e6)}
		for _, split := range datasets.Splits {
			captions, err := l.Tokens(split)
			if err != nil {
				return "", err
			}
			row = append(row, fmt.Sprintf("%.2f %%", 100*(1-v.Coverage(captions))))
		}
		rows = append(rows, row)
	}
	return Table([]string{"min_count", "ids, with the four special ones", "weights for words",
		"<unk> in train", "<unk> in val", "<unk> in test"}, rows), nil
}

// CoverageCurve draws the share of a split's tokens that the most frequent words of the training captions cover.
func (l *Lab) CoverageCurve(splits ...datasets.Split) (template.HTML, error) {
	all, err := l.vocabulary(1)
	if err != nil {
		return "", err
	}
	var lines []Line
	for _, split := range splits {
		captions, err := l.Tokens(split)
		if err != nil {
			return "", err
		}
		share := all.CoverageBySize(captions)
		line := Line{Name: string(split)}
		for n := 1; ; n = min(len(share)-1, max(n+1, n*5/4)) { // evenly spaced on the logarithmic axis
			line.add(float64(n), 100*share[n])
			if n == len(share)-1 {
				break
			}
		}
		lines = append(lines, line)
	}
	return Curves(Axes{X: "words, most frequent in training first", Y: "% of tokens covered", LogX: true}, lines...)
}

// MostFrequent shows the n most frequent words of v and the n rarest.
func MostFrequent(v *vocab.Vocabulary, n int) template.HTML {
	words := v.Words()[vocab.NumSpecials:]
	n = min(n, len(words))
	last := slices.Clone(words[len(words)-n:])
	return Table(nil, [][]string{
		{"the most frequent", strings.Join(words[:n], " ")},
		{"the rarest in the vocabulary", strings.Join(last, " ")},
	})
}

// RoundTrip shows captions on their way into the decoder and back: as written, as tokens, as ids between <start> and
// <end>, and decoded.
func (l *Lab) RoundTrip(v *vocab.Vocabulary, captions ...string) (template.HTML, error) {
	s := l.Experiment.Settings
	tokenize, err := score.Tokenizer(s.Tokens)
	if err != nil {
		return "", err
	}
	var rows [][]string
	for _, c := range captions {
		tokens := tokenize(c)
		ids := v.Encode(tokens, s.MaxTokens)
		rows = append(rows, []string{c, strings.Join(tokens, " · "), fmt.Sprint(ids), v.Decode(ids)})
	}
	return Table([]string{"as written", "tokens (" + s.Tokens + ")", "ids", "decoded"}, rows), nil
}
