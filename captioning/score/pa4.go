package score

// PA4Scores are the scores of the paper's protocol, from 0 to 100: means of sentence scores over images.
type PA4Scores struct {
	BLEU1           float64    `json:"bleu1"`
	BLEU4           float64    `json:"bleu4"`
	BLEU4Individual float64    `json:"bleu4_individual"` // only the 4-gram precision, as in the starter code
	Images          []PA4Image `json:"images,omitempty"`
	Count           int        `json:"count"`
	Tokens          string     `json:"tokens"`
	Left
}

// PA4Image holds the scores of one image.
type PA4Image struct {
	ID              ID      `json:"image_id"`
	BLEU1           float64 `json:"bleu1"`
	BLEU4           float64 `json:"bleu4"`
	BLEU4Individual float64 `json:"bleu4_individual"`
}

// PA4 scores captions as the paper does: NLTK's sentence BLEU with smoothing method 1 against all references. The
// default of Options.Tokens is "whitespace".
func PA4(refs References, captions []Caption, o Options) (*PA4Scores, error) {
	if o.Tokens == "" {
		o.Tokens = "whitespace"
	}
	m, err := Measure(refs, captions, pa4Metrics, o)
	if err != nil {
		return nil, err
	}
	s := &PA4Scores{Images: make([]PA4Image, m.Count), Count: m.Count, Tokens: m.Tokens, Left: m.Left}
	for i := range s.Images {
		row := m.row(i)
		s.Images[i] = PA4Image{m.images[i], row[0], row[1], row[2]}
	}
	s.average()
	return s, nil
}

// average computes the scores from those of the images. It divides before it sums, as the recorded scores did: their
// last bits depend on it.
func (s *PA4Scores) average() {
	n := float64(len(s.Images))
	for _, image := range s.Images {
		s.BLEU1 += image.BLEU1 / n
		s.BLEU4 += image.BLEU4 / n
		s.BLEU4Individual += image.BLEU4Individual / n
	}
}

// Metrics returns the names BLEU-1, BLEU-4 and BLEU-4 individual.
func (s *PA4Scores) Metrics() []string { return scoreNames(pa4Metrics) }

// Values returns the scores in the order of Metrics.
func (s *PA4Scores) Values() []float64 { return []float64{s.BLEU1, s.BLEU4, s.BLEU4Individual} }

// Value returns the score of that name.
func (s *PA4Scores) Value(metric string) (float64, bool) { return value(s, metric) }

// Scale returns 1: the scores are from 0 to 100 already.
func (s *PA4Scores) Scale(metric string) float64 { return scale(pa4Metrics, metric) }

func (s *PA4Scores) ids() []ID {
	ids := make([]ID, len(s.Images))
	for i, image := range s.Images {
		ids[i] = image.ID
	}
	return ids
}

func (s *PA4Scores) statistics() ([][]float64, func([]float64, int) []float64) {
	rows := make([][]float64, len(s.Images))
	for i, image := range s.Images {
		rows[i] = []float64{image.BLEU1, image.BLEU4, image.BLEU4Individual}
	}
	return rows, totals(pa4Metrics, []int{3})
}
