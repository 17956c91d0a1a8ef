package nbkit

import (
	"fmt"
	"path/filepath"
	"slices"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/datasets"
)

// Rows returns the ids and the features of examples, the input of a Model's CaptionFeatures and CaptionNBest. It leaves out
// examples without features.
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

// Captioned captions examples with a model and returns their gallery cards, references included. It leaves out examples
// without features. Images are at most side pixels wide and high.
func (l *Lab) Captioned(m *captioning.Model, examples []datasets.Example, o decoder.GenerateOptions, side int) ([]Card, error) {
	ids, rows, err := l.Rows(examples)
	if err != nil {
		return nil, err
	}
	captions, err := m.CaptionFeatures(ids, rows, o)
	if err != nil {
		return nil, err
	}
	text := make(map[string]string)
	for _, c := range captions {
		text[string(c.ID)] = c.Text
	}
	withCaption := slices.DeleteFunc(slices.Clone(examples), func(ex datasets.Example) bool { return text[ex.ID] == "" })
	cards, err := l.Cards(withCaption, side)
	for i := range cards {
		cards[i].Caption = text[cards[i].Title]
	}
	return cards, err
}

// BestModel opens the recorded run of this notebook's experiment if its checkpoint is on this machine, and otherwise the
// run that Train trained by the plan. name says which of the two it is.
func (l *Lab) BestModel(p Plan) (m *captioning.Model, name string, err error) {
	if recorded, err := l.Run(l.Experiment.Name); err == nil {
		folder, err := ResultsFolder()
		if err != nil {
			return nil, "", err
		}
		if m, err := l.Model(filepath.Join(folder, filepath.FromSlash(recorded.Folder))); err == nil {
			return m, "the full run " + recorded.Folder, nil
		}
	}
	t, err := l.Trained(p)
	if err != nil {
		return nil, "", fmt.Errorf("the checkpoint of the full run of %s on %s is not on this machine, and its stand-in is missing: %w",
			l.Experiment.Name, l.Dataset.Name(), err)
	}
	m, err = l.Open(t, p.Cell)
	return m, fmt.Sprintf("the small run %q of this notebook", t.Name), err
}
