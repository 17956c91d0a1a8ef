package report

import (
	"fmt"
	"math"
	"strings"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
)

// writeStrategies writes the scores of every model under each decoding strategy, and how varied the captions of one
// model are.
func (d dataset) writeStrategies(page *strings.Builder) {
	first := d.groups[0]
	strategies := first.Runs[0].Readouts.Readouts
	fmt.Fprintf(page, "\n### Decoding strategies\n\n"+
		"pa4 BLEU-1 / BLEU-4, means over seeds. T is the temperature of the sampling; beam-n is beam search with "+
		"n hypotheses.\n\n")
	columns := []string{"experiment"}
	for _, s := range strategies {
		columns = append(columns, strategyLabel(s.Readout))
	}
	var rows [][]string
	for _, g := range d.groups {
		row := []string{g.Name}
		for _, s := range strategies {
			one := cell("%.1f", g.strategyMean(s.Readout.Name, pa4(bleu1)))
			four := cell("%.1f", g.strategyMean(s.Readout.Name, pa4(bleu4)))
			if one+four != "" {
				one += " / " + four
			}
			row = append(row, one)
		}
		rows = append(rows, row)
	}
	writeTable(page, columns, rows)

	fmt.Fprintf(page, "\nScores and diversity of the captions of %s:\n\n", first.Name)
	rows = nil
	for _, s := range strategies {
		rows = append(rows, first.diversity(s))
	}
	writeTable(page, []string{"strategy", "coco BLEU-4", "METEOR", "CIDEr-D", "distinct captions",
		"distinct words", "distinct-2", "words per caption", "captions not in the training split"}, rows)
}

// strategyLabel is the name of a strategy as a short column title.
func strategyLabel(s experiment.Readout) string {
	return strings.ReplaceAll(s.Name, "temperature-", "T=")
}

// diversity is the row of one strategy: means over the runs.
func (g Group) diversity(s experiment.ReadoutRecord) []string {
	mean := func(of func(d score.DiversityScores) float64) float64 {
		return g.strategyMean(s.Readout.Name, func(r experiment.ReadoutRecord) float64 {
			if r.Diversity == nil {
				return math.NaN()
			}
			return of(*r.Diversity)
		})
	}
	different := cell("%.0f", mean(func(d score.DiversityScores) float64 { return float64(d.Different) }))
	if different != "" {
		different += fmt.Sprintf(" of %d", s.Diversity.Captions)
	}
	return []string{strategyLabel(s.Readout),
		cell("%.2f", g.strategyMean(s.Readout.Name, coco(bleu4))),
		cell("%.2f", g.strategyMean(s.Readout.Name, meteor)),
		cell("%.2f", g.strategyMean(s.Readout.Name, coco(cider))),
		different,
		cell("%.0f", mean(func(d score.DiversityScores) float64 { return float64(d.Words) })),
		cell("%.3f", mean(func(d score.DiversityScores) float64 { return d.Distinct2 })),
		cell("%.1f", mean(func(d score.DiversityScores) float64 { return d.MeanWords })),
		cell("%.0f %%", 100*mean(func(d score.DiversityScores) float64 {
			if d.Unseen == nil {
				return math.NaN()
			}
			return *d.Unseen
		}))}
}
