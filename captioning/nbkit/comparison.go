package nbkit

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"captionlab/captioning/experiment"
	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
)

// Only returns the groups of the named experiments, in the order of the names. It leaves out names without a run.
func Only(groups []report.Group, names ...string) []report.Group {
	var out []report.Group
	for _, name := range names {
		if i := slices.IndexFunc(groups, func(g report.Group) bool { return g.Name == name }); i >= 0 {
			out = append(out, groups[i])
		}
	}
	return out
}

// ResultTable shows the test losses and the scores of greedy captions, from 0 to 100, as means over seeds, next to the
// paper's.
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
		paper := ""
		if p := g.Paper; p != nil {
			paper = fmt.Sprintf("%.3f / %.1f / %.1f", p.Loss, p.BLEU1, p.BLEU4)
		}
		rows = append(rows, []string{
			g.Name, fmt.Sprint(len(g.Runs)),
			mean(3, func(r report.Run) float64 { return r.Losses.Token }),
			mean(3, func(r report.Run) float64 { return r.Losses.Padded }),
			mean(1, func(r report.Run) float64 { return points(r.PA4, score.BLEU1) }),
			mean(1, func(r report.Run) float64 { return points(r.PA4, score.BLEU4) }),
			mean(1, func(r report.Run) float64 { return points(r.Coco, score.BLEU4) }),
			mean(1, func(r report.Run) float64 { return points(r.Coco, score.CIDErD) }),
			paper,
		})
	}
	head := append([]string{"experiment", "seeds", "loss_token", "loss_padded"}, scoreHead...)
	return Table(append(head, "the paper on COCO: loss_padded / BLEU-1 / BLEU-4"), rows)
}

// ValidationCurves draws the validation losses of the first run of each experiment in one chart.
func ValidationCurves(title string, groups []report.Group) (template.HTML, error) {
	var lines []Line
	for _, g := range groups {
		line := Line{Name: g.Name}
		for _, p := range g.Runs[0].Curve {
			line.add(float64(p.Epoch), p.Val.Token)
		}
		lines = append(lines, line)
	}
	axes := lossAxes(title)
	axes.Y = "validation " + axes.Y
	return Curves(axes, lines...)
}

// ShowComparison shows the named experiments side by side: their results and their validation curves. It notes those
// without a run, and shows only that note if fewer than two are left.
func ShowComparison(title string, groups []report.Group, names ...string) error {
	recorded := Only(groups, names...)
	var missing []string
	for _, name := range names {
		if len(Only(recorded, name)) == 0 {
			missing = append(missing, name)
		}
	}
	if len(recorded) > 1 {
		curves, err := ValidationCurves(title, recorded)
		if err != nil {
			return err
		}
		Show(ResultTable(recorded), curves)
	}
	switch {
	case len(missing) == 0:
	case len(recorded) < 2:
		Note("Nothing to compare yet: %s have no recorded run.", strings.Join(missing, ", "))
	default:
		Note("Without a recorded run: %s.", strings.Join(missing, ", "))
	}
	return nil
}

// ShowGaps notes what the records of a dataset lack: experiments without a run, missing seeds, and runs that an earlier
// version of the training code created. It shows nothing if the records are complete.
func ShowGaps(groups []report.Group) error {
	declared, err := experiment.Declared()
	if err != nil || len(groups) == 0 {
		return err
	}
	var missing, old []string
	for _, e := range declared {
		switch g := Only(groups, e.Name); {
		case len(g) == 0:
			missing = append(missing, e.Name)
		case len(g[0].Runs) < e.Seeds:
			missing = append(missing, fmt.Sprintf("%s (%d of %d seeds are recorded)", e.Name, len(g[0].Runs), e.Seeds))
		}
	}
	for _, g := range groups {
		if slices.ContainsFunc(g.Runs, func(r report.Run) bool { return r.Model != experiment.ModelVersion }) {
			old = append(old, g.Name)
		}
	}
	if len(missing) > 0 {
		dataset := groups[0].Runs[0].Dataset
		Note("Not recorded on %s yet: %s. To create the missing runs, quickest first: "+
			"captionlab reproduce --dataset %s",
			dataset, strings.Join(missing, ", "), dataset)
	}
	if len(old) > 0 {
		Note("Created by an earlier version of the training code, and slightly different if created again: %s.",
			strings.Join(old, ", "))
	}
	return nil
}
