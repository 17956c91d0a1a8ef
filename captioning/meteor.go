package captioning

import (
	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/captioning/score/meteor"
)

// openMETEOR opens METEOR's tables. It returns nil if they are not on this machine or damaged; a notice, given once,
// says so and how to get them.
func (d *Data) openMETEOR() *meteor.Tables {
	tables, err := meteor.OpenFetched()
	if err == nil {
		return tables
	}
	d.noMETEOR.Do(func() {
		if d.options.Notice != nil {
			d.options.Notice("METEOR is left out of the scores: " + err.Error() + " with `captionlab fetch meteor`")
		}
	})
	return nil
}

// scoreMETEOR scores captions by METEOR with the tokens of protocol coco, as coco-caption does.
func scoreMETEOR(tables *meteor.Tables, refs score.References, captions []score.Caption) (*score.Scores, error) {
	return score.Measure(refs, captions, []score.Metric{tables.Metric()}, score.Options{})
}

// addMETEOR adds the score of a strategy's captions to its record, with its interval and, unless the captions are the
// greedy ones, the difference from the greedy captions' score.
func addMETEOR(to *experiment.ReadoutRecord, strategy, greedy *score.Scores) (err error) {
	if to.METEOR, err = score.Bootstrap(strategy, score.BootstrapOptions{}); err != nil {
		return err
	}
	if to.Readout.Name != experiment.Greedy {
		to.METEORAgainstGreedy, err = score.Compare(strategy, greedy, score.BootstrapOptions{})
	}
	return err
}
