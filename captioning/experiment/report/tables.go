package report

import (
	"encoding/csv"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/chart"
	"captionlab/captioning/score"
)

// dataset is the part of the report that is about one dataset.
type dataset struct {
	results string // folder
	name    string
	groups  []Group
}

func (d dataset) group(name string) (Group, bool) {
	i := slices.IndexFunc(d.groups, func(g Group) bool { return g.Name == name })
	if i < 0 {
		return Group{}, false
	}
	return d.groups[i], true
}

// write appends the dataset's section to the page and its figures to files.
func (d dataset) write(page *strings.Builder, files map[string][]byte) error {
	first := d.groups[0].Runs[0]
	fmt.Fprintf(page, "\n## %s\n\n%d training, %d validation and %d test captions", d.name, first.Examples["train"], first.Examples["val"], first.Examples["test"])
	if e, ok := first.Encoder.(map[string]any); ok {
		fmt.Fprintf(page, "; features of %v", e["name"])
	}
	fmt.Fprintf(page, ".\n\n### Greedy captions, beside the paper's\n\nThe paper's numbers are of COCO with ResNet-50.\n\n")
	page.WriteString("| experiment | what | seeds | loss_token | loss_padded (paper) | pa4 BLEU-1 (paper) | pa4 BLEU-4 (paper) | coco BLEU-4 | CIDEr-D |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, g := range d.groups {
		row, err := g.scores()
		if err != nil {
			return err
		}
		paper := [3]string{}
		if p := g.Paper; p != nil {
			paper = [3]string{fmt.Sprintf(" (%.3f)", p.Loss), fmt.Sprintf(" (%.2f)", p.BLEU1), fmt.Sprintf(" (%.2f)", p.BLEU4)}
		}
		fmt.Fprintf(page, "| %s | %s | %d | %s | %s%s | %s%s | %s%s | %s | %s |\n", g.Name, g.About, len(g.Runs), g.mean(3, func(r Run) float64 { return r.Losses.Token }),
			g.mean(3, func(r Run) float64 { return r.Losses.Padded }), paper[0], row.pa4[0], paper[1], row.pa4[1], paper[2], row.coco[3], row.coco[5])
	}
	d.writeRounded(page)
	page.WriteString("\n### Runs\n\n| run | epochs (best) | parameters | training | made by |\n| --- | --- | --- | --- | --- |\n")
	var total time.Duration
	old := 0
	hosts := make(map[string]bool)
	for _, g := range d.groups {
		for _, r := range g.Runs {
			took := time.Duration(r.TrainTime * float64(time.Second))
			total += took
			hosts[fmt.Sprintf("%d cores of %s", r.Host.Cores, r.Host.CPU)] = true
			mark := ""
			if r.Model != experiment.ModelVersion {
				old, mark = old+1, " \\*"
			}
			fmt.Fprintf(page, "| [%s](%s)%s | %d (%d) | %.1f M | %v | `%s` |\n", strings.TrimPrefix(r.Folder, d.name+"/"), r.Folder, mark, r.Epochs, r.BestEpoch,
				float64(r.Parameters)/1e6, took.Round(time.Second), strings.Join(r.Command, " "))
		}
	}
	if old > 0 {
		page.WriteString("\n\\* Made by an earlier version of the training code, the commit that its run.json names; made again, it ends in other numbers.\n")
	}
	var machines []string
	for h := range hosts {
		machines = append(machines, h)
	}
	slices.Sort(machines)
	fmt.Fprintf(page, "\nAll trainings together took %v on %s; other work went on beside them.\n", total.Round(time.Minute), strings.Join(machines, ", "))

	d.writeReadouts(page)
	d.writeFigures(page, files)
	for _, c := range comparisons {
		if err := d.writeComparison(page, c); err != nil {
			return err
		}
	}
	d.writeExamples(page)
	return d.writeClaims(page)
}

