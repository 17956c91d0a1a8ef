package nbkit

import (
	"fmt"
	"html/template"
	"strings"

	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
)

// TokenTable shows the tokens of captions under each tokenizer. A score compares these tokens.
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

// BrevityCurve draws how the BLEU of a caption depends on its length. It cuts the caption to its first words, or
// appends words that are in no reference. Where the caption is too short, the penalty falls; where it is too long,
// the precision.
func BrevityCurve(caption string, references []string) (template.HTML, error) {
	words := strings.Fields(caption)
	if len(words) < 4 {
		return "", fmt.Errorf("the caption %q has %d words: use one of at least 4, so that it has a 4-gram",
			caption, len(words))
	}
	penalty, precision, bleu := Line{Name: "brevity penalty"}, Line{Name: "precision of 1-grams"}, Line{Name: "BLEU-4"}
	for n := 1; n <= 2*len(words); n++ {
		text := strings.Join(words[:min(n, len(words))], " ") + strings.Repeat(" xyzzy", max(0, n-len(words)))
		e, err := score.Explain(text, references, "")
		if err != nil {
			return "", err
		}
		penalty.add(float64(n), e.BrevityPenalty)
		precision.add(float64(n), float64(e.Clipped[0])/float64(max(1, e.Total[0])))
		if n >= 4 {
			bleu4, _ := e.CocoBLEU(score.BLEU4)
			bleu.add(float64(n), bleu4)
		}
	}
	return Curves(Axes{X: "words in the caption", WholeX: true}, penalty, precision, bleu)
}

// SentenceScores draws the BLEU-4 of a run's single captions in both protocols, and compares their means with the
// corpus BLEU-4.
func SentenceScores(r report.Run) (template.HTML, error) {
	coco, pa4 := Sample{Name: "coco"}, Sample{Name: "pa4, smoothed"}
	mean, none := 0.0, 0
	for _, image := range r.Coco.Images {
		bleu4, _ := image.Value(score.BLEU4)
		coco.Values = append(coco.Values, 100*bleu4)
		mean += 100 * bleu4 / float64(len(r.Coco.Images))
		if bleu4 < 1e-3 { // a geometric mean with a zero precision, up to the tiny constant that coco-caption adds
			none++
		}
	}
	for _, image := range r.PA4.Images {
		pa4.Values = append(pa4.Values, image.BLEU4)
	}
	histogram, err := Histogram("captions", "BLEU-4 of a single caption", 5, coco, pa4)
	if err != nil {
		return "", err
	}
	return histogram + Table([]string{"BLEU-4 of " + r.Folder, ""}, [][]string{
		{"coco, corpus: n-grams summed over all images, then one precision",
			fmt.Sprintf("%.1f", points(r.Coco, score.BLEU4))},
		{"coco, mean of the single captions", fmt.Sprintf("%.1f", mean)},
		{"captions without a matching 4-gram, which score zero on their own",
			fmt.Sprintf("%d of %d", none, len(coco.Values))},
		{"pa4, mean of the single captions, smoothed", fmt.Sprintf("%.1f", points(r.PA4, score.BLEU4))},
	}), nil
}

// IntervalTable shows the scores of runs in both protocols, from 0 to 100, with 95 % intervals over images.
func IntervalTable(runs ...report.Run) (template.HTML, error) {
	var pa4, coco []Measured
	for _, r := range runs {
		name := fmt.Sprintf("%s, %d images", r.Folder, r.Coco.Count)
		pa4, coco = append(pa4, Measured{name, r.PA4}), append(coco, Measured{name, r.Coco})
	}
	first, err := MetricTable("pa4", pa4...)
	if err != nil {
		return "", err
	}
	second, err := MetricTable("coco", coco...)
	return first + second, err
}
