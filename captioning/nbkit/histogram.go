package nbkit

import (
	"fmt"
	"html/template"
	"math"
	"slices"

	"captionlab/captioning/internal/chart"
)

// Sample is a set of values for a histogram.
type Sample struct {
	Name   string
	Values []float64
}

// Histogram draws the share of each sample's values in bins of the given width, in percent, so that samples of
// different sizes are comparable. unit says what the values belong to, as in "captions". Bins are centred on
// multiples of the width: with a width of 1, each whole number has its own bin.
func Histogram(unit, xLabel string, width float64, samples ...Sample) (template.HTML, error) {
	if !(width > 0) {
		return "", fmt.Errorf("histogram of %s: bin width %g: use a width above 0", unit, width)
	}
	c := chart.Chart{X: xLabel, Left: "% of " + unit}
	for _, s := range samples {
		bins, err := shares(s.Values, width)
		if err != nil {
			return "", fmt.Errorf("histogram of %s, sample %q: %w", unit, s.Name, err)
		}
		if len(bins) > 0 {
			c.Series = append(c.Series, chart.Series{Name: s.Name, Points: bins, Bars: width})
		}
	}
	return drawn(c), nil
}

// maxBins limits the number of bins: more would be thinner than a line.
const maxBins = 400

// shares sorts values into bins centred on multiples of width, from the lowest value's bin to the highest's. It returns
// each bin's centre and its share of the values in percent.
func shares(values []float64, width float64) ([][2]float64, error) {
	if len(values) == 0 {
		return nil, nil
	}
	low, high := slices.Min(values), slices.Max(values)
	first, last := math.Round(low/width), math.Round(high/width)
	if !(last-first < maxBins) { // also true for NaN
		return nil, fmt.Errorf("values from %g to %g need more than %d bins of width %g: use wider ones",
			low, high, maxBins, width)
	}
	bins := make([][2]float64, int(last-first)+1)
	for i := range bins {
		bins[i][0] = (first + float64(i)) * width
	}
	for _, v := range values {
		bins[int(math.Round(v/width)-first)][1] += 100 / float64(len(values))
	}
	return bins, nil
}