// writeShort is the table of the README.
func (d dataset) writeShort(out *strings.Builder) error {
	fmt.Fprintf(out, "| %s | seeds | loss_padded | pa4 BLEU-1 | pa4 BLEU-4 | coco BLEU-4 | CIDEr-D |\n| --- | --- | --- | --- | --- | --- | --- |\n", d.name)
	for _, g := range d.groups {
		row, err := g.scores()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "| [%s](results/%s/%s) | %d | %s | %s | %s | %s | %s |\n", g.Name, d.name, g.Name, len(g.Runs),
			g.mean(3, func(r Run) float64 { return r.Losses.Padded }), row.pa4[0], row.pa4[1], row.coco[3], row.coco[5])
		if p := g.Paper; p != nil {
			fmt.Fprintf(out, "| the same in the paper, on COCO with ResNet-50 | | %.3f | %.2f | %.2f | | |\n", p.Loss, p.BLEU1, p.BLEU4)
		}
	}
	d.writeRounded(out)
	out.WriteString("\n")
	return nil
}

// writeRounded names the experiments with a run that was not trained in float32, if there are any.
func (d dataset) writeRounded(out *strings.Builder) {
	var names []string
	for _, g := range d.groups {
		if slices.ContainsFunc(g.Runs, func(r Run) bool { return r.Settings.Precision == "bfloat16" }) {
			names = append(names, g.Name)
		}
	}
	if len(names) > 0 {
		fmt.Fprintf(out, "\nTrained with products in bfloat16: %s; all others in float32.\n", strings.Join(names, ", "))
	}
}

// scored are the scores of a group, written out, in the order of the protocols' metrics.
type scored struct{ coco, pa4 []string }

func (g Group) scores() (scored, error) {
	var out scored
	for _, protocol := range []struct {
		of    func(r Run) score.Corpus
		scale float64
		to    *[]string
	}{{func(r Run) score.Corpus { return r.Coco }, 100, &out.coco}, {func(r Run) score.Corpus { return r.PA4 }, 1, &out.pa4}} {
		var all []score.Corpus
		for _, r := range g.Runs {
			all = append(all, protocol.of(r))
		}
		intervals, err := score.BootstrapMean(all, score.BootstrapOptions{})
		if err != nil {
			return out, fmt.Errorf("experiment %s: %w", g.Name, err)
		}
		for m, i := range intervals {
			mean := g.mean(2, func(r Run) float64 { return protocol.scale * protocol.of(r).Values()[m] })
			*protocol.to = append(*protocol.to, fmt.Sprintf("%s [%.2f, %.2f]", mean, protocol.scale*i.Low, protocol.scale*i.High))
		}
	}
	return out, nil
}

// mean is the mean of a number over the runs, with the standard deviation where there are several.
func (g Group) mean(digits int, of func(r Run) float64) string {
	sum, squares, n := 0.0, 0.0, float64(len(g.Runs))
	for _, r := range g.Runs {
		sum += of(r)
	}
	for _, r := range g.Runs {
		squares += (of(r) - sum/n) * (of(r) - sum/n)
	}
	if n < 2 {
		return fmt.Sprintf("%.*f", digits, sum)
	}
	return fmt.Sprintf("%.*f ± %.*f", digits, sum/n, digits, math.Sqrt(squares/(n-1)))
}

// readoutMean is the mean over the runs of a number of their k-th readouts.
func (g Group) readoutMean(k int, of func(r experiment.ReadoutRecord) float64) float64 {
	sum := 0.0
	for _, r := range g.Runs {
		sum += of(r.Readouts.Readouts[k])
	}
	return sum / float64(len(g.Runs))
}

