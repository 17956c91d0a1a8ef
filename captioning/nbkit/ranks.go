package nbkit

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"slices"

	"captionlab/captioning/experiment"
	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// RankTable shows the captions of one test image under all recorded decoding strategies of a run, with their scores,
// from 0 to 100, and their rank by each metric. The image is the first of those with the most different captions.
// METEOR is left out, with a note, if its tables are not on this machine.
func (l *Lab) RankTable(r report.Run) (template.HTML, error) {
	if !l.Holds(r) {
		return "", fmt.Errorf("run %s is on another dataset (%s) than this notebook (%s)", r.Folder, r.Dataset,
			l.Dataset.Name())
	}
	strategies, captions, err := strategyCaptions(r)
	if err != nil {
		return "", err
	}
	ex := mostVaried(l.Dataset.Examples(datasets.Test), captions)
	s, err := l.newSingle()
	if err != nil {
		return "", err
	}
	defer s.close()
	scores := make([][]float64, len(s.metrics())) // by metric and strategy
	for _, of := range captions {
		values, err := s.scores(of[score.ID(ex.ID)], ex.Captions)
		if err != nil {
			return "", err
		}
		for m, x := range values {
			scores[m] = append(scores[m], x)
		}
	}
	var rows [][]string
	for k, name := range strategies {
		row := []string{strategyLabel(experiment.Readout{Name: name}), captions[k][score.ID(ex.ID)]}
		for m := range scores {
			row = append(row, fmt.Sprintf("%d (%.1f)", rank(scores[m], k), scores[m][k]))
		}
		rows = append(rows, row)
	}
	cards, err := l.Cards([]datasets.Example{ex}, 224)
	if err != nil {
		return "", err
	}
	shown, err := Gallery(cards)
	shown += Table(append([]string{"decoding strategy", "caption"}, s.metrics()...), rows)
	if s.tables == nil {
		shown += withoutMETEOR()
	}
	return shown, err
}

// strategyCaptions reads the captions of the decoding strategies of a run that have any, by image.
func strategyCaptions(r report.Run) (strategies []string, captions []map[score.ID]string, err error) {
	for _, o := range r.Readouts.Readouts {
		s, err := FromStrategy(r, o.Readout.Name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		of := make(map[score.ID]string)
		for _, c := range s.Captions {
			of[c.ID] = c.Text
		}
		strategies, captions = append(strategies, o.Readout.Name), append(captions, of)
	}
	return strategies, captions, nil
}

// mostVaried returns the first example of those with the most different captions.
func mostVaried(examples []datasets.Example, captions []map[score.ID]string) datasets.Example {
	most, best := -1, datasets.Example{}
	for _, ex := range examples {
		texts := make(map[string]bool)
		for _, of := range captions {
			texts[of[score.ID(ex.ID)]] = true
		}
		if len(texts) > most {
			most, best = len(texts), ex
		}
	}
	return best
}

// rank is the place of value k, from 1 for the highest. Equal values share a place.
func rank(values []float64, k int) int {
	place := 1
	for _, x := range values {
		if x > values[k]+1e-9 {
			place++
		}
	}
	return place
}

// systemMetrics are the scores of systems, with the names that the table shows.
var systemMetrics = []struct {
	name string
	of   func(r experiment.ReadoutRecord) float64
}{
	{"pa4 BLEU-1", func(r experiment.ReadoutRecord) float64 { return r.PA4Value(score.BLEU1) }},
	{"pa4 BLEU-4", func(r experiment.ReadoutRecord) float64 { return r.PA4Value(score.BLEU4) }},
	{"coco BLEU-4", func(r experiment.ReadoutRecord) float64 { return r.CocoValue(score.BLEU4) }},
	{score.ROUGEL, func(r experiment.ReadoutRecord) float64 { return r.CocoValue(score.ROUGEL) }},
	{score.METEOR, experiment.ReadoutRecord.METEORValue},
	{score.CIDErD, func(r experiment.ReadoutRecord) float64 { return r.CocoValue(score.CIDErD) }},
}

// RankCorrelations shows how far the metrics agree on which of two systems is better: Kendall's tau of each pair of
// metrics over all recorded models and decoding strategies that have all scores. strategies says which strategies
// count; nil means all.
func RankCorrelations(groups []report.Group, strategies func(name string) bool) (template.HTML, error) {
	values := make([][]float64, len(systemMetrics))
	systems := 0
	for _, g := range groups {
		for _, r := range g.Runs {
			for _, o := range r.Readouts.Readouts {
				s, complete := systemScores(o)
				if !complete || strategies != nil && !strategies(o.Readout.Name) {
					continue
				}
				systems++
				for m, x := range s {
					values[m] = append(values[m], x)
				}
			}
		}
	}
	if systems < 2 {
		return "", fmt.Errorf("%d systems have all scores, too few to rank: METEOR is added to records by "+
			"`captionlab report --rescore`", systems)
	}
	head := []string{fmt.Sprintf("%d systems", systems)}
	var rows [][]string
	for m, metric := range systemMetrics {
		head = append(head, metric.name)
		row := []string{metric.name}
		for other := range systemMetrics {
			row = append(row, fmt.Sprintf("%.2f", kendall(values[m], values[other])))
		}
		rows = append(rows, row)
	}
	return Table(head, rows), nil
}

// systemScores returns the scores of a system, in the order of systemMetrics, and whether it has all of them.
func systemScores(o experiment.ReadoutRecord) (scores []float64, complete bool) {
	for _, metric := range systemMetrics {
		scores = append(scores, metric.of(o))
	}
	return scores, !slices.ContainsFunc(scores, math.IsNaN)
}

// kendall returns Kendall's tau-b of two rankings: the pairs in the same order less those in the opposite order, as a
// share of all pairs, where pairs that are equal in one ranking count less. It is NaN if all are equal.
func kendall(a, b []float64) float64 {
	var same, inA, inB float64 // in inA and inB, pairs that are not equal
	for i := range a {
		for j := range i {
			x, y := sign(a[i]-a[j]), sign(b[i]-b[j])
			same += x * y
			inA += x * x
			inB += y * y
		}
	}
	return same / math.Sqrt(inA*inB)
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}
