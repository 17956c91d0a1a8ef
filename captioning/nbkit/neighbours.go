package nbkit

import (
	"fmt"
	"html"
	"html/template"
	"math/rand/v2"
	"slices"

	"captionlab/captioning/encoder"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// Neighbours shows for each image the n training images nearest to it in feature space, each with its cosine similarity
// and its first caption.
func (l *Lab) Neighbours(n int, ids ...string) (template.HTML, error) {
	features, err := l.Features()
	if err != nil {
		return "", err
	}
	captions := l.firstCaptions()
	train := IDs(l.Dataset.Examples(datasets.Train))
	cell := func(id, title string) (template.HTML, error) {
		image, err := l.Image(id, 120)
		return template.HTML(fmt.Sprintf(`<div style="width:128px"><b>%s</b><br>%s%s</div>`,
			html.EscapeString(title), imageTag(image, id, 120), Text("%s", captions[id]))), err
	}
	var rows [][]template.HTML
	for _, id := range ids {
		vector, err := l.row(id)
		if err != nil {
			return "", err
		}
		others := slices.DeleteFunc(slices.Clone(train), func(other string) bool { return other == id })
		nearest, err := features.Nearest(vector, n, others)
		if err != nil {
			return "", err
		}
		first, err := cell(id, "image")
		if err != nil {
			return "", err
		}
		row := []template.HTML{first}
		for _, near := range nearest {
			next, err := cell(near.ID, fmt.Sprintf("cosine %.3f", near.Similarity))
			if err != nil {
				return "", err
			}
			row = append(row, next)
		}
		rows = append(rows, row)
	}
	return Table(nil, rows), nil
}

func (l *Lab) firstCaptions() map[string]string {
	captions := make(map[string]string)
	for _, split := range datasets.Splits {
		for _, ex := range l.Dataset.Examples(split) {
			captions[ex.ID] = ex.Captions[0]
		}
	}
	return captions
}

// Copied holds captions that were copied from training images, and the cosine similarities of these images.
type Copied struct {
	Captions     []score.Caption
	Similarities []float64
}

// Copies are the captions of test images, copied from the nearest training image and from one drawn at random.
type Copies struct{ Nearest, Random Copied }

// CopyNearest captions the first n test images without a decoder: each gets the first caption of a training image.
func (l *Lab) CopyNearest(n int) (Copies, error) {
	var out Copies
	features, err := l.Features()
	if err != nil {
		return out, err
	}
	captions := l.firstCaptions()
	train := slices.DeleteFunc(IDs(l.Dataset.Examples(datasets.Train)), func(id string) bool {
		_, ok := features.Row(id)
		return !ok
	})
	draw := rand.New(rand.NewPCG(uint64(l.Seed), 0))
	for _, ex := range l.TestExamples(n) {
		if err := l.Context.Err(); err != nil {
			return out, err
		}
		vector, err := l.row(ex.ID)
		if err != nil {
			return out, err
		}
		near, err := features.Nearest(vector, 1, train)
		if err != nil {
			return out, err
		}
		drawn, err := features.Nearest(vector, 1, []string{train[draw.IntN(len(train))]})
		if err != nil {
			return out, err
		}
		out.Nearest.add(ex.ID, near[0], captions)
		out.Random.add(ex.ID, drawn[0], captions)
	}
	return out, nil
}

func (c *Copied) add(id string, from encoder.Neighbour, captions map[string]string) {
	c.Captions = append(c.Captions, score.Caption{ID: score.ID(id), Text: captions[from.ID]})
	c.Similarities = append(c.Similarities, from.Similarity)
}
