package nbkit

import (
	"fmt"
	"path/filepath"
	"slices"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/datasets"
)

// Rows returns the ids and the features of examples, which are what a Model's CaptionFeatures and CaptionNBest take. Examples
// without features are left out.
func (l *Lab) Rows(examples []datasets.Example) (ids []string, rows [][]float32, err error) {
	features, err := l.Features()
	if err != nil {
		return nil, nil, err
	}
	for _, ex := range examples {
		if row, ok := features.Row(ex.ID); ok {
			ids, rows = append(ids, ex.ID), append(rows, row)
		}
	}
	return ids, rows, nil
}

// Captioned captions examples with a model and returns their gallery cards, references included. Examples without features
// are left out.
func (l *Lab) Captioned(m *captioning.Model, examples []datasets.Example, options decoder.GenerateOptions, side int) ([]Card, error) {
	ids, rows, err := l.Rows(examples)
	if err != nil {
		return nil, err
	}
	captions, err := m.CaptionFeatures(ids, rows, options)
	if err != nil {
		return nil, err
	}
	text := make(map[string]string)
	for _, c := range captions {
		text[c.ID] = c.Text
	}
	cards, err := l.Cards(slices.DeleteFunc(slices.Clone(examples), func(ex datasets.Example) bool { return text[ex.ID] == "" }), side)
	if err != nil {
		return nil, err
	}
	for i := range cards {
		cards[i].Caption = text[cards[i].Title]
	}
	return cards, nil
}

// BestModel opens the recorded run of this notebook's experiment where its checkpoint is on this machine, and else the run that
// fallback left. name says which.
func (l *Lab) BestModel(fallback Training) (m *captioning.Model, name string, err error) {
	if recorded, err := l.Result(l.Dataset.Name(), l.Experiment.Name); err == nil {
		folder, err := ResultsFolder()
		if err != nil {
			return nil, "", err
		}
		run := recorded.Runs[0]
		if m, err := l.Model(filepath.Join(folder, filepath.FromSlash(run.Folder))); err == nil {
			return m, "the full run " + run.Folder, nil
		}
	}
	t, err := l.Trained(fallback)
	if err != nil {
		return nil, "", fmt.Errorf("there is no checkpoint of the full run of %s on %s here, and the stand-in is not there either: %w", l.Experiment.Name, l.Dataset.Name(), err)
	}
	m, err = l.Open(t, fallback.Cell)
	return m, fmt.Sprintf("the small run %q of this notebook", t.Name), err
}
