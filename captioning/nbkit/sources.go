package nbkit

import (
	"fmt"
	"html/template"
	"maps"
	"slices"

	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// Source is a set of captions of test pictures, of whatever origin.
type Source struct {
	Name     string
	Captions []score.Caption
}

// SourceTable scores captions of the same test pictures in both protocols, 0 to 100, with 95 % intervals over pictures. Captions
// of pictures that another source lacks are left out, so that all rows are of the same pictures.
func (l *Lab) SourceTable(sources ...Source) (template.HTML, error) {
	all := make(score.References)
	for _, ex := range l.Dataset.Examples(datasets.Test) {
		all[score.ID(ex.ID)] = ex.Captions
	}
	return scoreSources(all, sources)
}

func scoreSources(references score.References, sources []Source) (template.HTML, error) {
	in := make(map[score.ID]int)
	for _, s := range sources {
		for _, c := range s.Captions {
			in[c.ID]++
		}
	}
	shared := make(score.References)
	for id, texts := range references {
		if in[id] == len(sources) {
			shared[id] = texts
		}
	}
	if len(shared) == 0 {
		return "", fmt.Errorf("no test picture has a caption from each of the %d sources: compare captions of the same dataset", len(sources))
	}
	var rows [][]string
	for _, s := range sources {
		var captions []score.Caption
		for _, c := range s.Captions {
			if _, ok := shared[c.ID]; ok {
				captions = append(captions, c)
			}
		}
		pa4, err := score.PA4(shared, captions, score.Options{})
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.Name, err)
		}
		coco, err := score.Coco(shared, captions, score.Options{})
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.Name, err)
		}
		row := []string{s.Name}
		for _, scored := range []struct {
			of    score.Corpus
			which []int
			times float64
		}{{pa4, []int{0, 1}, 1}, {coco, []int{3, 5}, 100}} {
			intervals, err := score.Bootstrap(scored.of, score.BootstrapOptions{})
			if err != nil {
				return "", err
			}
			for _, i := range scored.which {
				row = append(row, fmt.Sprintf("%.1f [%.1f, %.1f]", scored.times*intervals[i].Value, scored.times*intervals[i].Low, scored.times*intervals[i].High))
			}
		}
		rows = append(rows, row)
	}
	return Table([]string{fmt.Sprintf("captions of %d pictures from", len(shared)), "pa4 BLEU-1", "pa4 BLEU-4", "coco BLEU-4", "CIDEr-D"}, rows), nil
}

// FromRun are the recorded captions of a run.
func FromRun(r report.Run) Source {
	s := Source{Name: fmt.Sprintf("the model %s, seed %d", r.Experiment, r.Settings.Seed)}
	for _, id := range slices.Sorted(maps.Keys(r.Captions)) {
		s.Captions = append(s.Captions, score.Caption{ID: id, Text: r.Captions[id]})
	}
	return s
}