// writeReadouts tells how each model fares by the way it is read out.
func (d dataset) writeReadouts(page *strings.Builder) {
	page.WriteString("\n### Ways of reading out\n\npa4 BLEU-1 / BLEU-4 of each way, means over seeds; below, for the baseline, how varied the captions are.\n\n| experiment |")
	names := d.groups[0].Runs[0].Readouts.Readouts
	for _, o := range names {
		fmt.Fprintf(page, " %s |", strings.ReplaceAll(o.Readout.Name, "temperature-", "T="))
	}
	page.WriteString("\n| --- |" + strings.Repeat(" --- |", len(names)) + "\n")
	for _, g := range d.groups {
		fmt.Fprintf(page, "| %s |", g.Name)
		for k := range g.Runs[0].Readouts.Readouts {
			fmt.Fprintf(page, " %.1f / %.1f |", g.readoutMean(k, func(r experiment.ReadoutRecord) float64 { return r.PA4[0].Value }),
				g.readoutMean(k, func(r experiment.ReadoutRecord) float64 { return r.PA4[1].Value }))
		}
		page.WriteString("\n")
	}
	g := d.groups[0]
	fmt.Fprintf(page, "\n| %s | coco BLEU-4 | CIDEr-D | different captions | different words | distinct-2 | words a caption | captions not seen in training |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n", g.Name)
	for k, o := range g.Runs[0].Readouts.Readouts {
		mean := func(of func(r experiment.ReadoutRecord) float64) float64 { return g.readoutMean(k, of) }
		fmt.Fprintf(page, "| %s | %.2f | %.2f | %.0f of %d | %.0f | %.3f | %.1f | %.0f %% |\n", o.Readout.Name,
			100*mean(func(r experiment.ReadoutRecord) float64 { return r.Coco[3].Value }), 100*mean(func(r experiment.ReadoutRecord) float64 { return r.Coco[5].Value }),
			mean(func(r experiment.ReadoutRecord) float64 { return float64(r.Diversity.Different) }), o.Diversity.Captions,
			mean(func(r experiment.ReadoutRecord) float64 { return float64(r.Diversity.Words) }),
			mean(func(r experiment.ReadoutRecord) float64 { return r.Diversity.Distinct2 }),
			mean(func(r experiment.ReadoutRecord) float64 { return r.Diversity.MeanWords }),
			100*mean(func(r experiment.ReadoutRecord) float64 {
				if r.Diversity.Unseen == nil {
					return math.NaN()
				}
				return *r.Diversity.Unseen
			}))
	}
}

// writeFigures draws the validation curves, the scores against the temperature, and those against size and learning rate.
func (d dataset) writeFigures(page *strings.Builder, files map[string][]byte) {
	curves := chart.Chart{Title: "Validation loss (" + d.name + ", seed 1)", X: "epoch", Left: "loss_token, nats"}
	for _, g := range d.groups {
		s := chart.Series{Name: g.Name}
		for _, p := range g.Runs[0].Curve {
			s.Points = append(s.Points, [2]float64{float64(p.Epoch), p.Val})
		}
		curves.Series = append(curves.Series, s)
	}
	temperature := chart.Chart{Title: "Sampling (" + d.name + ")", X: "temperature", Left: "pa4 BLEU-1", Right: "distinct-2 (dashed)"}
	for _, g := range d.groups {
		if !g.KeepSamples {
			continue
		}
		bleu, variety := chart.Series{Name: g.Name + ": BLEU-1"}, chart.Series{Name: g.Name + ": distinct-2", OnRight: true}
		for k, o := range g.Runs[0].Readouts.Readouts {
			if t := o.Readout.Temperature; t > 0 {
				bleu.Points = append(bleu.Points, [2]float64{t, g.readoutMean(k, func(r experiment.ReadoutRecord) float64 { return r.PA4[0].Value })})
				variety.Points = append(variety.Points, [2]float64{t, g.readoutMean(k, func(r experiment.ReadoutRecord) float64 { return r.Diversity.Distinct2 })})
			}
		}
		temperature.Series = append(temperature.Series, bleu, variety)
	}
	hidden := d.against("hidden size", "hidden-", func(s experiment.Settings) float64 { return float64(s.Hidden) })
	rate := d.against("learning rate", "lr-", func(s experiment.Settings) float64 { return s.LearningRate })
	page.WriteString("\n### Figures\n")
	for _, f := range []struct {
		name string
		c    chart.Chart
	}{{"curves", curves}, {"temperature", temperature}, {"hidden", hidden}, {"learning-rate", rate}} {
		path := d.name + "/" + f.name + ".svg"
		files["results/"+path] = []byte(f.c.SVG())
		fmt.Fprintf(page, "\n![%s](%s)\n", f.c.Title, path)
	}
}

