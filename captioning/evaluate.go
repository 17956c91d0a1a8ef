package captioning

import (
	"context"
	"fmt"
	"strings"

	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// Evaluation holds a model's losses and scores on one split.
type Evaluation struct {
	Split  datasets.Split    `json:"split"`
	Losses experiment.Losses `json:"losses"`
	// Generation says how the captions were generated.
	Generation decoder.GenerateOptions `json:"generation"`
	Coco       *score.CocoScores       `json:"coco"` // of all images together
	PA4        *score.PA4Scores        `json:"pa4"`
	// METEOR is METEOR 1.5's score of all images together, from 0 to 1, with the tokens of protocol coco. Nil if its
	// tables are not on this machine; see meteor.OpenFetched.
	METEOR *float64 `json:"meteor,omitempty"`
	// Distinct is the number of different captions, MeanWords their mean length, Words the number of different words.
	Distinct  int     `json:"distinct_captions"`
	MeanWords float64 `json:"mean_words"`
	Words     int     `json:"words_used"`
	// Captions are the generated captions, in the split's order.
	Captions []score.Caption `json:"-"`

	meteor *score.Scores
}

// Evaluate measures the losses on a split, generates a caption for every image, and scores the captions in both
// protocols against all references, and by METEOR if its tables are on this machine.
func (m *Model) Evaluate(ctx context.Context, data *Data, split datasets.Split, o decoder.GenerateOptions) (
	*Evaluation, error) {
	losses, err := m.Losses(ctx, data, split, false)
	if err != nil {
		return nil, err
	}
	e := &Evaluation{Split: split, Losses: losses, Generation: o.WithDefaults()}
	if e.Captions, err = m.CaptionSplit(ctx, data, split, o); err != nil {
		return nil, err
	}
	e.count()
	refs, err := data.References(ctx, split)
	if err != nil {
		return nil, err
	}
	if e.Coco, e.PA4, err = score.Both(refs, e.Captions); err != nil {
		return nil, fmt.Errorf("scoring %s: %w", data.Name(), err)
	}
	if err := e.scoreMETEOR(data, refs); err != nil {
		return nil, fmt.Errorf("scoring %s: %w", data.Name(), err)
	}
	return e, nil
}

// scoreMETEOR fills in METEOR if its tables are on this machine.
func (e *Evaluation) scoreMETEOR(data *Data, refs score.References) (err error) {
	tables := data.openMETEOR()
	if tables == nil {
		return nil
	}
	defer tables.Close()
	if e.meteor, err = scoreMETEOR(tables, refs, e.Captions); err != nil {
		return err
	}
	e.METEOR = &e.meteor.Values()[0]
	return nil
}

// count sets the numbers that depend only on the captions.
func (e *Evaluation) count() {
	distinct, words := make(map[string]bool), make(map[string]bool)
	for _, c := range e.Captions {
		distinct[c.Text] = true
		tokens := strings.Fields(c.Text)
		e.MeanWords += float64(len(tokens)) / float64(len(e.Captions))
		for _, w := range tokens {
			words[w] = true
		}
	}
	e.Distinct, e.Words = len(distinct), len(words)
}
