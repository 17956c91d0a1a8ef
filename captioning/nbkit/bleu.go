package nbkit

import (
	"fmt"
	"html/template"
	"strings"

	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
)

// TokenTable shows what each tokenizer makes of captions. Words that are not in both count as different ones for a score.
func TokenTable(captions ...string) (template.HTML, error) {
	var rows [][]string
	for _, c := range captions {
		for i, name := range score.Tokenizers {
			tokenize, err := score.Tokenizer(name)
			if err != nil {
				return "", err
			}
			row := []string{"", name, strings.Join(tokenize(c), " · ")}
			if i == 0 {
				row[0] = c
			}
			rows = append(rows, row)
		}
	}
	return Table([]string{"as written", "tokenizer", "tokens"}, rows), nil
}

// BrevityCurve draws how one caption's BLEU depends on its length: of the caption cut to its first words, and, beyond its end,
// with words behind it that no reference holds. The penalty bites where it is too short, the precision where it is too long.
func BrevityCurve(caption string, references []string) (template.HTML, error) {
	words := strings.Fields(caption)
	if len(words) < 4 {
		return "", fmt.Errorf("the caption %q has %d words: take one of at least 4, so that it has a 4-gram", caption, len(words))
	}
	penalty, precision, bleu := Line{Name: "brevity penalty"}, Line{Name: "precision of 1-grams"}, Line{Name: "BLEU-4"}
	for n := 1; n <= 2*len(words); n++ {
		text := strings.Join(words[:min(n, len(words))], " ") + strings.Repeat(" xyzzy", max(0, n-len(words)))
		e, err := score.Explain(text, references, "")
		if err != nil {
			return "", err
		}
		add := func(l *Line, y float64) { l.X, l.Y = append(l.X, float64(n)), append(l.Y, y) }
		add(&penalty, e.BrevityPenalty)
		add(&precision, float64(e.Clipped[0])/float64(max(1, e.Total[0])))
		if n >= 4 {
			add(&bleu, e.Coco[3])
		}
	}
	p := newDiagram("", "words in the caption", "")
	p.Y.Max = 1.25 // room for the legend
	return curves(p, []Line{penalty, precision, bleu})
}

// SentenceScores draws the BLEU-4 of single captions of a run in both protocols, and sets their means beside the corpus BLEU-4.
func SentenceScores(r report.Run) (template.HTML, error) {
	coco, pa4 := Sample{Name: "coco"}, Sample{Name: "pa4, smoothed"}
	mean, none := 0.0, 0
	for _, image := range r.Coco.Images {
		coco.Values = append(coco.Values, 100*image.BLEU[3])
		mean += 100 * image.BLEU[3] / float64(len(r.Coco.Images))
		if image.BLEU[3] < 1e-3 { // what is left of a geometric mean with a precision of nothing
			none++
		}
	}
	for _, image := range r.PA4.Images {
		pa4.Values = append(pa4.Values, image.BLEU4)
	}
	drawn, err := Histogram("captions", "BLEU-4 of a single caption", 5, coco, pa4)
	if err != nil {
		return "", err
	}
	return drawn + Table([]string{"BLEU-4 of " + r.Folder, ""}, [][]string{
		{"coco, corpus: n-grams summed over all pictures, then one precision", fmt.Sprintf("%.1f", 100*r.Coco.BLEU[3])},
		{"coco, mean of the single captions", fmt.Sprintf("%.1f", mean)},
		{"captions without any matching 4-gram, which alone are worth nothing", fmt.Sprintf("%d of %d", none, len(coco.Values))},
		{"pa4, mean of the single captions, smoothed", fmt.Sprintf("%.1f", r.PA4.BLEU4)},
	}), nil
}

// IntervalTable lays the scores of runs out in both protocols, 0 to 100, with 95 % intervals over pictures.
func IntervalTable(runs ...report.Run) (template.HTML, error) {
	head := []string{"protocol", "score"}
	var rows [][]string
	for i, r := range runs {
		head = append(head, fmt.Sprintf("%s, %d pictures", r.Folder, r.Coco.Count))
		at := 0
		for _, p := range []struct {
			name  string
			of    score.Corpus
			times float64
		}{{"coco", r.Coco, 100}, {"pa4", r.PA4, 1}} {
			intervals, err := score.Bootstrap(p.of, score.BootstrapOptions{})
			if err != nil {
				return "", fmt.Errorf("%s: %w", r.Folder, err)
			}
			for _, interval := range intervals {
				if i == 0 {
					rows = append(rows, []string{p.name, interval.Metric})
				}
				rows[at] = append(rows[at], fmt.Sprintf("%.2f [%.2f, %.2f]", p.times*interval.Value, p.times*interval.Low, p.times*interval.High))
				at++
			}
		}
	}
	return Table(head, rows), nil
}