// against draws BLEU against one setting: the baseline and the experiments whose names begin with prefix.
func (d dataset) against(what, prefix string, of func(s experiment.Settings) float64) chart.Chart {
	c := chart.Chart{Title: fmt.Sprintf("BLEU against %s (%s, otherwise the baseline)", what, d.name), X: what, Left: "pa4 BLEU-1", Right: "pa4 BLEU-4 (dashed)", LogX: true}
	one, four := chart.Series{Name: "BLEU-1"}, chart.Series{Name: "BLEU-4", OnRight: true}
	for _, g := range d.groups {
		if g.Name != "baseline" && !strings.HasPrefix(g.Name, prefix) {
			continue
		}
		at := of(g.Settings)
		one.Points = append(one.Points, [2]float64{at, g.readoutMean(0, func(r experiment.ReadoutRecord) float64 { return r.PA4[0].Value })})
		four.Points = append(four.Points, [2]float64{at, g.readoutMean(0, func(r experiment.ReadoutRecord) float64 { return r.PA4[1].Value })})
	}
	for _, s := range []*chart.Series{&one, &four} {
		slices.SortFunc(s.Points, func(a, b [2]float64) int { return int(math.Copysign(1, a[0]-b[0])) })
	}
	c.Series = []chart.Series{one, four}
	return c
}

// comparison lays the baseline's runs beside runs of the same seeds that differ in one setting, after equal epochs. captionlab
// train left those in a folder of their own beside the experiments.
type comparison struct{ folder, title, baseline, other string }

var comparisons = []comparison{
	{"batching", "Batches of similar length against shuffled ones", "similar length", "shuffled"},
	{"precision", "float32 against bfloat16", "float32", "bfloat16"},
}

func (d dataset) writeComparison(page *strings.Builder, c comparison) error {
	folders, err := filepath.Glob(filepath.Join(d.results, d.name, c.folder, "*", experiment.RunFile))
	if err != nil || len(folders) == 0 {
		return err
	}
	baseline, _ := d.group("baseline")
	type pair struct{ baseline, other []Point }
	var pairs []pair
	var commands []string
	machines := [2]map[string]bool{{}, {}} // of the baseline's runs and of the others
	epochs := 0
	for _, file := range folders {
		folder := filepath.Dir(file)
		r, err := experiment.ReadRun(folder)
		if err != nil {
			return err
		}
		curve, err := readCurve(filepath.Join(folder, experiment.CurveFile))
		if err != nil {
			return err
		}
		i := slices.IndexFunc(baseline.Runs, func(b Run) bool { return b.Settings.Seed == r.Settings.Seed })
		if i < 0 {
			continue
		}
		pairs = append(pairs, pair{baseline.Runs[i].Curve, curve})
		epochs = max(epochs, min(len(curve), len(baseline.Runs[i].Curve)))
		machines[0][baseline.Runs[i].Host.CPU], machines[1][r.Host.CPU] = true, true
		commands = append(commands, "`"+strings.Join(r.Command, " ")+"`")
	}
	if len(pairs) == 0 {
		return nil
	}
	fmt.Fprintf(page, "\n### %s\n\nValidation loss_token of the baseline after equal epochs, means over the seeds that were trained so long; the difference of each seed, below zero where %s is better; and the seconds an epoch took, on machines that did other work beside.\n\n", c.title, c.baseline)
	fmt.Fprintf(page, "| epoch | seeds | %[1]s | %[2]s | mean difference | difference by seed | seconds, %[1]s | seconds, %[2]s |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n", c.baseline, c.other)
	for e := range epochs {
		var baseline, other Group // of the seeds that have this epoch, one point each
		var each []string
		mean := 0.0
		for _, p := range pairs {
			if e >= min(len(p.baseline), len(p.other)) {
				continue
			}
			baseline.Runs, other.Runs = append(baseline.Runs, Run{Curve: p.baseline}), append(other.Runs, Run{Curve: p.other})
			difference := p.baseline[e].Val - p.other[e].Val
			mean += difference
			each = append(each, fmt.Sprintf("%+.4f", difference))
		}
		loss := func(r Run) float64 { return r.Curve[e].Val }
		seconds := func(r Run) float64 {
			if e == 0 {
				return r.Curve[0].Seconds
			}
			return r.Curve[e].Seconds - r.Curve[e-1].Seconds
		}
		fmt.Fprintf(page, "| %d | %d | %s | %s | %+.4f | %s | %s | %s |\n", e+1, len(each), baseline.mean(4, loss), other.mean(4, loss), mean/float64(len(each)), strings.Join(each, ", "), baseline.mean(0, seconds), other.mean(0, seconds))
	}
	fmt.Fprintf(page, "\nMade by %s; %s is the baseline itself.\n", strings.Join(commands, ", "), c.baseline)
	if !maps.Equal(machines[0], machines[1]) {
		names := func(m map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(m)), ", ") }
		fmt.Fprintf(page, "The machines differ (%s: %s; %s: %s): the difference of the losses is also theirs, and the seconds are not to be compared.\n",
			c.baseline, names(machines[0]), c.other, names(machines[1]))
	}
	return nil
}

