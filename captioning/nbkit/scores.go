package nbkit

import (
	"fmt"
	"html/template"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/datasets"
)

// Scored is a model with what it came to, for ScoreTable.
type Scored struct {
	Name       string
	Parameters int
	Trained    *Trained // may be nil
	*captioning.Evaluation
}

// Scored evaluates the run that training left on the test pictures of its part.
func (l *Lab) Scored(training Training) (Scored, error) {
	t, err := l.Trained(training)
	if err != nil {
		return Scored{}, err
	}
	m, err := l.Open(t, training.Cell)
	if err != nil {
		return Scored{}, err
	}
	features, err := l.Features()
	if err != nil {
		return Scored{}, err
	}
	e, _, err := m.Evaluate(l.Context, t.Dataset, datasets.Test, features, decoder.GenerateOptions{})
	return Scored{t.Name, m.NumParameters(), t, e}, err
}

// ScoreTable lays the losses and scores, 0 to 100, of models side by side that were measured on the same pictures.
func ScoreTable(all ...Scored) template.HTML {
	var rows [][]string
	for _, s := range all {
		row := []string{s.Name, fmt.Sprintf("%.2f M", float64(s.Parameters)/1e6), "", fmt.Sprintf("%.3f", s.Losses.Token), fmt.Sprintf("%.1f", s.PA4.BLEU1), fmt.Sprintf("%.1f", s.PA4.BLEU4),
			fmt.Sprintf("%.1f", 100*s.Coco.BLEU[3]), fmt.Sprintf("%.1f", 100*s.Coco.CIDEr), fmt.Sprintf("%d of %d", s.Distinct, len(s.Coco.Images))}
		if s.Trained != nil {
			row[2] = fmt.Sprintf("%d (%d) in %.0f s", len(s.Trained.Curve), s.Trained.Best, s.Trained.Seconds)
		}
		rows = append(rows, row)
	}
	return Table([]string{"model", "parameters", "epochs (best)", "loss_token", "pa4 BLEU-1", "pa4 BLEU-4", "coco BLEU-4", "CIDEr-D", "different captions"}, rows)
}
