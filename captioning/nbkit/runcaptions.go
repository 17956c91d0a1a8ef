package nbkit

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"

	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// RankedIDs returns the test images of a recorded run from the best caption to the worst, by CIDEr-D of the single
// image.
func RankedIDs(r report.Run) []string {
	images := slices.Clone(r.Coco.Images)
	slices.SortStableFunc(images, func(a, b score.CocoImage) int { return cmp.Compare(b.CIDEr, a.CIDEr) })
	var ids []string
	for _, image := range images {
		ids = append(ids, string(image.ID))
	}
	return ids
}

// evenly picks n of all, evenly from the first to the last.
func evenly[T any](all []T, n int) []T {
	n = min(n, len(all))
	var out []T
	for i := range n {
		out = append(out, all[i*(len(all)-1)/max(1, n-1)])
	}
	return out
}

// RunCaptions shows the captions that a recorded run generated for n test images, evenly from the best to the worst by
// CIDEr-D: as a gallery if the images are those of this notebook's dataset, as a table of their ids otherwise.
func (l *Lab) RunCaptions(r report.Run, n int) (template.HTML, error) {
	cider := make(map[string]float64)
	for _, image := range r.Coco.Images {
		cider[string(image.ID)] = 100 * image.CIDEr
	}
	ids := evenly(RankedIDs(r), n)
	if !l.Holds(r) {
		var rows [][]string
		for _, id := range ids {
			rows = append(rows, []string{id, r.Captions[score.ID(id)], fmt.Sprintf("%.0f", cider[id])})
		}
		return Table([]string{"image", "generated caption", "CIDEr-D"}, rows), nil
	}
	examples, err := l.testExamples(r, ids)
	if err != nil {
		return "", err
	}
	cards, err := l.Cards(examples, 160)
	if err != nil {
		return "", err
	}
	for i := range cards {
		id := cards[i].Title
		cards[i].Caption, cards[i].Note = r.Captions[score.ID(id)], Text("CIDEr-D %.0f", cider[id])
	}
	return Gallery(cards)
}

// BestToWorst returns gallery cards of n test images with the captions of a run, evenly from the best to the worst
// BLEU-4 (pa4), each with its scores. It fails if the run is on another dataset than this notebook.
func (l *Lab) BestToWorst(r report.Run, n, side int) ([]Card, error) {
	images := slices.Clone(r.PA4.Images)
	slices.SortStableFunc(images, func(a, b score.PA4Image) int { return cmp.Compare(b.BLEU4, a.BLEU4) })
	images = evenly(images, n)
	var ids []string
	for _, image := range images {
		ids = append(ids, string(image.ID))
	}
	examples, err := l.testExamples(r, ids)
	if err != nil {
		return nil, err
	}
	cards, err := l.Cards(examples, side)
	for i := range cards {
		cards[i].Caption, cards[i].Note = r.Captions[images[i].ID], bleuNote(images[i])
	}
	return cards, err
}

func bleuNote(image score.PA4Image) template.HTML {
	return Text("BLEU-1 %.1f, BLEU-4 %.1f", image.BLEU1, image.BLEU4)
}

// testExamples returns the examples of a run's test images in the order of ids.
func (l *Lab) testExamples(r report.Run, ids []string) ([]datasets.Example, error) {
	all := make(map[string]datasets.Example)
	for _, ex := range l.Dataset.Examples(datasets.Test) {
		all[ex.ID] = ex
	}
	var out []datasets.Example
	for _, id := range ids {
		ex, ok := all[id]
		if !ok {
			return nil, fmt.Errorf("%s has a caption of %s, which is not a test image of %s: use a run on the "+
				"dataset that the settings cell names", r.Folder, id, l.Dataset.Name())
		}
		out = append(out, ex)
	}
	return out, nil
}

// RunCurve draws the training and the validation loss of a recorded run by epoch.
func RunCurve(r report.Run) (template.HTML, error) {
	return LossCurve(r.Folder, r.Curve)
}
