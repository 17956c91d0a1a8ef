package nbkit

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"

	"captionlab/captioning/experiment"
	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// StrategyTable shows the results of each decoding strategy with the same models, as means over the runs of an
// experiment: scores, and how varied the captions are.
func StrategyTable(g report.Group) template.HTML {
	var rows [][]string
	for k, o := range g.Runs[0].Readouts.Readouts {
		mean := func(format string, of func(r experiment.ReadoutRecord) float64) string {
			sum, n := 0.0, 0
			for _, r := range g.Runs {
				if k < len(r.Readouts.Readouts) {
					sum, n = sum+of(r.Readouts.Readouts[k]), n+1
				}
			}
			return fmt.Sprintf(format, sum/float64(n))
		}
		unseen := "unknown"
		if o.Diversity.Unseen != nil {
			unseen = fmt.Sprintf("%.0f %%", 100**o.Diversity.Unseen)
		}
		rows = append(rows, []string{
			strategyLabel(o.Readout),
			mean("%.1f", func(r experiment.ReadoutRecord) float64 { return r.PA4Value(score.BLEU1) }),
			mean("%.1f", func(r experiment.ReadoutRecord) float64 { return r.PA4Value(score.BLEU4) }),
			mean("%.1f", func(r experiment.ReadoutRecord) float64 { return 100 * r.CocoValue(score.BLEU4) }),
			mean("%.1f", func(r experiment.ReadoutRecord) float64 { return 100 * r.CocoValue(score.CIDErD) }),
			mean("%.3f", func(r experiment.ReadoutRecord) float64 { return r.Diversity.Distinct2 }),
			mean("%.0f", func(r experiment.ReadoutRecord) float64 { return float64(r.Diversity.Words) }),
			mean("%.1f", func(r experiment.ReadoutRecord) float64 { return r.Diversity.MeanWords }),
			unseen,
		})
	}
	head := append([]string{"decoding strategy"}, scoreHead...)
	return Table(append(head, "distinct-2", "different words", "words per caption", "captions not in training"), rows)
}

// strategyLabel is the name of a strategy, without spaces at which a line could break.
func strategyLabel(r experiment.Readout) string {
	switch {
	case r.Temperature > 0:
		return fmt.Sprintf("T\u00a0=\u00a0%g", r.Temperature)
	case r.Beam > 1:
		return fmt.Sprintf("beam\u00a0of\u00a0%d", r.Beam)
	}
	return r.Name
}

// StrategyCaptions shows the captions of single images side by side, one row for each decoding strategy whose
// captions the run keeps, of greedy and those whose names begin with prefix. It shows the images if they are those of
// this notebook's dataset.
func (l *Lab) StrategyCaptions(r report.Run, prefix string, ids ...string) (template.HTML, error) {
	head := []template.HTML{"decoding strategy"}
	for _, id := range ids {
		label := Text("%s", id)
		if l.Holds(r) {
			image, err := l.Image(id, watchedSide)
			if err != nil {
				return "", err
			}
			label = imageTag(image, id, watchedSide)
		}
		head = append(head, label)
	}
	rows := [][]template.HTML{head}
	for _, o := range r.Readouts.Readouts {
		if o.Readout.Name != experiment.Greedy && !strings.HasPrefix(o.Readout.Name, prefix) {
			continue
		}
		s, err := FromStrategy(r, o.Readout.Name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // only one run of an experiment keeps its samples
		}
		if err != nil {
			return "", err
		}
		text := make(map[score.ID]string)
		for _, c := range s.Captions {
			text[c.ID] = c.Text
		}
		row := []template.HTML{Text("%s", strategyLabel(o.Readout))}
		for _, id := range ids {
			caption, ok := text[score.ID(id)]
			if !ok {
				return "", fmt.Errorf("%s holds no caption of image %q: use ids that RankedIDs returns", r.Folder, id)
			}
			row = append(row, Text("%s", caption))
		}
		rows = append(rows, row)
	}
	return Table(nil, rows), nil
}

// FromStrategy returns the recorded captions of a run under one decoding strategy, as in "beam-5".
func FromStrategy(r report.Run, name string) (Source, error) {
	var names []string
	for _, o := range r.Readouts.Readouts {
		names = append(names, o.Readout.Name)
	}
	file := experiment.CaptionsFile(string(datasets.Test))
	if name != experiment.Greedy {
		file = experiment.ReadoutCaptionsFile(string(datasets.Test), name)
	}
	full, err := resultFile(path.Join(r.Folder, file))
	if err != nil {
		return Source{}, err
	}
	captions, err := score.ReadCaptions(full)
	if errors.Is(err, fs.ErrNotExist) {
		return Source{}, fmt.Errorf("results/%s has no captions of decoding strategy %q; its record has %s: %w",
			r.Folder, name, strings.Join(names, ", "), fs.ErrNotExist)
	}
	return Source{Name: name, Captions: captions}, err
}
