package score

// CocoScores are the scores of protocol coco, from 0 to 1, CIDEr from 0 to 10.
type CocoScores struct {
	BLEU    [4]float64  `json:"bleu"` // BLEU-1 to BLEU-4
	ROUGEL  float64     `json:"rouge_l"`
	CIDEr   float64     `json:"cider"` // CIDEr-D
	Overlap Overlap     `json:"overlap"`
	Images  []CocoImage `json:"images,omitempty"`
	Count   int         `json:"count"` // images
	Tokens  string      `json:"tokens"`
	Left
}

// CocoImage holds the scores of one image.
type CocoImage struct {
	ID     ID         `json:"image_id"`
	BLEU   [4]float64 `json:"bleu"`
	ROUGEL float64    `json:"rouge_l"`
	CIDEr  float64    `json:"cider"`

	overlap Overlap
}

// Value returns the image's score of that name, from 0 to 1, CIDEr-D to 10.
func (i CocoImage) Value(metric string) (float64, bool) {
	for k, name := range (*CocoScores)(nil).Metrics() {
		if name == metric {
			return append(i.BLEU[:], i.ROUGEL, i.CIDEr)[k], true
		}
	}
	return 0, false
}

// Both scores captions in both protocols, each with its own tokenizer.
func Both(refs References, captions []Caption) (*CocoScores, *PA4Scores, error) {
	coco, err := Coco(refs, captions, Options{})
	if err != nil {
		return nil, nil, err
	}
	pa4, err := PA4(refs, captions, Options{})
	if err != nil {
		return nil, nil, err
	}
	return coco, pa4, nil
}

// Coco scores captions as coco-caption does: corpus BLEU with the closest reference length, ROUGE-L and CIDEr-D as
// means over images, document frequencies from the references of the scored images unless Options.Frequencies has
// others. The default of Options.Tokens is "ptb".
func Coco(refs References, captions []Caption, o Options) (*CocoScores, error) {
	m, err := Measure(refs, captions, cocoMetrics, o)
	if err != nil {
		return nil, err
	}
	s := &CocoScores{Images: make([]CocoImage, m.Count), Count: m.Count, Tokens: m.Tokens, Left: m.Left}
	inParallel(m.Count, func(i int) {
		row := m.row(i)
		overlap := overlapOf(row[:overlapWidth])
		s.Images[i] = CocoImage{m.images[i], overlap.bleu(), row[overlapWidth], row[overlapWidth+1], overlap}
	})
	for _, image := range s.Images {
		s.Overlap.add(image.overlap)
	}
	s.BLEU, s.ROUGEL, s.CIDEr = s.Overlap.bleu(), m.values[maxOrder], m.values[maxOrder+1]
	return s, nil
}

// Metrics returns the names BLEU-1 to BLEU-4, ROUGE-L and CIDEr-D.
func (s *CocoScores) Metrics() []string { return scoreNames(cocoMetrics) }

// Values returns the scores in the order of Metrics.
func (s *CocoScores) Values() []float64 { return append(s.BLEU[:], s.ROUGEL, s.CIDEr) }

// Value returns the score of that name.
func (s *CocoScores) Value(metric string) (float64, bool) { return value(s, metric) }

// Scale returns 100 for every score of the protocol.
func (s *CocoScores) Scale(metric string) float64 { return scale(cocoMetrics, metric) }

func (s *CocoScores) ids() []ID {
	ids := make([]ID, len(s.Images))
	for i, image := range s.Images {
		ids[i] = image.ID
	}
	return ids
}

// statistics builds the rows from Images, which ReadImages fills too. CIDEr-D keeps the document frequencies of all
// images, whichever are drawn.
func (s *CocoScores) statistics() ([][]float64, func([]float64, int) []float64) {
	rows := make([][]float64, len(s.Images))
	for i, image := range s.Images {
		rows[i] = append(image.overlap.row(), image.ROUGEL, image.CIDEr)
	}
	return rows, totals(cocoMetrics, []int{overlapWidth, 1, 1})
}
