package nbkit

import (
	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/datasets"
)

// Captioned captions examples with a model and returns their gallery cards, references included. Examples without features
// are left out.
func (l *Lab) Captioned(m *captioning.Model, examples []datasets.Example, options decoder.GenerateOptions, side int) ([]Card, error) {
	features, err := l.Features()
	if err != nil {
		return nil, err
	}
	var ids []string
	var rows [][]float32
	var kept []datasets.Example
	for _, ex := range examples {
		if row, ok := features.Row(ex.ID); ok {
			ids, rows, kept = append(ids, ex.ID), append(rows, row), append(kept, ex)
		}
	}
	captions, err := m.CaptionFeatures(ids, rows, options)
	if err != nil {
		return nil, err
	}
	cards, err := l.Cards(kept, side)
	if err != nil {
		return nil, err
	}
	for i := range cards {
		cards[i].Caption = captions[i].Text
	}
	return cards, nil
}
