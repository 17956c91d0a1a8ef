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

// withoutFirst takes the first reference of each test picture as a caption that a person made, and leaves the others as
// references. Pictures with a single reference are left out.
func (l *Lab) withoutFirst() (Source, score.References) {
	people, others := Source{Name: "a person: the first reference"}, make(score.References)
	for _, ex := range l.Dataset.Examples(datasets.Test) {
		if len(ex.Captions) > 1 {
			id := score.ID(ex.ID)
			people.Captions, others[id] = append(people.Captions, score.Caption{ID: id, Text: ex.Captions[0]}), ex.Captions[1:]
		}
	}
	return people, others
}

// PeopleTable scores people as if they were models: the first reference of each test picture against the others. The captions of
// a run are scored against the same references.
func (l *Lab) PeopleTable(r report.Run) (template.HTML, error) {
	people, others := l.withoutFirst()
	return scoreSources(others, []Source{people, FromRun(r)})
}

// GoodButLow are the n test pictures whose first reference, a caption that a person made, has the lowest BLEU-4 (pa4's, smoothed)
// against the others, as gallery cards with that caption on top. Equals come in the order of the split.
func (l *Lab) GoodButLow(n, side int) ([]Card, error) {
	people, others := l.withoutFirst()
	scores, err := score.PA4(others, people.Captions, score.Options{})
	if err != nil {
		return nil, err
	}
	bleu := make(map[string]score.PA4Image)
	for _, image := range scores.Images {
		bleu[string(image.ID)] = image
	}
	examples := slices.DeleteFunc(slices.Clone(l.Dataset.Examples(datasets.Test)), func(ex datasets.Example) bool { return len(ex.Captions) < 2 })
	slices.SortStableFunc(examples, func(a, b datasets.Example) int { return cmp.Compare(bleu[a.ID].BLEU4, bleu[b.ID].BLEU4) })
	cards, err := l.Cards(examples[:min(n, len(examples))], side)
	for i := range cards {
		c := &cards[i]
		c.Caption, c.References = c.References[0], c.References[1:]
		c.Note = Text("BLEU-1 %.1f, BLEU-4 %.1f", bleu[c.Title].BLEU1, bleu[c.Title].BLEU4)
	}
	return cards, err
}

// AcrossScores are n test pictures with the captions of a run, evenly from the best to the worst BLEU-4 (pa4's), each with its
// scores. The pictures must be those of this notebook's dataset.
func (l *Lab) AcrossScores(r report.Run, n, side int) ([]Card, error) {
	examples := make(map[score.ID]datasets.Example)
	for _, ex := range l.Dataset.Examples(datasets.Test) {
		examples[score.ID(ex.ID)] = ex
	}
	images := slices.Clone(r.PA4.Images)
	slices.SortStableFunc(images, func(a, b score.PA4Image) int { return cmp.Compare(b.BLEU4, a.BLEU4) })
	n = min(n, len(images))
	var chosen []datasets.Example
	for i := range n {
		at := images[0]
		if n > 1 {
			at = images[i*(len(images)-1)/(n-1)]
		}
		ex, ok := examples[at.ID]
		if !ok {
			return nil, fmt.Errorf("%s has a caption of %s, which is no test picture of %s: take a run on the dataset that the settings cell names", r.Folder, at.ID, l.Dataset.Name())
		}
		chosen = append(chosen, ex)
	}
	cards, err := l.Cards(chosen, side)
	for i := range cards {
		c := &cards[i]
		id := score.ID(c.Title)
		image := images[slices.IndexFunc(images, func(image score.PA4Image) bool { return image.ID == id })]
		c.Caption, c.Note = r.Captions[id], Text("BLEU-1 %.1f, BLEU-4 %.1f", image.BLEU1, image.BLEU4)
	}
	return cards, err
}
