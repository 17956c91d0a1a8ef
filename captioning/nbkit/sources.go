package nbkit

import (
	"fmt"
	"html/template"
	"maps"
	"slices"

	"captionlab/captioning"
	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// Source is a set of captions of test images, of any origin.
type Source struct {
	Name     string
	Captions []score.Caption
}

// FromRun returns the recorded captions of a run.
func FromRun(r report.Run) Source {
	s := Source{Name: fmt.Sprintf("the model %s, seed %d", r.Experiment, r.Settings.Seed)}
	for _, id := range slices.Sorted(maps.Keys(r.Captions)) {
		s.Captions = append(s.Captions, score.Caption{ID: id, Text: r.Captions[id]})
	}
	return s
}

// SourceTable scores captions of the same test images in both protocols, from 0 to 100, with 95 % intervals over
// images. It leaves out images that a source has no caption of, so that all rows are about the same images.
func (l *Lab) SourceTable(sources ...Source) (template.HTML, error) {
	return scoreSources(l.testReferences(), sources)
}

func (l *Lab) testReferences() score.References {
	return captioning.References(l.Dataset.Examples(datasets.Test))
}

// scored holds the scores of one source in both protocols.
type scored struct {
	name string
	pa4  *score.PA4Scores
	coco *score.CocoScores
}

// evaluate scores a source in both protocols.
func evaluate(refs score.References, s Source) (scored, error) {
	coco, pa4, err := score.Both(refs, s.Captions)
	if err != nil {
		return scored{}, fmt.Errorf("%s: %w", s.Name, err)
	}
	return scored{s.Name, pa4, coco}, nil
}

// shared scores the captions of all sources on the images that each of them has, and returns the number of these
// images.
func shared(refs score.References, sources []Source) (all []scored, images int, err error) {
	in := make(map[score.ID]int)
	for _, s := range sources {
		for _, c := range s.Captions {
			in[c.ID]++
		}
	}
	kept := make(score.References)
	for id, texts := range refs {
		if in[id] == len(sources) {
			kept[id] = texts
		}
	}
	if len(kept) == 0 {
		return nil, 0, fmt.Errorf("no test image has a caption from each of the %d sources: compare captions of "+
			"the same dataset",
			len(sources))
	}
	for _, s := range sources {
		s.Captions = slices.DeleteFunc(slices.Clone(s.Captions),
			func(c score.Caption) bool { return kept[c.ID] == nil })
		one, err := evaluate(kept, s)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, one)
	}
	return all, len(kept), nil
}

func scoreSources(refs score.References, sources []Source) (template.HTML, error) {
	all, images, err := shared(refs, sources)
	if err != nil {
		return "", err
	}
	var rows [][]string
	for _, s := range all {
		cells, err := intervalCells(s.pa4, s.coco)
		if err != nil {
			return "", err
		}
		rows = append(rows, append([]string{s.name}, cells...))
	}
	return Table(append([]string{fmt.Sprintf("captions of %d images from", images)}, scoreHead...), rows), nil
}

// CompareSources tests whether captions of a score differently from those of b on the same images, in both protocols,
// from 0 to 100. It shows the difference with its paired 95 % interval, and the p-value of paired approximate
// randomization.
func (l *Lab) CompareSources(a, b Source) (template.HTML, error) {
	all, images, err := shared(l.testReferences(), []Source{a, b})
	if err != nil {
		return "", err
	}
	var rows [][]string
	for _, p := range []struct {
		name string
		a, b score.Corpus
	}{{"pa4", all[0].pa4, all[1].pa4}, {"coco", all[0].coco, all[1].coco}} {
		differences, err := score.Compare(p.a, p.b, score.BootstrapOptions{})
		if err != nil {
			return "", err
		}
		for _, d := range differences {
			times := p.a.Scale(d.Metric)
			rows = append(rows, []string{
				p.name, d.Metric, fmt.Sprintf("%.2f", times*d.A), fmt.Sprintf("%.2f", times*d.B),
				fmt.Sprintf("%+.2f [%+.2f, %+.2f]", times*d.Delta, times*d.Low, times*d.High),
				fmt.Sprintf("%.3f", d.P),
			})
		}
	}
	return Table([]string{fmt.Sprintf("%d images", images), "", a.Name, b.Name, "difference", "p"}, rows), nil
}

// RuleTable scores captions that were chosen by different rules, from 0 to 100, against the references of the images
// that all of them caption.
func RuleTable(images []datasets.Example, rules ...Source) (template.HTML, error) {
	refs := captioning.References(images)
	var rows [][]string
	for _, r := range rules {
		s, err := evaluate(refs, r)
		if err != nil {
			return "", err
		}
		different, words := diversity(r.Captions)
		row := append([]string{r.Name}, scoreCells(s.pa4, s.coco)...)
		row = append(row, fmt.Sprintf("%d of %d", different, len(r.Captions)), fmt.Sprintf("%.1f", words))
		rows = append(rows, row)
	}
	head := append([]string{"rule"}, scoreHead...)
	return Table(append(head, "different captions", "words per caption"), rows), nil
}
