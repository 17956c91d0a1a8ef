package nbkit

import (
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
