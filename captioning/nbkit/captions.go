package nbkit

import (
	"fmt"
	"path/filepath"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/datasets"
)

// Captioned captions examples with a model and returns their gallery cards, references included. Images are at most
// side pixels wide and high. It fails for an example without features.
func (l *Lab) Captioned(m *captioning.Model, examples []datasets.Example, o decoder.GenerateOptions,
	side int) ([]Card, error) {
	data, err := l.Data()
	if err != nil {
		return nil, err
	}
	ids := IDs(examples)
	rows, err := m.Rows(l.Context, data, ids)
	if err != nil {
		return nil, err
	}
	captions, err := m.CaptionFeatures(ids, rows, o)
	if err != nil {
		return nil, err
	}
	cards, err := l.Cards(examples, side)
	for i := range cards {
		cards[i].Caption = captions[i].Text
	}
	return cards, err
}

// RunFolder is the folder of a trained run.
type RunFolder struct {
	Dir  string
	Name string // as in "the full run shapes/baseline/seed-1"
}

// BestRun returns the recorded run of this notebook's experiment if its checkpoint is on this machine, and otherwise
// the run that Train trained by the plan, which must use a built-in cell and the default encoder.
func (l *Lab) BestRun(p Plan) (RunFolder, error) {
	if recorded, err := l.Run(l.Experiment.Name); err == nil {
		results, err := ResultsFolder()
		if err != nil {
			return RunFolder{}, err
		}
		dir := filepath.Join(results, filepath.FromSlash(recorded.Folder))
		if _, err := captioning.CheckpointFile(dir); err == nil {
			return RunFolder{dir, "the full run " + recorded.Folder}, nil
		}
	}
	t, err := l.Trained(p)
	if err != nil {
		return RunFolder{}, fmt.Errorf("the checkpoint of the full run of %s on %s is not on this machine, "+
			"and its stand-in is missing: %w", l.Experiment.Name, l.Dataset.Name(), err)
	}
	return RunFolder{t.Dir, fmt.Sprintf("the small run %q of this notebook", t.Name)}, nil
}
