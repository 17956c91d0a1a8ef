package captioning

import (
	"context"
	"fmt"
	"strings"

	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// Evaluation is what a model comes to on one split.
type Evaluation struct {
	Split  datasets.Split `json:"split"`
	Losses Losses         `json:"losses"`
	// Generation says how the captions were generated.
	Generation decoder.GenerateOptions `json:"generation"`
	Coco       *score.CocoScores       `json:"coco"` // of all pictures together
	PA4        *score.PA4Scores        `json:"pa4"`
	// Distinct is the number of different captions, MeanWords their mean length, Words the number of different words used.
	Distinct  int     `json:"distinct_captions"`
	MeanWords float64 `json:"mean_words"`
	Words     int     `json:"words_used"`
}

// Evaluate measures the losses of a split, generates a caption for every picture, and scores the captions in both
// protocols against all references. The captions come back too, in the split's order.
func (m *Model) Evaluate(ctx context.Context, ds datasets.Dataset, split datasets.Split, f *encoder.Features, options decoder.GenerateOptions) (*Evaluation, []score.Caption, error) {
	losses, err := m.Losses(ctx, ds, split, f, false)
	if err != nil {
		return nil, nil, err
	}
	generated, err := m.CaptionSplit(ds, split, f, options)
	if err != nil {
		return nil, nil, err
	}
	e := &Evaluation{Split: split, Losses: losses, Generation: options.WithDefaults()}
	captions := make([]score.Caption, len(generated))
	distinct, words := make(map[string]bool), make(map[string]bool)
	for i, c := range generated {
		captions[i] = score.Caption{ID: score.ID(c.ID), Text: c.Text}
		distinct[c.Text] = true
		tokens := strings.Fields(c.Text)
		e.MeanWords += float64(len(tokens)) / float64(len(generated))
		for _, w := range tokens {
			words[w] = true
		}
	}
	e.Distinct, e.Words = len(distinct), len(words)
	refs := References(ds, split, f)
	if e.Coco, err = score.Coco(refs, captions, score.Options{}); err != nil {
		return nil, nil, fmt.Errorf("scoring %s: %w", ds.Name(), err)
	}
	if e.PA4, err = score.PA4(refs, captions, score.Options{}); err != nil {
		return nil, nil, fmt.Errorf("scoring %s: %w", ds.Name(), err)
	}
	return e, captions, nil
}

// References are the reference captions of the pictures of a split that have features.
func References(ds datasets.Dataset, split datasets.Split, f *encoder.Features) score.References {
	refs := make(score.References)
	for _, ex := range ds.Examples(split) {
		if _, ok := f.Row(ex.ID); ok {
			refs[score.ID(ex.ID)] = ex.Captions
		}
	}
	return refs
}
