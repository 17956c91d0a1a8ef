package nbkit

import (
	"fmt"
	"html/template"
	"strings"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// Scored is a model with its losses and scores, for ScoreTable.
type Scored struct {
	Name       string
	Parameters int
	Trained    *Trained // may be nil
	*captioning.Evaluation
}

// Scored evaluates the model that Train trained by the plan, on the test images of its part.
func (l *Lab) Scored(p Plan) (Scored, error) {
	t, err := l.Trained(p)
	if err != nil {
		return Scored{}, err
	}
	m, err := l.Open(t)
	if err != nil {
		return Scored{}, err
	}
	e, err := m.Evaluate(l.Context, t.Data, datasets.Test, decoder.GenerateOptions{})
	return Scored{t.Name, m.NumParameters(), t, e}, err
}

// ScoreTable compares the losses and the scores, from 0 to 100, of models that were evaluated on the same images.
func ScoreTable(all ...Scored) template.HTML {
	var rows [][]string
	for _, s := range all {
		epochs := ""
		if s.Trained != nil {
			epochs = fmt.Sprintf("%d (%d) in %.0f s", len(s.Trained.Curve), s.Trained.Best, s.Trained.Seconds)
		}
		row := []string{s.Name, fmt.Sprintf("%.2f M", float64(s.Parameters)/1e6), epochs,
			fmt.Sprintf("%.3f", s.Losses.Token)}
		row = append(row, scoreCells(s.PA4, s.Coco)...)
		rows = append(rows, append(row, fmt.Sprintf("%d of %d", s.Distinct, len(s.Coco.Images))))
	}
	head := append([]string{"model", "parameters", "epochs (best)", "loss_token"}, scoreHead...)
	return Table(append(head, "different captions"), rows)
}

// diversity returns the number of different captions, and the mean number of words per caption.
func diversity(captions []score.Caption) (different int, words float64) {
	texts := make(map[string]bool)
	for _, c := range captions {
		texts[c.Text] = true
		words += float64(len(strings.Fields(c.Text))) / float64(len(captions))
	}
	return len(texts), words
}
