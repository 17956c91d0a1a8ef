package nbkit

import (
	"errors"
	"fmt"
	"html/template"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"captionlab/captioning/experiment"
	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// ResultsFolder finds the folder results of the working tree, of which the notebook's folder is a part.
func ResultsFolder() (string, error) {
	dir := os.Getenv(protocol.GONB_DIR_ENV)
	if dir == "" {
		var err error
		if dir, err = os.Getwd(); err != nil {
			return "", err
		}
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "results", "README.md")); err == nil {
			return filepath.Join(at, "results"), nil
		}
		if at == filepath.Dir(at) {
			return "", errors.New("there is no folder results above this notebook: open it where it lies, in captionlab's folder notebooks")
		}
	}
}

// Results returns the recorded runs on a dataset, by experiment.
func (l *Lab) Results(dataset string) ([]report.Group, error) {
	folder, err := ResultsFolder()
	if err != nil {
		return nil, err
	}
	groups, err := report.Read(folder, dataset)
	if err == nil && len(groups) == 0 {
		err = fmt.Errorf("results/%s holds no run yet: make some with `captionlab reproduce --dataset %s`", dataset, dataset)
	}
	return groups, err
}

// Result returns the recorded runs of one experiment on a dataset.
func (l *Lab) Result(dataset, name string) (report.Group, error) {
	groups, err := l.Results(dataset)
	if err != nil {
		return report.Group{}, err
	}
	i := slices.IndexFunc(groups, func(g report.Group) bool { return g.Name == name })
	if i < 0 {
		var names []string
		for _, g := range groups {
			names = append(names, g.Name)
		}
		return report.Group{}, fmt.Errorf("results/%s holds no run of experiment %q; it holds %s. Make it with `captionlab reproduce --dataset %s --only %s`",
			dataset, name, strings.Join(names, ", "), dataset, name)
	}
	return groups[i], nil
}

// Figure returns a figure of results/DATASET, as in Figure("flickr8k", "temperature").
func (l *Lab) Figure(dataset, name string) (template.HTML, error) {
	folder, err := ResultsFolder()
	if err != nil {
		return "", err
	}
	svg, err := os.ReadFile(filepath.Join(folder, dataset, name+".svg"))
	if err != nil {
		return "", fmt.Errorf("results/%s has no figure %q: make it with `captionlab report`", dataset, name)
	}
	return diagram(svg, name), nil
}

// ResultTable lays out the test losses and the scores of greedy captions, 0 to 100, means over seeds, beside the paper's.
func ResultTable(groups []report.Group) template.HTML {
	var rows [][]string
	for _, g := range groups {
		mean := func(digits int, of func(r report.Run) float64) string {
			sum := 0.0
			for _, r := range g.Runs {
				sum += of(r)
			}
			return fmt.Sprintf("%.*f", digits, sum/float64(len(g.Runs)))
		}
		row := []string{g.Name, fmt.Sprint(len(g.Runs)), mean(3, func(r report.Run) float64 { return r.Losses.Token }), mean(3, func(r report.Run) float64 { return r.Losses.Padded }),
			mean(1, func(r report.Run) float64 { return r.PA4.BLEU1 }), mean(1, func(r report.Run) float64 { return r.PA4.BLEU4 }),
			mean(1, func(r report.Run) float64 { return 100 * r.Coco.BLEU[3] }), mean(1, func(r report.Run) float64 { return 100 * r.Coco.CIDEr }), ""}
		if p := g.Paper; p != nil {
			row[8] = fmt.Sprintf("%.3f / %.1f / %.1f", p.Loss, p.BLEU1, p.BLEU4)
		}
		rows = append(rows, row)
	}
	return Table([]string{"experiment", "seeds", "loss_token", "loss_padded", "pa4 BLEU-1", "pa4 BLEU-4", "coco BLEU-4", "CIDEr-D", "the paper on COCO: loss_padded / BLEU-1 / BLEU-4"}, rows)
}

// Check scores the recorded captions of a run again, against the references of the dataset, and fails where a score differs
// from the recorded one, or the dataset is another.
func (l *Lab) Check(r report.Run) error {
	if r.Dataset != l.Dataset.Name() || r.Fingerprint != l.fingerprint {
		return fmt.Errorf("run %s is of another dataset (%s) than this notebook's (%s)", r.Folder, r.Dataset, l.Dataset.Name())
	}
	refs := make(score.References)
	for _, ex := range l.Dataset.Examples(datasets.Test) {
		refs[score.ID(ex.ID)] = ex.Captions
	}
	var captions []score.Caption
	for id, text := range r.Captions {
		captions = append(captions, score.Caption{ID: id, Text: text})
	}
	coco, err := score.Coco(refs, captions, score.Options{})
	if err != nil {
		return err
	}
	pa4, err := score.PA4(refs, captions, score.Options{})
	if err != nil {
		return err
	}
	folder, err := ResultsFolder()
	if err != nil {
		return err
	}
	var recorded struct {
		Coco *score.CocoScores `json:"coco"`
		PA4  *score.PA4Scores  `json:"pa4"`
	}
	if err := experiment.ReadJSON(filepath.Join(folder, filepath.FromSlash(r.Folder), experiment.MetricsFile), &recorded); err != nil {
		return err
	}
	for _, c := range []struct{ now, then []float64 }{{coco.Values(), recorded.Coco.Values()}, {pa4.Values(), recorded.PA4.Values()}} {
		for i := range c.now {
			if math.Abs(c.now[i]-c.then[i]) > 1e-9*(1+math.Abs(c.then[i])) {
				return fmt.Errorf("%s: its captions score %v now, its record says %v: make the run again, or find out which code changed", r.Folder, c.now, c.then)
			}
		}
	}
	return nil
}
