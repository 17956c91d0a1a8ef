package nbkit

import (
	"errors"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"captionlab/captioning/experiment"
	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
)

// ReadoutTable lays out what each way of reading out the same models comes to, means over the runs of an experiment: scores,
// and how varied the captions are.
func ReadoutTable(g report.Group) template.HTML {
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
		rows = append(rows, []string{readoutLabel(o.Readout), mean("%.1f", func(r experiment.ReadoutRecord) float64 { return r.PA4[0].Value }),
			mean("%.1f", func(r experiment.ReadoutRecord) float64 { return r.PA4[1].Value }),
			mean("%.1f", func(r experiment.ReadoutRecord) float64 { return 100 * r.Coco[3].Value }),
			mean("%.1f", func(r experiment.ReadoutRecord) float64 { return 100 * r.Coco[5].Value }),
			mean("%.3f", func(r experiment.ReadoutRecord) float64 { return r.Diversity.Distinct2 }),
			mean("%.0f", func(r experiment.ReadoutRecord) float64 { return float64(r.Diversity.Words) }),
			mean("%.1f", func(r experiment.ReadoutRecord) float64 { return r.Diversity.MeanWords }), unseen})
	}
	return Table([]string{"read out by", "pa4 BLEU-1", "pa4 BLEU-4", "coco BLEU-4", "CIDEr-D", "distinct-2", "different words", "words a caption", "captions not seen in training"}, rows)
}

// readoutLabel is the name of a readout without places to break a line at.
func readoutLabel(r experiment.Readout) string {
	switch {
	case r.Temperature > 0:
		return fmt.Sprintf("T\u00a0=\u00a0%g", r.Temperature)
	case r.Beam > 1:
		return fmt.Sprintf("beam\u00a0of\u00a0%d", r.Beam)
	}
	return r.Name
}

// Readouts lays the captions of single pictures side by side, one row for each way of reading out whose captions the run
// keeps, of those whose names begin with prefix. Pictures are shown where they are those of this notebook's dataset.
func (l *Lab) Readouts(r report.Run, prefix string, ids ...string) (template.HTML, error) {
	folder, err := ResultsFolder()
	if err != nil {
		return "", err
	}
	head := []template.HTML{"read out by"}
	for _, id := range ids {
		label := template.HTML(html.EscapeString(id))
		if l.Holds(r) {
			picture, err := l.Picture(id, watchedSide)
			if err != nil {
				return "", err
			}
			label = template.HTML(fmt.Sprintf(`<img src="%s" style="max-width:%dpx;border-radius:3px">`, picture, watchedSide))
		}
		head = append(head, label)
	}
	rows := [][]template.HTML{head}
	for _, o := range r.Readouts.Readouts {
		if o.Readout.Name != experiment.Greedy && !strings.HasPrefix(o.Readout.Name, prefix) {
			continue
		}
		file := filepath.Join(folder, filepath.FromSlash(r.Folder), experiment.CaptionsFile("test"))
		if o.Readout.Name != experiment.Greedy {
			file = filepath.Join(filepath.Dir(file), experiment.ReadoutCaptionsFile("test", o.Readout.Name))
		}
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			continue // only one run of an experiment keeps its samples
		}
		captions, err := score.ReadCaptions(file)
		if err != nil {
			return "", err
		}
		text := make(map[score.ID]string)
		for _, c := range captions {
			text[c.ID] = c.Text
		}
		row := []template.HTML{template.HTML("<b>" + html.EscapeString(readoutLabel(o.Readout)) + "</b>")}
		for _, id := range ids {
			caption, ok := text[score.ID(id)]
			if !ok {
				return "", fmt.Errorf("%s holds no caption of picture %q: take ids out of the run's captions, as RecordedIDs gives them", r.Folder, id)
			}
			row = append(row, template.HTML(html.EscapeString(caption)))
		}
		rows = append(rows, row)
	}
	return Table(nil, rows), nil
}
