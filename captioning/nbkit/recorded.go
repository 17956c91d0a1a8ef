package nbkit

import (
	"cmp"
	"fmt"
	"html/template"
	"path/filepath"
	"slices"
	"strings"

	"captionlab/captioning"
	"captionlab/captioning/experiment"
	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// WithFlickr8k are the datasets whose records a notebook shows: its own, and Flickr8k, whose records need no pictures.
func (l *Lab) WithFlickr8k() []string {
	if name := l.Dataset.Name(); name != "flickr8k" {
		return []string{name, "flickr8k"}
	}
	return []string{"flickr8k"}
}

// Recordings returns the recorded runs of this notebook's experiment: on its dataset and on Flickr8k, as far as they are there.
// Fails where there is none.
func (l *Lab) Recordings() ([]report.Group, error) {
	var out []report.Group
	for _, name := range l.WithFlickr8k() {
		groups, err := l.Results(name)
		if err != nil {
			continue // no run of any experiment
		}
		out = append(out, Only(groups, l.Experiment.Name)...)
	}
	if len(out) == 0 {
		_, err := l.Result(l.Dataset.Name(), l.Experiment.Name)
		return nil, err
	}
	return out, nil
}

// Holds tells whether the pictures of a recorded run are those of this notebook's dataset.
func (l *Lab) Holds(r report.Run) bool {
	return r.Dataset == l.Dataset.Name() && r.Fingerprint == l.fingerprint
}

// RecordedIDs are the test pictures of a recorded run from the best caption to the worst, by CIDEr-D of the single picture.
func RecordedIDs(r report.Run) []string {
	images := slices.Clone(r.Coco.Images)
	slices.SortStableFunc(images, func(a, b score.CocoImage) int { return cmp.Compare(b.CIDEr, a.CIDEr) })
	var ids []string
	for _, image := range images {
		ids = append(ids, string(image.ID))
	}
	return ids
}

// Recorded shows the captions that a recorded run generated for n test pictures, evenly from the best to the worst by CIDEr-D:
// as a gallery where the pictures are those of this notebook's dataset, and as a table of their ids elsewhere.
func (l *Lab) Recorded(r report.Run, n int) (template.HTML, error) {
	ids := RecordedIDs(r)
	cider := make(map[score.ID]float64)
	for _, image := range r.Coco.Images {
		cider[image.ID] = 100 * image.CIDEr
	}
	examples := make(map[string]datasets.Example)
	if l.Holds(r) {
		for _, ex := range l.Dataset.Examples(datasets.Test) {
			examples[ex.ID] = ex
		}
	}
	var rows [][]string
	var cards []Card
	for i := range min(n, len(ids)) {
		id := ids[i*(len(ids)-1)/max(1, n-1)]
		caption, mark := r.Captions[score.ID(id)], fmt.Sprintf("%.0f", cider[score.ID(id)])
		if ex, ok := examples[id]; ok {
			card, err := l.Cards([]datasets.Example{ex}, 160)
			if err != nil {
				return "", err
			}
			card[0].Caption, card[0].Note = caption, template.HTML(`<div style="font-size:12px;color:#2b6cb0">CIDEr-D `+mark+`</div>`)
			cards = append(cards, card...)
			continue
		}
		rows = append(rows, []string{id, caption, mark})
	}
	if len(cards) > 0 {
		return Gallery(cards)
	}
	return Table([]string{"picture", "generated caption", "CIDEr-D"}, rows), nil
}

// RecordedCurve draws the training and the validation loss of a recorded run by epoch.
func RecordedCurve(r report.Run) (template.HTML, error) {
	folder, err := ResultsFolder()
	if err != nil {
		return "", err
	}
	curve, err := captioning.ReadCurve(filepath.Join(folder, filepath.FromSlash(r.Folder)))
	if err != nil {
		return "", err
	}
	return LossCurve(r.Folder, curve)
}

// ValidationCurves draws the validation losses of the first run of each experiment into one diagram.
func ValidationCurves(title string, groups []report.Group) (template.HTML, error) {
	var lines []Line
	for _, g := range groups {
		line := Line{Name: g.Name}
		for _, p := range g.Runs[0].Curve {
			line.X, line.Y = append(line.X, float64(p.Epoch)), append(line.Y, p.Val)
		}
		lines = append(lines, line)
	}
	return Curves(title, "epoch", "validation loss in nats per token", lines...)
}

// Comparison shows the named experiments side by side: their numbers, and their validation curves. It notes those that have no
// run yet among groups, and shows no numbers where that leaves nothing to compare.
func Comparison(title string, groups []report.Group, names ...string) error {
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
		Note("Nothing to compare yet: not recorded are %s.", strings.Join(missing, ", "))
	default:
		Note("Not recorded yet: %s.", strings.Join(missing, ", "))
	}
	return nil
}

// Only returns the groups of the named experiments, in the order of the names, and leaves out those that have no run yet.
func Only(groups []report.Group, names ...string) []report.Group {
	var out []report.Group
	for _, name := range names {
		if i := slices.IndexFunc(groups, func(g report.Group) bool { return g.Name == name }); i >= 0 {
			out = append(out, groups[i])
		}
	}
	return out
}

// ShowGaps notes what the records of a dataset, as Results returns them, still lack: experiments without a run, and runs that
// an earlier version of the training code made. It shows nothing where nothing is lacking.
func ShowGaps(groups []report.Group) error {
	declared, err := experiment.Declared()
	if err != nil || len(groups) == 0 {
		return err
	}
	dataset := groups[0].Runs[0].Dataset
	var missing, old []string
	for _, e := range declared {
		switch g := Only(groups, e.Name); {
		case len(g) == 0:
			missing = append(missing, e.Name)
		case len(g[0].Runs) < e.Seeds:
			missing = append(missing, fmt.Sprintf("%s (%d of %d seeds are there)", e.Name, len(g[0].Runs), e.Seeds))
		}
	}
	for _, g := range groups {
		if slices.ContainsFunc(g.Runs, func(r report.Run) bool { return r.Model != experiment.ModelVersion }) {
			old = append(old, g.Name)
		}
	}
	if len(missing) > 0 {
		Note("Not recorded on %s yet: %s. To make what is missing, quickest first: captionlab reproduce --dataset %s", dataset, strings.Join(missing, ", "), dataset)
	}
	if len(old) > 0 {
		Note("Made by an earlier version of the training code, and a little different when made again: %s.", strings.Join(old, ", "))
	}
	return nil
}
