package report

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"captionlab/captioning/experiment"
)

// comparison puts the baseline's runs next to runs of the same seeds that differ in one setting, epoch by epoch. The
// other runs were written by captionlab train, into a folder next to the experiments.
type comparison struct{ folder, title, baseline, other string }

var comparisons = []comparison{
	{"batching", "Batches of captions of similar length compared with shuffled batches", "similar " +
		"length", "shuffled"},
	{"precision", "float32 compared with bfloat16", "float32", "bfloat16"},
}

// pair is a run of the baseline and the other run of the same seed.
type pair struct {
	baseline, other Run
}

// both is the number of epochs that both runs have.
func (p pair) both() int { return min(len(p.baseline.Curve), len(p.other.Curve)) }

func (d dataset) writeComparison(page *strings.Builder, c comparison) error {
	pairs, err := d.pairs(c)
	if err != nil || len(pairs) == 0 {
		return err
	}
	fmt.Fprintf(page, "\n### %s\n\n"+
		"Validation loss_token of the baseline after the same number of epochs: means over the seeds trained that "+
		"long, and differences (negative: %s is better). Seconds are per epoch, on machines that were running "+
		"other work at the same time.\n\n", c.title, c.baseline)
	epochs := 0
	var commands []string
	var machines [2]map[string]bool // of the baseline's runs and of the others
	machines[0], machines[1] = make(map[string]bool), make(map[string]bool)
	for _, p := range pairs {
		epochs = max(epochs, p.both())
		commands = append(commands, "`"+strings.Join(p.other.Command, " ")+"`")
		machines[0][p.baseline.Host.CPU], machines[1][p.other.Host.CPU] = true, true
	}
	var rows [][]string
	for e := range epochs {
		rows = append(rows, comparisonRow(pairs, e))
	}
	writeTable(page, []string{"epoch", "seeds", c.baseline, c.other, "mean difference", "difference by seed",
		"seconds, " + c.baseline, "seconds, " + c.other}, rows)
	fmt.Fprintf(page, "\nCommands (%s is the baseline itself): %s.\n", c.baseline, strings.Join(commands, ", "))
	if !maps.Equal(machines[0], machines[1]) {
		names := func(m map[string]bool) string { return enumerate(slices.Sorted(maps.Keys(m))) }
		fmt.Fprintf(page, "The machines differ (%s: %s; %s: %s). This affects the losses too, and the seconds are "+
			"not comparable.\n",
			c.baseline, names(machines[0]), c.other, names(machines[1]))
	}
	return nil
}

// pairs reads the other runs and finds the baseline's run of the same seed.
func (d dataset) pairs(c comparison) ([]pair, error) {
	files, err := filepath.Glob(filepath.Join(d.results, d.name, c.folder, "*", experiment.RunFile))
	if err != nil {
		return nil, err
	}
	baseline, _ := d.group("baseline")
	var out []pair
	for _, file := range files {
		var other Run
		if other.Run, err = experiment.ReadRun(filepath.Dir(file)); err != nil {
			return nil, err
		}
		if other.Curve, err = experiment.ReadCurve(filepath.Dir(file)); err != nil {
			return nil, err
		}
		for _, b := range baseline.Runs {
			if b.Settings.Seed == other.Settings.Seed {
				out = append(out, pair{b, other})
			}
		}
	}
	return out, nil
}

// comparisonRow compares epoch e, from 0, of the seeds that were trained that long.
func comparisonRow(pairs []pair, e int) []string {
	var baseline, other Group
	var each []string
	sum := 0.0
	for _, p := range pairs {
		if e >= p.both() {
			continue
		}
		baseline.Runs, other.Runs = append(baseline.Runs, p.baseline), append(other.Runs, p.other)
		difference := p.baseline.Curve[e].Val.Token - p.other.Curve[e].Val.Token
		sum += difference
		each = append(each, fmt.Sprintf("%+.4f", difference))
	}
	loss := func(r Run) float64 { return r.Curve[e].Val.Token }
	seconds := func(r Run) float64 {
		if e == 0 {
			return r.Curve[0].Seconds
		}
		return r.Curve[e].Seconds - r.Curve[e-1].Seconds
	}
	return []string{fmt.Sprint(e + 1), fmt.Sprint(len(each)), baseline.mean(4, loss), other.mean(4, loss),
		fmt.Sprintf("%+.4f", sum/float64(len(each))), strings.Join(each, ", "),
		baseline.mean(0, seconds), other.mean(0, seconds)}
}
