package nbkit

import (
	"cmp"
	"html/template"
	"slices"

	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// withoutFirst takes the first reference of each test image as a caption by a person, and the others as its
// references. It leaves out images with a single reference.
func (l *Lab) withoutFirst() (Source, score.References) {
	people, others := Source{Name: "a person: the first reference"}, make(score.References)
	for _, ex := range l.Dataset.Examples(datasets.Test) {
		if len(ex.Captions) > 1 {
			id := score.ID(ex.ID)
			people.Captions = append(people.Captions, score.Caption{ID: id, Text: ex.Captions[0]})
			others[id] = ex.Captions[1:]
		}
	}
	return people, others
}

// PeopleTable scores people as if they were a model: the first reference of each test image against the others. The
// captions of a run are scored against the same references.
func (l *Lab) PeopleTable(r report.Run) (template.HTML, error) {
	people, others := l.withoutFirst()
	return scoreSources(others, []Source{people, FromRun(r)})
}

// LowestReferences returns gallery cards of the n test images whose first reference, a caption by a person, has the
// lowest BLEU-4 (pa4, smoothed) against the others. That reference is the card's caption. Equal scores keep the order
// of the split.
func (l *Lab) LowestReferences(n, side int) ([]Card, error) {
	people, others := l.withoutFirst()
	scores, err := score.PA4(others, people.Captions, score.Options{})
	if err != nil {
		return nil, err
	}
	bleu := make(map[string]score.PA4Image)
	for _, image := range scores.Images {
		bleu[string(image.ID)] = image
	}
	examples := slices.DeleteFunc(slices.Clone(l.Dataset.Examples(datasets.Test)),
		func(ex datasets.Example) bool { return len(ex.Captions) < 2 })
	slices.SortStableFunc(examples, func(a, b datasets.Example) int {
		return cmp.Compare(bleu[a.ID].BLEU4, bleu[b.ID].BLEU4)
	})
	cards, err := l.Cards(examples[:min(n, len(examples))], side)
	for i := range cards {
		c := &cards[i]
		c.Caption, c.References, c.Note = c.References[0], c.References[1:], bleuNote(bleu[c.Title])
	}
	return cards, err
}
