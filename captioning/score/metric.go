package score

import (
	"fmt"
	"slices"
	"strings"
)

// Names of scores, for [Corpus.Value], [Intervals.Get] and [Differences.Get].
const (
	BLEU1           = "BLEU-1"
	BLEU2           = "BLEU-2"
	BLEU3           = "BLEU-3"
	BLEU4           = "BLEU-4"
	ROUGEL          = "ROUGE-L"
	CIDErD          = "CIDEr-D"
	BLEU4Individual = "BLEU-4 individual"
	METEOR          = "METEOR" // of package meteor
)

// Metric computes one score or several from captions and references. Bootstrap and permutation tests score thousands
// of draws of images; so that they need not read the captions again, a metric has two parts. Prepare gives a row of
// numbers for each image, Total turns the sum of rows into scores.
type Metric struct {
	Name   string   // as in "BLEU"
	Scores []string // as in "BLEU-1" to "BLEU-4"; empty means one score, called Name
	Scale  float64  // a score is multiplied by Scale for printing; 0 means 1
	// Prepare may look at all captions, for example to count document frequencies. It returns the function that
	// computes the row of image i. That function runs on several goroutines at once. All rows have the same length.
	Prepare func(p *Prepared) (row func(i int) []float64)
	// Total returns the scores, in the order of Scores, from the sum of the rows of n images. An image may count
	// several times. Nil means that the scores are the means of the columns. Total must not change sum.
	Total func(sum []float64, n int) []float64

	// A built-in metric has columns, and prepare in place of Prepare: all of them read the same segment, whose n-grams
	// are counted once, and write to a row that exists.
	columns int
	prepare func(p *Prepared) (fill func(s *segment, row []float64))
}

// builtIn completes a built-in metric.
func builtIn(m Metric, columns int, prepare func(p *Prepared) func(s *segment, row []float64)) Metric {
	m.columns, m.prepare = columns, prepare
	m.Prepare = func(p *Prepared) func(i int) []float64 { return p.rows(columns, prepare(p)) }
	return m
}

// Metrics are the built-in metrics.
var Metrics = []Metric{
	bleuMetric,
	rougeLMetric,
	ciderDMetric,
	sentenceBLEUMetric,
}

// The metrics of the two protocols.
var (
	cocoMetrics = []Metric{bleuMetric, rougeLMetric, ciderDMetric}
	pa4Metrics  = []Metric{sentenceBLEUMetric}
)

// Select returns built-in metrics by Name. "coco" and "pa4" stand for the metrics of the protocol.
func Select(names ...string) ([]Metric, error) {
	var out []Metric
	for _, name := range names {
		switch name {
		case "coco":
			out = append(out, cocoMetrics...)
			continue
		case "pa4":
			out = append(out, pa4Metrics...)
			continue
		}
		i := slices.IndexFunc(Metrics, func(m Metric) bool { return m.Name == name })
		if i < 0 {
			known := []string{"coco", "pa4"}
			for _, m := range Metrics {
				known = append(known, m.Name)
			}
			return nil, fmt.Errorf("unknown metric %q: use one of %s", name, strings.Join(known, ", "))
		}
		out = append(out, Metrics[i])
	}
	return out, nil
}

func (m Metric) scores() []string {
	if len(m.Scores) == 0 {
		return []string{m.Name}
	}
	return m.Scores
}

func (m Metric) total(sum []float64, n int) []float64 {
	if m.Total != nil {
		return m.Total(sum, n)
	}
	means := slices.Clone(sum)
	for i := range means {
		means[i] /= float64(n)
	}
	return means
}

// scoreNames returns the names of the scores of all metrics.
func scoreNames(metrics []Metric) []string {
	var names []string
	for _, m := range metrics {
		names = append(names, m.scores()...)
	}
	return names
}

// totals returns the function that turns the sum of joined rows into the scores of all metrics. Metric i has widths[i]
// columns.
func totals(metrics []Metric, widths []int) func(sum []float64, n int) []float64 {
	return func(sum []float64, n int) []float64 {
		var scores []float64
		at := 0
		for i, m := range metrics {
			scores = append(scores, m.total(sum[at:at+widths[i]], n)...)
			at += widths[i]
		}
		return scores
	}
}
