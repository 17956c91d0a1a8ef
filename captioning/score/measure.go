package score

import (
	"fmt"
	"slices"
)

// Corpus is the result of scoring captions: *CocoScores, *PA4Scores or *Scores.
type Corpus interface {
	// Metrics returns the names of the scores, as in "BLEU-4", in a fixed order.
	Metrics() []string
	// Values returns the scores in the order of Metrics, not multiplied by their scale.
	Values() []float64
	// Value returns the score of that name, and whether the corpus has it.
	Value(metric string) (float64, bool)
	// Scale returns the factor that the score of that name is multiplied by for printing, 1 for an unknown name.
	Scale(metric string) float64
	// ids returns the scored images, sorted.
	ids() []ID
	// statistics returns one row of numbers for each image, and the function that turns the sum of the rows of n
	// images into scores.
	statistics() (rows [][]float64, total func(sum []float64, n int) []float64)
}

// Scores are the scores of the metrics that were given to Measure.
type Scores struct {
	Count  int // images
	Tokens string
	Left

	metrics []Metric
	images  []ID
	rows    [][]float64 // of each image, those of all metrics joined
	widths  []int       // columns of each metric
	values  []float64
}

// Measure scores captions with any metrics, built-in or custom (see [Select]). The default of Options.Tokens is "ptb".
// Measure fails if two scores have the same name or a metric returns the wrong number of values.
func Measure(refs References, captions []Caption, metrics []Metric, o Options) (*Scores, error) {
	if o.Tokens == "" {
		o.Tokens = "ptb"
	}
	names := scoreNames(metrics)
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("measure: two scores are named %q: rename one", name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("measure: no metrics given")
	}
	for _, m := range metrics {
		if m.Prepare == nil {
			return nil, fmt.Errorf("measure: metric %s has no Prepare", m.Name)
		}
	}
	p, left, err := prepare(refs, captions, o)
	if err != nil {
		return nil, err
	}
	s := &Scores{Count: p.Len(), Tokens: o.Tokens, Left: left, metrics: metrics}
	for i := range p.Len() {
		s.images = append(s.images, p.ID(i))
	}
	if err := s.compute(p); err != nil {
		return nil, fmt.Errorf("measure: %w", err)
	}
	return s, nil
}

// compute fills rows, widths and values.
func (s *Scores) compute(p *Prepared) error {
	rows := make([]func(i int) []float64, len(s.metrics))
	s.widths = make([]int, len(s.metrics))
	width := 0
	for k, m := range s.metrics {
		rows[k] = m.Prepare(p)
		s.widths[k] = len(rows[k](0))
		width += s.widths[k]
	}
	s.rows = make([][]float64, p.Len())
	numbers := make([]float64, p.Len()*width)
	wrong := make([]error, p.Len())
	inParallel(p.Len(), func(i int) {
		joined := numbers[i*width : (i+1)*width : (i+1)*width]
		s.rows[i] = joined
		for k, row := range rows {
			one := row(i)
			if len(one) != s.widths[k] {
				wrong[i] = fmt.Errorf("metric %s has %d numbers for image %s, %d for image %s: return as many for each",
					s.metrics[k].Name, len(one), p.ID(i), s.widths[k], p.ID(0))
				return
			}
			copy(joined, one)
			joined = joined[len(one):]
		}
	})
	for _, err := range wrong {
		if err != nil {
			return err
		}
	}
	sum := make([]float64, width)
	for _, row := range s.rows {
		for k, x := range row {
			sum[k] += x
		}
	}
	at := 0
	for k, m := range s.metrics {
		scores := m.total(sum[at:at+s.widths[k]], p.Len())
		if len(scores) != len(m.scores()) {
			return fmt.Errorf("metric %s returned %d scores for the names %q: return one each",
				m.Name, len(scores), m.scores())
		}
		s.values = append(s.values, scores...)
		at += s.widths[k]
	}
	return nil
}

// Metrics returns the names of the scores.
func (s *Scores) Metrics() []string { return scoreNames(s.metrics) }

// Values returns the scores in the order of Metrics.
func (s *Scores) Values() []float64 { return slices.Clone(s.values) }

// Value returns the score of that name.
func (s *Scores) Value(metric string) (float64, bool) { return value(s, metric) }

// Scale returns the Scale of the metric that has the score of that name.
func (s *Scores) Scale(metric string) float64 { return scale(s.metrics, metric) }

// Images returns the ids of the scored images, in the order of ImageValues.
func (s *Scores) Images() []ID { return slices.Clone(s.images) }

// ImageValues returns the scores of image i alone, in the order of Metrics.
func (s *Scores) ImageValues(i int) []float64 { return totals(s.metrics, s.widths)(s.rows[i], 1) }

func (s *Scores) ids() []ID { return s.images }

func (s *Scores) statistics() ([][]float64, func([]float64, int) []float64) {
	return s.rows, totals(s.metrics, s.widths)
}

func value(c Corpus, metric string) (float64, bool) {
	if i := slices.Index(c.Metrics(), metric); i >= 0 {
		return c.Values()[i], true
	}
	return 0, false
}

func scale(metrics []Metric, name string) float64 {
	for _, m := range metrics {
		if slices.Contains(m.scores(), name) && m.Scale != 0 {
			return m.Scale
		}
	}
	return 1
}
