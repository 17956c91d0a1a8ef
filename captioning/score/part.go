package score

import (
	"errors"
	"fmt"
	"slices"
)

// Part holds what the metrics say of some of the scored images: one row of numbers each. The rows of all images, put
// together by [Join], have the scores of [Measure].
type Part struct {
	Images []ID  // those of the part, sorted
	Widths []int // numbers of each metric in a row
	Rows   []float64
}

// Images returns the images that Measure would score, sorted, and how many it would leave out. It fails where Measure
// does, unless it is for the metrics or a text.
func Images(refs References, captions []Caption, o Options) ([]ID, Left, error) {
	pairs, left, err := pairUp(refs, captions, o.AllowMissing)
	if err != nil {
		return nil, left, err
	}
	ids := make([]ID, len(pairs.captions))
	for i, at := range pairs.byID {
		ids[i] = pairs.captions[at].ID
	}
	return ids, left, nil
}

// MeasurePart computes the rows of the images for which holds is true. It takes all captions and references, as Measure
// does, and reads all of them: a caption is tokenized with its neighbours, and CIDEr-D weighs words by how many images
// have them.
func MeasurePart(refs References, captions []Caption, metrics []Metric, o Options, holds func(ID) bool) (*Part, error) {
	s, err := measure(refs, captions, metrics, o, holds)
	if err != nil {
		return nil, err
	}
	return &Part{s.images, s.widths, s.numbers}, nil
}

// Row returns the numbers of image i of the part.
func (p *Part) Row(i int) []float64 {
	width := 0
	for _, w := range p.Widths {
		width += w
	}
	return p.Rows[i*width : (i+1)*width : (i+1)*width]
}

// Join returns the scores of a part that has all images, in their order; left is what Images returned for them. The
// metrics are those of MeasurePart, of which Join calls Total only. It fails if the part does not fit them.
func Join(all *Part, metrics []Metric, tokens string, left Left) (*Scores, error) {
	s := &Scores{Count: len(all.Images), Tokens: tokens, Left: left, metrics: metrics, images: all.Images,
		numbers: all.Rows, widths: all.Widths}
	for _, w := range s.widths {
		s.width += w
	}
	err := checkNames(metrics)
	switch {
	case err != nil:
	case len(all.Images) == 0:
		err = errors.New("no images")
	case !slices.IsSorted(all.Images):
		err = errors.New("the images are not sorted")
	case len(s.widths) != len(metrics) || len(s.numbers) != s.Count*s.width:
		err = fmt.Errorf("%d numbers of %d images in rows of %v, for %d metrics", len(s.numbers), s.Count, s.widths,
			len(metrics))
	default:
		err = s.addUp()
	}
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	return s, nil
}
