package captioning

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"

	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/datasets"
)

// Reproduction trains declared experiments and leaves records of them.
type Reproduction struct {
	Data        *Data
	Results     string // folder of the records, such as "results": one folder per dataset, experiment and seed
	Checkpoints string // folder of the checkpoints, one folder per run
	// Again repeats runs that already have records, and overwrites the records.
	Again bool
}

// RunOptions are what Run needs besides the job.
type RunOptions struct {
	Run      experiment.Run // command and backend; the rest is filled in
	Progress func(TrainProgress)
	Warn     func(string)
	Lease    time.Duration // see TrainConfig.Lease
}

// Run completes one job: it trains the model or resumes its training, generates captions with every decoding strategy,
// and writes the records, run.json last. A run that the job starts from is trained first if its checkpoint is not on
// this machine. Run returns ErrInUse if another process works on the job. When ctx is done it returns ErrStopped, and
// the next call resumes.
func (r Reproduction) Run(ctx context.Context, backend compute.Backend, j Job, o RunOptions) error {
	started := time.Now()
	kept := j.Work
	if r.Again { // next to the existing checkpoints, until the new ones are complete
		j.Work += againSuffix
	}
	if err := os.MkdirAll(j.Records, 0o755); err != nil { // rather now than after the training
		return fmt.Errorf("records: %w", err)
	}
	from, err := r.ready(ctx, backend, j, o)
	if err != nil {
		return err
	}
	model, err := Train(ctx, backend, r.Data, TrainConfig{Dir: j.Work, Settings: j.Settings, From: from, Resume: true,
		Progress: o.Progress, Warn: o.Warn, Evaluate: []datasets.Split{datasets.Test}, Lease: o.Lease})
	if err != nil {
		return err
	}
	defer model.Close()
	greedy := decoder.GenerateOptions{AllowUnknown: j.Experiment.AllowUnknown}
	evaluation, err := model.Evaluate(ctx, r.Data, datasets.Test, greedy)
	if err != nil {
		return err
	}
	o.Run.Experiment, o.Run.Identity = j.Experiment.Name, j.Identity
	if err := model.recordReadouts(ctx, r.Data, j, evaluation); err != nil {
		return err
	}
	err = model.WriteRecords(ctx, r.Data, evaluation, RecordOptions{Dir: j.Records, Run: o.Run, Started: started})
	if err != nil || !r.Again {
		return err
	}
	return replaceCheckpoints(j.Work, kept)
}

// Done reports whether a job is complete by now: another process may have completed it since it was planned.
func (r Reproduction) Done(j Job) bool { return !r.Again && r.done(j) }

// replaceCheckpoints moves the checkpoints of a repeated run to the folder of the first one.
func replaceCheckpoints(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, name := range []string{bestFile, previousFile, lastFile} {
		err := os.Rename(filepath.Join(from, name), filepath.Join(to, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("checkpoints: %w", err)
		}
	}
	return nil
}
