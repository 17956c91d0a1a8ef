package score

import (
	"errors"
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
	numbers []float64 // one row for each image, with the columns of all metrics
	widths  []int     // columns of each metric
	width   int       // of a row
	values  []float64
}

// Measure scores captions with any metrics, built-in or custom (see [Select]). The default of Options.Tokens is "ptb".
// Measure fails if two scores have the same name or a metric returns the wrong number of values.
func Measure(refs References, captions []Caption, metrics []Metric, o Options) (*Scores, error) {
	s, err := measure(refs, captions, metrics, o, nil)
	if err != nil {
		return nil, err
	}
	if err := s.addUp(); err != nil {
		return nil, fmt.Errorf("measure: %w", err)
	}
	return s, nil
}

// checkNames fails if there are no metrics or two scores have the same name.
func checkNames(metrics []Metric) error {
	names := scoreNames(metrics)
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("two scores are named %q: rename one", name)
		}
	}
	if len(names) == 0 {
		return errors.New("no metrics given")
	}
	return nil
}

// measure computes the rows of those images for which holds is true, of all if it is nil.
func measure(refs References, captions []Caption, metrics []Metric, o Options, holds func(ID) bool) (*Scores, error) {
	if o.Tokens == "" {
		o.Tokens = "ptb"
	}
	if err := checkNames(metrics); err != nil {
		return nil, fmt.Errorf("measure: %w", err)
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
	s := &Scores{Count: p.Len(), Tokens: o.Tokens, Left: left, metrics: metrics, images: p.ids}
	place := func(i int) int { return i }
	if holds != nil {
		places := make([]int, p.Len())
		s.images, s.Count = nil, 0
		for i, id := range p.ids {
			if places[i] = -1; holds(id) {
				places[i] = s.Count
				s.images = append(s.images, id)
				s.Count++
			}
		}
		place = func(i int) int { return places[i] }
	}
	if err := s.compute(p, place); err != nil {
		return nil, fmt.Errorf("measure: %w", err)
	}
	return s, nil
}

// compute fills numbers, widths and width. Place returns the row of image i of p, or -1 if it is left out.
func (s *Scores) compute(p *Prepared, place func(i int) int) error {
	fills := make([]func(i int, g *segment, row []float64) error, len(s.metrics))
	s.widths = make([]int, len(s.metrics))
	for k, m := range s.metrics {
		fills[k], s.widths[k] = m.fill(p)
		s.width += s.widths[k]
	}
	s.numbers = make([]float64, s.Count*s.width)
	wrong := make([]error, len(p.blocks))
	inParallelWith(len(p.blocks), func() func(int) {
		g := &segment{width: p.width}
		return func(b int) {
			for i := b * p.blockSize; i < min(p.Len(), (b+1)*p.blockSize) && wrong[b] == nil; i++ {
				if place(i) < 0 {
					continue
				}
				p.blocks[b].load(g, i-b*p.blockSize)
				row := s.row(place(i))
				for k, fill := range fills {
					wrong[b] = errors.Join(wrong[b], fill(i, g, row[:s.widths[k]]))
					row = row[s.widths[k]:]
				}
			}
		}
	})
	if i := slices.IndexFunc(wrong, func(err error) bool { return err != nil }); i >= 0 {
		return wrong[i]
	}
	return nil
}

// fill returns the function that writes the metric's columns of image i, whose segment is g, and their number.
func (m Metric) fill(p *Prepared) (fill func(i int, g *segment, row []float64) error, columns int) {
	if m.prepare != nil {
		ours := m.prepare(p)
		return func(_ int, g *segment, row []float64) error {
			ours(g, row)
			return nil
		}, m.columns
	}
	theirs := m.Prepare(p)
	columns = len(theirs(0))
	return func(i int, _ *segment, row []float64) error {
		numbers := theirs(i)
		if len(numbers) != columns {
			return fmt.Errorf("metric %s has %d numbers for image %s, %d for image %s: return as many for each",
				m.Name, len(numbers), p.ID(i), columns, p.ID(0))
		}
		copy(row, numbers)
		return nil
	}, columns
}

// addUp fills values.
func (s *Scores) addUp() error {
	sum := make([]float64, s.width)
	for i := range s.Count {
		for k, x := range s.row(i) {
			sum[k] += x
		}
	}
	at := 0
	for k, m := range s.metrics {
		scores := m.total(sum[at:at+s.widths[k]], s.Count)
		if len(scores) != len(m.scores()) {
			return fmt.Errorf("metric %s returned %d scores for the names %q: return one each",
				m.Name, len(scores), m.scores())
		}
		s.values = append(s.values, scores...)
		at += s.widths[k]
	}
	return nil
}

// row returns the numbers of image i.
func (s *Scores) row(i int) []float64 { return s.numbers[i*s.width : (i+1)*s.width : (i+1)*s.width] }

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
func (s *Scores) ImageValues(i int) []float64 { return totals(s.metrics, s.widths)(s.row(i), 1) }

func (s *Scores) ids() []ID { return s.images }

func (s *Scores) statistics() ([][]float64, func([]float64, int) []float64) {
	rows := make([][]float64, s.Count)
	for i := range rows {
		rows[i] = s.row(i)
	}
	return rows, totals(s.metrics, s.widths)
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
