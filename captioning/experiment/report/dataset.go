package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
)

// dataset is the part of the report about one dataset.
type dataset struct {
	results string // folder
	name    string
	groups  []Group
	missing []string // declared experiments without a run
}

func (d dataset) group(name string) (Group, bool) {
	i := slices.IndexFunc(d.groups, func(g Group) bool { return g.Name == name })
	if i < 0 {
		return Group{}, false
	}
	return d.groups[i], true
}

// write appends the section of the dataset to the page and its figures to files.
func (d dataset) write(page *strings.Builder, files map[string][]byte) error {
	examples := d.groups[0].Runs[0].Examples
	fmt.Fprintf(page, "\n## %s\n\n%d training, %d validation and %d test captions", d.name,
		examples["train"], examples["val"], examples["test"])
	if name := d.encoder(); name != "" {
		fmt.Fprintf(page, "; features of %s", name)
	}
	page.WriteString(".\n")
	if err := d.writeScores(page); err != nil {
		return err
	}
	d.writeRuns(page)
	d.writeStrategies(page)
	d.writeFigures(page, files)
	for _, c := range comparisons {
		if err := d.writeComparison(page, c); err != nil {
			return err
		}
	}
	d.writeCaptions(page)
	if err := d.writeClaims(page); err != nil {
		return err
	}
	if err := d.writeFurther(page); err != nil {
		return err
	}
	if d.name != drawn {
		d.writeLeads(page)
	}
	return nil
}

// encoder is the name of the encoder of the first run, or empty if it is not recorded.
func (d dataset) encoder() string {
	identity, _ := d.groups[0].Runs[0].Encoder.(map[string]any)
	name, _ := identity["name"].(string)
	return name
}

// writeScores writes losses and scores of greedy captions, next to the paper's.
func (d dataset) writeScores(page *strings.Builder) error {
	page.WriteString("\n### Greedy captions, compared with the paper\n\n" +
		"Numbers in parentheses are the paper's, on COCO with ResNet-50.\n\n")
	var rows [][]string
	for _, g := range d.groups {
		s, err := g.scores()
		if err != nil {
			return err
		}
		loss, one, four := "", "", ""
		if p := g.Paper; p != nil {
			loss = fmt.Sprintf(" (%.3f)", p.Loss)
			one, four = fmt.Sprintf(" (%.2f)", p.BLEU1), fmt.Sprintf(" (%.2f)", p.BLEU4)
		}
		rows = append(rows, []string{g.Name, plainText(g.About), fmt.Sprint(len(g.Runs)), g.lossToken(),
			g.lossPadded() + loss, s.pa4[bleu1] + one, s.pa4[bleu4] + four, s.coco[bleu4], g.meteor(), s.coco[cider]})
	}
	writeTable(page, []string{"experiment", "description", "seeds", "loss_token", "loss_padded (paper)",
		"pa4 BLEU-1 (paper)", "pa4 BLEU-4 (paper)", "coco BLEU-4", "METEOR", "CIDEr-D"}, rows)
	if names := d.rounded(); len(names) > 0 {
		fmt.Fprintf(page, "\nTrained with matrix products in bfloat16: %s. All others were trained in "+
			"float32.\n", enumerate(names))
	}
	return nil
}

// rounded are the names of the experiments that were not trained in float32.
func (d dataset) rounded() []string {
	var names []string
	for _, g := range d.groups {
		if slices.ContainsFunc(g.Runs, func(r Run) bool { return r.Settings.Precision == "bfloat16" }) {
			names = append(names, g.Name)
		}
	}
	return names
}

// writeRuns lists the runs with their commands.
func (d dataset) writeRuns(page *strings.Builder) {
	page.WriteString("\n### Runs\n\n")
	var rows [][]string
	var total time.Duration
	old := false
	hosts := make(map[string]bool)
	for _, g := range d.groups {
		for _, r := range g.Runs {
			took := time.Duration(r.TrainTime * float64(time.Second))
			total += took
			hosts[machine(r.Host)] = true
			name := fmt.Sprintf("[%s](%s)", strings.TrimPrefix(r.Folder, d.name+"/"), r.Folder)
			if r.Model != experiment.ModelVersion {
				old = true
				name += " \\*"
			}
			rows = append(rows, []string{name, fmt.Sprintf("%d (%d)", r.Epochs, r.BestEpoch),
				fmt.Sprintf("%.1f M", float64(r.Parameters)/1e6), took.Round(time.Second).String(),
				"`" + strings.Join(r.Command, " ") + "`"})
		}
	}
	writeTable(page, []string{"run", "epochs (best)", "parameters", "training time", "command"}, rows)
	if len(d.missing) > 0 {
		fmt.Fprintf(page, "\nDeclared but not yet run: %s.\n", strings.Join(d.missing, ", "))
	}
	if old {
		page.WriteString("\n\\* Trained with an earlier version of the code, the commit given in its `run.json`; " +
			"repeating the run gives different numbers.\n")
	}
	fmt.Fprintf(page, "\nTraining took %s in total, on %s. The machines were running other work at the same time.\n",
		hoursAndMinutes(total), enumerate(slices.Sorted(maps.Keys(hosts))))
}

// machine describes a host in a few words.
func machine(h experiment.Host) string { return fmt.Sprintf("%d cores of %s", h.Cores, h.CPU) }

func hoursAndMinutes(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	if minutes < 60 {
		return fmt.Sprintf("%d min", minutes)
	}
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}

// writeCaptions shows the captions with the best and the worst scores, with the ids of their images.
func (d dataset) writeCaptions(page *strings.Builder) {
	r := d.groups[0].Runs[0]
	images := slices.Clone(r.Coco.Images)
	slices.SortStableFunc(images, func(a, b score.CocoImage) int {
		return cmp.Or(cmp.Compare(b.CIDEr, a.CIDEr), cmp.Compare(a.ID, b.ID))
	})
	fmt.Fprintf(page, "\n### Good and bad captions\n\nGreedy captions of [%s](%s) with the highest and the "+
		"lowest CIDEr-D.\n\n",
		strings.TrimPrefix(r.Folder, d.name+"/"), r.Folder)
	var rows [][]string
	n := min(5, len(images)/2)
	for i, image := range slices.Concat(images[:n], images[len(images)-n:]) {
		kind := "best"
		if i >= n {
			kind = "worst"
		}
		rows = append(rows, []string{kind, "`" + string(image.ID) + "`", plainText(r.Captions[image.ID]),
			fmt.Sprintf("%.1f", 100*image.CIDEr)})
	}
	writeTable(page, []string{"", "image", "caption", "CIDEr-D"}, rows)
}
