package nbkit

import (
	"fmt"
	"html/template"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"captionlab/captioning/experiment"
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
	return scoreSources(l.testReferences(), sources)
}

func (l *Lab) testReferences() score.References {
	all := make(score.References)
	for _, ex := range l.Dataset.Examples(datasets.Test) {
		all[score.ID(ex.ID)] = ex.Captions
	}
	return all
}

// scored are the captions of one source in both protocols.
type scored struct {
	name string
	pa4  *score.PA4Scores
	coco *score.CocoScores
}

// shared scores the captions of all sources on the pictures that each of them has, which it counts.
func shared(references score.References, sources []Source) (all []scored, pictures int, err error) {
	in := make(map[score.ID]int)
	for _, s := range sources {
		for _, c := range s.Captions {
			in[c.ID]++
		}
	}
	of := make(score.References)
	for id, texts := range references {
		if in[id] == len(sources) {
			of[id] = texts
		}
	}
	if len(of) == 0 {
		return nil, 0, fmt.Errorf("no test picture has a caption from each of the %d sources: compare captions of the same dataset", len(sources))
	}
	for _, s := range sources {
		captions := slices.DeleteFunc(slices.Clone(s.Captions), func(c score.Caption) bool { return of[c.ID] == nil })
		one := scored{name: s.Name}
		if one.pa4, err = score.PA4(of, captions, score.Options{}); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", s.Name, err)
		}
		if one.coco, err = score.Coco(of, captions, score.Options{}); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", s.Name, err)
		}
		all = append(all, one)
	}
	return all, len(of), nil
}

func scoreSources(references score.References, sources []Source) (template.HTML, error) {
	all, pictures, err := shared(references, sources)
	if err != nil {
		return "", err
	}
	var rows [][]string
	for _, s := range all {
		row := []string{s.name}
		for _, part := range []struct {
			of    score.Corpus
			which []int
			times float64
		}{{s.pa4, []int{0, 1}, 1}, {s.coco, []int{3, 5}, 100}} {
			intervals, err := score.Bootstrap(part.of, score.BootstrapOptions{})
			if err != nil {
				return "", err
			}
			for _, i := range part.which {
				row = append(row, fmt.Sprintf("%.1f [%.1f, %.1f]", part.times*intervals[i].Value, part.times*intervals[i].Low, part.times*intervals[i].High))
			}
		}
		rows = append(rows, row)
	}
	return Table([]string{fmt.Sprintf("captions of %d pictures from", pictures), "pa4 BLEU-1", "pa4 BLEU-4", "coco BLEU-4", "CIDEr-D"}, rows), nil
}

// CompareSources tests whether captions of a score differently from those of b on the same pictures, in both protocols, 0 to 100:
// the difference with its paired 95 % interval, and the p-value of paired approximate randomization.
func (l *Lab) CompareSources(a, b Source) (template.HTML, error) {
	all, pictures, err := shared(l.testReferences(), []Source{a, b})
	if err != nil {
		return "", err
	}
	var rows [][]string
	for _, p := range []struct {
		name  string
		a, b  score.Corpus
		times float64
	}{{"pa4", all[0].pa4, all[1].pa4, 1}, {"coco", all[0].coco, all[1].coco, 100}} {
		differences, err := score.Compare(p.a, p.b, score.BootstrapOptions{})
		if err != nil {
			return "", err
		}
		for _, d := range differences {
			rows = append(rows, []string{p.name, d.Metric, fmt.Sprintf("%.2f", p.times*d.A), fmt.Sprintf("%.2f", p.times*d.B),
				fmt.Sprintf("%+.2f [%+.2f, %+.2f]", p.times*d.Delta, p.times*d.Low, p.times*d.High), fmt.Sprintf("%.3f", d.P)})
		}
	}
	return Table([]string{fmt.Sprintf("%d pictures", pictures), "", a.Name, b.Name, "difference", "p"}, rows), nil
}

// FromRun are the recorded captions of a run.
func FromRun(r report.Run) Source {
	s := Source{Name: fmt.Sprintf("the model %s, seed %d", r.Experiment, r.Settings.Seed)}
	for _, id := range slices.Sorted(maps.Keys(r.Captions)) {
		s.Captions = append(s.Captions, score.Caption{ID: id, Text: r.Captions[id]})
	}
	return s
}

// FromReadout are the recorded captions of a run, read out in another way, as in "beam-5".
func FromReadout(r report.Run, name string) (Source, error) {
	folder, err := ResultsFolder()
	if err != nil {
		return Source{}, err
	}
	var names []string
	for _, o := range r.Readouts.Readouts {
		names = append(names, o.Readout.Name)
	}
	captions, err := score.ReadCaptions(filepath.Join(folder, filepath.FromSlash(r.Folder), experiment.ReadoutCaptionsFile(string(datasets.Test), name)))
	if err != nil {
		return Source{}, fmt.Errorf("results/%s has no captions of readout %q: its readouts are %s", r.Folder, name, strings.Join(names, ", "))
	}
	return Source{Name: name, Captions: captions}, nil
}
