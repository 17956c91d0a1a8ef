package nbkit

import (
	"fmt"
	"html/template"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// Sample is a set of values of which a histogram is made.
type Sample struct {
	Name   string
	Values []float64
}

// Histogram draws for each sample which share of its values lies in bins of the given width, in percent, so that samples of
// different size can be compared. Bins are centred on multiples of the width: whole numbers with a width of 1 get a bin each.
func Histogram(title, xLabel string, width float64, samples ...Sample) (template.HTML, error) {
	if !(width > 0) {
		return "", fmt.Errorf("histogram %q: bins of width %g: use a width above 0", title, width)
	}
	p := newDiagram(title, xLabel, "% of "+title)
	p.Title.Text = ""
	for i, s := range samples {
		bins, err := shares(s.Values, width)
		if err != nil {
			return "", fmt.Errorf("histogram %q, sample %q: %w", title, s.Name, err)
		}
		if len(bins) == 0 {
			continue
		}
		h := &plotter.Histogram{Bins: bins, Width: width, LineStyle: plotter.DefaultLineStyle}
		h.LineStyle.Color, h.LineStyle.Width = plotutil.Color(i), vg.Points(1.2)
		if i == 0 { // the others are outlines in front of it
			h.FillColor = color.NRGBA{0xdd, 0xe3, 0xea, 0xff}
		}
		p.Add(h)
		if len(samples) > 1 {
			p.Legend.Add(s.Name, h)
		}
	}
	p.Y.Min = 0
	if len(samples) > 1 {
		p.Y.Max *= 1.2 // room for the legend
	}
	return drawSVG(p)
}

// maxBins is how many bins are drawn at most: more would be thinner than a line.
const maxBins = 400

// shares counts values into bins centred on multiples of width, from the first that is not empty to the last, in percent.
func shares(values []float64, width float64) ([]plotter.HistogramBin, error) {
	if len(values) == 0 {
		return nil, nil
	}
	low, high := slices.Min(values), slices.Max(values)
	first, last := math.Round(low/width), math.Round(high/width)
	if !(last-first < maxBins) { // also for NaN
		return nil, fmt.Errorf("values from %g to %g make more than %d bins of width %g: use wider ones", low, high, maxBins, width)
	}
	bins := make([]plotter.HistogramBin, int(last-first)+1)
	for i := range bins {
		centre := (first + float64(i)) * width
		bins[i].Min, bins[i].Max = centre-width/2, centre+width/2
	}
	for _, v := range values {
		bins[int(math.Round(v/width)-first)].Weight += 100 / float64(len(values))
	}
	return bins, nil
}