// writeExamples shows captions that scored best and worst, pictures named by their ids.
func (d dataset) writeExamples(page *strings.Builder) {
	r := d.groups[0].Runs[0]
	images := slices.Clone(r.Coco.Images)
	slices.SortStableFunc(images, func(a, b score.CocoImage) int {
		switch {
		case a.CIDEr > b.CIDEr:
			return -1
		case a.CIDEr < b.CIDEr:
			return 1
		}
		return strings.Compare(string(a.ID), string(b.ID))
	})
	fmt.Fprintf(page, "\n### Good and bad captions\n\nBy CIDEr-D of the single picture, [%s](%s), greedy.\n\n| | picture | caption | CIDEr-D |\n| --- | --- | --- | --- |\n", strings.TrimPrefix(r.Folder, d.name+"/"), r.Folder)
	n := min(5, len(images)/2)
	for i, image := range slices.Concat(images[:n], images[len(images)-n:]) {
		kind := "best"
		if i >= n {
			kind = "worst"
		}
		fmt.Fprintf(page, "| %s | `%s` | %s | %.1f |\n", kind, image.ID, r.Captions[image.ID], 100*image.CIDEr)
	}
}

// Point is one epoch of a curve.
type Point struct {
	Epoch   int
	Val     float64 // loss_token of the validation split
	Seconds float64 // since the start of training
}

func readCurve(path string) ([]Point, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("curve %s: %w", path, err)
	}
	var curve []Point
	for i, row := range rows {
		if i == 0 {
			continue // the names of the columns
		}
		if len(row) < 6 {
			return nil, fmt.Errorf("curve %s: row %d has %d columns", path, i+1, len(row))
		}
		epoch, err := strconv.Atoi(row[0])
		if err != nil {
			return nil, fmt.Errorf("curve %s: row %d: %w", path, i+1, err)
		}
		val, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			return nil, fmt.Errorf("curve %s: row %d: %w", path, i+1, err)
		}
		seconds, err := strconv.ParseFloat(row[5], 64)
		if err != nil {
			return nil, fmt.Errorf("curve %s: row %d: %w", path, i+1, err)
		}
		curve = append(curve, Point{epoch, val, seconds})
	}
	return curve, nil
}
