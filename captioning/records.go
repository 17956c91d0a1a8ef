package captioning

import (
	"context"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// RecordOptions say where a run's records go and what only the caller knows.
type RecordOptions struct {
	Dir     string         // of the records
	Run     experiment.Run // experiment, command and backend; the rest is filled in
	Started time.Time      // when the command began
}

// WriteRecords writes the records of a trained and evaluated run: curve.csv, the captions, the scores of single images,
// metrics.json and, last, run.json.
func (m *Model) WriteRecords(ctx context.Context, data *Data, e *Evaluation, o RecordOptions) error {
	run, err := m.runRecord(ctx, data, o)
	if err != nil {
		return err
	}
	if err := experiment.WriteCurve(o.Dir, m.Training.Curve); err != nil {
		return err
	}
	split := string(e.Split)
	if err := score.WriteCaptions(filepath.Join(o.Dir, experiment.CaptionsFile(split)), e.Captions); err != nil {
		return err
	}
	if err := score.WriteImages(filepath.Join(o.Dir, experiment.ImagesFile(split)), e.Coco, e.PA4); err != nil {
		return err
	}
	short := *e // the scores of single images are in a file of their own
	coco, pa4 := *e.Coco, *e.PA4
	coco.Images, pa4.Images = nil, nil
	short.Coco, short.PA4 = &coco, &pa4
	if err := experiment.WriteJSON(filepath.Join(o.Dir, experiment.MetricsFile), short); err != nil {
		return err
	}
	return experiment.WriteJSON(filepath.Join(o.Dir, experiment.RunFile), run)
}

// runRecord fills in what the model, its checkpoint and the data tell about a run.
func (m *Model) runRecord(ctx context.Context, data *Data, o RecordOptions) (experiment.Run, error) {
	c, run := m.Checkpoint, o.Run
	run.Commit, run.Started = commit(), o.Started.UTC().Format(time.RFC3339)
	run.Host = experiment.Host{
		System: runtime.GOOS + "/" + runtime.GOARCH,
		Cores:  runtime.NumCPU(),
		CPU:    experiment.CPUName(),
	}
	run.Dataset, run.Fingerprint, run.Encoder, run.Settings = c.Dataset, c.Data, c.Encoder, c.Settings
	if c.Source != nil {
		run.Source = c.Source
	}
	var err error
	run.From = c.From
	if run.Identity, err = c.identity(); err != nil {
		return run, err
	}
	run.Model = experiment.ModelVersion
	run.Vocabulary, run.Parameters, run.Weights = c.Vocabulary.Len(), m.NumParameters(), c.weightsSum()
	run.Epochs, run.BestEpoch, run.TrainTime = m.Training.Epoch, m.Training.Best, m.Training.Seconds
	f, err := data.someFeatures(ctx)
	if err != nil {
		return run, err
	}
	run.Unreadable = len(f.Manifest.Skipped)
	run.Examples = make(map[string]int)
	for _, split := range datasets.Splits {
		examples, err := data.Examples(ctx, split)
		if err != nil {
			return run, err
		}
		for _, ex := range examples {
			run.Examples[string(split)] += len(ex.Captions)
		}
	}
	return run, nil
}

// commit is the revision from which the program was built, as recorded by the Go tool.
func commit() string {
	revision, changed := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = "+changes"
			}
		}
	}
	return revision + changed
}
