package captioning

import (
	"context"
	"fmt"
	"path/filepath"

	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/captioning/score/meteor"
	"captionlab/datasets"
)

// decoded is what one decoding strategy generates for a split.
type decoded struct {
	captions []score.Caption
	coco     *score.CocoScores
	pa4      *score.PA4Scores
	meteor   *score.Scores // nil without METEOR's tables
}

// recordReadouts captions the test split with every decoding strategy of the experiment and records the scores, with
// intervals, and the differences from the greedy captions, which are taken from their evaluation.
func (m *Model) recordReadouts(ctx context.Context, data *Data, j Job, e *Evaluation) error {
	refs, err := data.References(ctx, datasets.Test)
	if err != nil {
		return err
	}
	var training []string
	for _, ex := range data.Dataset.Examples(datasets.Train) {
		training = append(training, ex.Captions...)
	}
	seen, err := score.NewSeen(training, "")
	if err != nil {
		return err
	}
	greedy := decoded{e.Captions, e.Coco, e.PA4, e.meteor}
	tables := data.openMETEOR()
	if tables != nil {
		defer tables.Close()
	}
	record := experiment.ReadoutsRecord{Weights: m.Checkpoint.weightsSum(), Split: string(datasets.Test)}
	for _, o := range j.Experiment.Readouts() {
		if ctx.Err() != nil {
			return ErrStopped
		}
		d := greedy
		if o.Name != experiment.Greedy {
			if d, err = m.decode(ctx, data, o, refs, tables); err != nil {
				return err
			}
		}
		out, err := d.record(o, greedy, seen)
		if err != nil {
			return fmt.Errorf("scoring %s, %s: %w", data.Name(), o.Name, err)
		}
		record.Readouts = append(record.Readouts, out)
		if o.Name != experiment.Greedy && j.Experiment.KeepSamples && j.Settings.Seed == 1 {
			file := filepath.Join(j.Records, experiment.ReadoutCaptionsFile(string(datasets.Test), o.Name))
			if err := score.WriteCaptions(file, d.captions); err != nil {
				return err
			}
		}
	}
	return experiment.WriteJSON(filepath.Join(j.Records, experiment.ReadoutsFile), record)
}

// decode captions the test split with a decoding strategy and scores the captions, by METEOR if tables is not nil.
func (m *Model) decode(ctx context.Context, data *Data, o experiment.Readout, refs score.References,
	tables *meteor.Tables) (d decoded, err error) {
	options := decoder.GenerateOptions{
		Temperature:  o.Temperature,
		Beam:         o.Beam,
		Seed:         o.Seed,
		AllowUnknown: o.AllowUnknown,
	}
	if d.captions, err = m.CaptionSplit(ctx, data, datasets.Test, options); err != nil {
		return d, err
	}
	if d.coco, d.pa4, err = score.Both(refs, d.captions); err != nil {
		return d, fmt.Errorf("scoring %s: %w", data.Name(), err)
	}
	if tables != nil {
		if d.meteor, err = scoreMETEOR(tables, refs, d.captions); err != nil {
			return d, fmt.Errorf("scoring %s: %w", data.Name(), err)
		}
	}
	return d, nil
}

// record computes the intervals, the differences from the greedy captions, and the diversity.
func (d decoded) record(o experiment.Readout, greedy decoded, seen *score.Seen) (experiment.ReadoutRecord, error) {
	out := experiment.ReadoutRecord{Readout: o}
	var err error
	if out.Coco, err = score.Bootstrap(d.coco, score.BootstrapOptions{}); err != nil {
		return out, err
	}
	if out.PA4, err = score.Bootstrap(d.pa4, score.BootstrapOptions{}); err != nil {
		return out, err
	}
	if o.Name != experiment.Greedy {
		if out.CocoAgainstGreedy, err = score.Compare(d.coco, greedy.coco, score.BootstrapOptions{}); err != nil {
			return out, err
		}
		if out.PA4AgainstGreedy, err = score.Compare(d.pa4, greedy.pa4, score.BootstrapOptions{}); err != nil {
			return out, err
		}
	}
	if d.meteor != nil && greedy.meteor != nil {
		if err := addMETEOR(&out, d.meteor, greedy.meteor); err != nil {
			return out, err
		}
	}
	samples := make(map[score.ID][]string, len(d.captions))
	for _, c := range d.captions {
		samples[c.ID] = []string{c.Text}
	}
	out.Diversity, err = seen.Diversity(samples)
	return out, err
}
