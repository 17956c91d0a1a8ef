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

// Rule is a way of choosing captions with what it chose.
type Rule struct {
	Name     string
	Captions []score.Caption
}

// RuleTable scores rules of choosing captions, 0 to 100, against the references of the pictures that all of them captioned.
func RuleTable(pictures []datasets.Example, rules ...Rule) (template.HTML, error) {
	refs := make(score.References)
	for _, ex := range pictures {
		refs[score.ID(ex.ID)] = ex.Captions
	}
	var rows [][]string
	for _, r := range rules {
		coco, err := score.Coco(refs, r.Captions, score.Options{})
		if err != nil {
			return "", fmt.Errorf("%s: %w", r.Name, err)
		}
		pa4, err := score.PA4(refs, r.Captions, score.Options{})
		if err != nil {
			return "", fmt.Errorf("%s: %w", r.Name, err)
		}
		different, words := make(map[string]bool), 0
		for _, c := range r.Captions {
			different[c.Text] = true
			words += len(strings.Fields(c.Text))
		}
		rows = append(rows, []string{r.Name, fmt.Sprintf("%.1f", pa4.BLEU1), fmt.Sprintf("%.1f", pa4.BLEU4), fmt.Sprintf("%.1f", 100*coco.BLEU[3]), fmt.Sprintf("%.1f", 100*coco.CIDEr),
			fmt.Sprintf("%d of %d", len(different), len(r.Captions)), fmt.Sprintf("%.1f", float64(words)/float64(len(r.Captions)))})
	}
	return Table([]string{"rule", "pa4 BLEU-1", "pa4 BLEU-4", "coco BLEU-4", "CIDEr-D", "different captions", "words a caption"}, rows), nil
}
