package nbkit

import (
	"fmt"
	"math"
	"slices"

	"captionlab/captioning/score"
)

// Names of the scores that tables show.
const (
	bleu1  = "BLEU-1"
	bleu4  = "BLEU-4"
	ciderD = "CIDEr-D"
)

// value returns the score called metric, or NaN if the corpus does not have it.
func value(c score.Corpus, metric string) float64 {
	i := slices.Index(c.Metrics(), metric)
	if i < 0 {
		return math.NaN()
	}
	return c.Values()[i]
}

// interval returns the interval of the score called metric.
func interval(all []score.Interval, metric string) score.Interval {
	i := slices.IndexFunc(all, func(i score.Interval) bool { return i.Metric == metric })
	if i < 0 {
		return score.Interval{Metric: metric, Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
	}
	return all[i]
}

// scoreHead are the columns of the four scores that every table shows.
var scoreHead = []string{"pa4 BLEU-1", "pa4 BLEU-4", "coco BLEU-4", "CIDEr-D"}

// scoreCells are the four scores of captions from 0 to 100, in the order of scoreHead.
func scoreCells(pa4, coco score.Corpus) []string {
	return []string{
		fmt.Sprintf("%.1f", value(pa4, bleu1)), fmt.Sprintf("%.1f", value(pa4, bleu4)),
		fmt.Sprintf("%.1f", 100*value(coco, bleu4)), fmt.Sprintf("%.1f", 100*value(coco, ciderD)),
	}
}

// scoring is one of the two ways of scoring, with the factor that brings its scores to 0 to 100.
type scoring struct {
	name   string
	scores score.Corpus
	times  float64
}

// both returns the scores of both protocols.
func both(pa4, coco score.Corpus) []scoring { return []scoring{{"pa4", pa4, 1}, {"coco", coco, 100}} }
