package nbkit

import (
	"fmt"
	"html/template"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
)

// points is a score as tables show it: multiplied by its scale, and NaN if the corpus does not have it.
func points(c score.Corpus, metric string) float64 {
	return c.Scale(metric) * experiment.CorpusValue(c, metric)
}

// scoreHead are the columns of the four scores that every table shows.
var scoreHead = []string{"pa4 BLEU-1", "pa4 BLEU-4", "coco BLEU-4", "CIDEr-D"}

// scoreCells are the four scores of captions, from 0 to 100, in the order of scoreHead.
func scoreCells(pa4, coco score.Corpus) []string {
	cell := func(c score.Corpus, metric string) string { return fmt.Sprintf("%.1f", points(c, metric)) }
	return []string{cell(pa4, score.BLEU1), cell(pa4, score.BLEU4), cell(coco, score.BLEU4), cell(coco, score.CIDErD)}
}

// intervalCells are scoreCells with 95 % intervals.
func intervalCells(pa4, coco score.Corpus) ([]string, error) {
	ofPA4, err := score.Bootstrap(pa4, score.BootstrapOptions{})
	if err != nil {
		return nil, err
	}
	ofCoco, err := score.Bootstrap(coco, score.BootstrapOptions{})
	cell := func(c score.Corpus, intervals score.Intervals, metric string) string {
		i, _ := intervals.Get(metric)
		return intervalText(i, c.Scale(metric), 1)
	}
	return []string{cell(pa4, ofPA4, score.BLEU1), cell(pa4, ofPA4, score.BLEU4),
		cell(coco, ofCoco, score.BLEU4), cell(coco, ofCoco, score.CIDErD)}, err
}

// intervalText is a score times its scale, with its interval.
func intervalText(i score.Interval, scale float64, digits int) string {
	return fmt.Sprintf("%.*f [%.*f, %.*f]", digits, scale*i.Value, digits, scale*i.Low, digits, scale*i.High)
}

// Measured are captions with their scores, for MetricTable.
type Measured struct {
	Name   string
	Scores score.Corpus
}

// MetricTable shows all scores of captions that were scored with the same metrics, built-in or custom, with 95 %
// intervals over images. title is the head of the first column.
func MetricTable(title string, all ...Measured) (template.HTML, error) {
	head := []string{title}
	var rows [][]string
	for _, m := range all {
		head = append(head, m.Name)
		intervals, err := score.Bootstrap(m.Scores, score.BootstrapOptions{})
		if err != nil {
			return "", fmt.Errorf("%s: %w", m.Name, err)
		}
		for i, interval := range intervals {
			if i == len(rows) {
				rows = append(rows, []string{interval.Metric})
			}
			rows[i] = append(rows[i], intervalText(interval, m.Scores.Scale(interval.Metric), 2))
		}
	}
	return Table(head, rows), nil
}
