package report

import (
	"fmt"
	"math"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
)

// Metrics shown in the report, by the names that package score gives them.
const (
	bleu1 = score.BLEU1
	bleu4 = score.BLEU4
	cider = score.CIDErD
)

// claimed are the metrics that the paper gives, and that decide on its claims.
var claimed = []string{bleu1, bleu4}

// scored are the scores of a group's greedy captions as table cells, by metric.
type scored struct{ coco, pa4 map[string]string }

// scores formats the means over the runs with their intervals.
func (g Group) scores() (scored, error) {
	coco, err := g.intervals(100, func(r Run) score.Corpus { return r.Coco })
	if err != nil {
		return scored{}, err
	}
	pa4, err := g.intervals(1, func(r Run) score.Corpus { return r.PA4 })
	return scored{coco, pa4}, err
}

func (g Group) intervals(scale float64, of func(r Run) score.Corpus) (map[string]string, error) {
	var all []score.Corpus
	for _, r := range g.Runs {
		all = append(all, of(r))
	}
	intervals, err := score.BootstrapMean(all, score.BootstrapOptions{})
	if err != nil {
		return nil, fmt.Errorf("experiment %s: %w", g.Name, err)
	}
	out := make(map[string]string)
	for _, i := range intervals {
		mean := g.mean(2, func(r Run) float64 { return scale * experiment.CorpusValue(of(r), i.Metric) })
		out[i.Metric] = fmt.Sprintf("%s [%.2f, %.2f]", mean, scale*i.Low, scale*i.High)
	}
	return out, nil
}

// meteor formats METEOR of the greedy captions with its interval. Records hold no numbers of single images for METEOR;
// with several runs, the mean of their intervals takes the place of the interval of their mean. It is empty if a run
// lacks the score.
func (g Group) meteor() string {
	of := func(r experiment.ReadoutRecord) (score.Interval, bool) { return r.METEOR.Get(score.METEOR) }
	i, ok := g.meanInterval(experiment.Greedy, of)
	if !ok {
		return ""
	}
	mean := g.mean(2, func(r Run) float64 {
		greedy, _ := r.Readouts.Get(experiment.Greedy)
		return meteor(greedy)
	})
	return fmt.Sprintf("%s [%.2f, %.2f]", mean, 100*i.Low, 100*i.High)
}

// lossToken and lossPadded format the means of the test losses over the runs.
func (g Group) lossToken() string {
	return g.mean(3, func(r Run) float64 { return known(r.Losses.Token) })
}
func (g Group) lossPadded() string {
	return g.mean(3, func(r Run) float64 { return known(r.Losses.Padded) })
}

// known turns a loss of zero, which means that the record lacks it, into NaN.
func known(loss float64) float64 {
	if loss == 0 {
		return math.NaN()
	}
	return loss
}

// mean formats the mean of a number over the runs, with the standard deviation if there are several. It is empty if a
// run lacks the number.
func (g Group) mean(digits int, of func(r Run) float64) string {
	sum, squares, n := 0.0, 0.0, float64(len(g.Runs))
	for _, r := range g.Runs {
		sum += of(r)
	}
	for _, r := range g.Runs {
		squares += (of(r) - sum/n) * (of(r) - sum/n)
	}
	switch {
	case math.IsNaN(sum):
		return ""
	case n < 2:
		return fmt.Sprintf("%.*f", digits, sum)
	}
	return fmt.Sprintf("%.*f ± %.*f", digits, sum/n, digits, math.Sqrt(squares/(n-1)))
}

// strategyMean is the mean over the runs of a number under one decoding strategy, or NaN if a run lacks it.
func (g Group) strategyMean(strategy string, of func(r experiment.ReadoutRecord) float64) float64 {
	sum := 0.0
	for _, r := range g.Runs {
		record, ok := r.Readouts.Get(strategy)
		if !ok {
			return math.NaN()
		}
		sum += of(record)
	}
	return sum / float64(len(g.Runs))
}

// pa4 and coco read a score from 0 to 100 out of the record of a decoding strategy, for strategyMean.
func pa4(metric string) func(r experiment.ReadoutRecord) float64 {
	return func(r experiment.ReadoutRecord) float64 { return r.PA4Value(metric) }
}

func coco(metric string) func(r experiment.ReadoutRecord) float64 {
	return func(r experiment.ReadoutRecord) float64 { return 100 * r.CocoValue(metric) }
}

// meteor is METEOR's score from 0 to 100, or NaN.
func meteor(r experiment.ReadoutRecord) float64 { return 100 * r.METEORValue() }

// cell formats a number for a table. A missing one, NaN, gives an empty cell.
func cell(format string, v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return fmt.Sprintf(format, v)
}
