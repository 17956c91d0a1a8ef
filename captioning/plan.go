package captioning

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"captionlab/captioning/experiment"
)

// Job is one declared run.
type Job struct {
	Experiment experiment.Experiment
	Settings   experiment.Settings // the experiment's, with the run's seed
	Identity   string              // see experiment.Identity
	Records    string              // folder of the records
	Work       string              // folder of the checkpoints
	Done       bool                // all records exist
	Epochs     int                 // already trained, with a checkpoint in Work
	// Start is the run whose weights this one starts from; nil for random weights. If it is not trained yet and not a
	// job of the plan, Run trains it first, without records.
	Start *Job
	// AtMost estimates the remaining training time if every epoch runs.
	AtMost time.Duration
}

// Name is the experiment and the seed, as in "baseline/seed-1".
func (j Job) Name() string {
	return path.Join(j.Experiment.Name, fmt.Sprintf("seed-%d", j.Settings.Seed))
}

// StartMissing reports whether the run to start from is still to be trained.
func (j Job) StartMissing() bool {
	return j.Start != nil && !j.Done && !holdsLast(j.Work) && !j.Start.trained()
}

// trained reports whether the job's checkpoint is complete.
func (j Job) trained() bool {
	training, err := ReadProgress(j.Work)
	return err == nil && training.Finished(j.Settings)
}

// Plan lists the runs of the experiments, the quickest first, but none before the run that it starts from. The
// experiment to start from may be among the given or the declared ones. Each experiment runs with the given seeds or,
// if there are none, with those that it declares. Of checkpoints, it reads only the headers.
func (r Reproduction) Plan(experiments []experiment.Experiment, seeds []int64) ([]Job, error) {
	var jobs []Job
	starts := slices.Clone(experiments)
	declared, err := experiment.Declared()
	if err != nil {
		return nil, err
	}
	starts = append(starts, declared...)
	cost := costs{counter: counter{data: r.Data, known: make(map[tokenization]counts),
		captions: make(map[string][][]string)}}
	cost.rate = r.pastRate(&cost.counter)
	for _, e := range experiments {
		chosen := seeds
		if len(chosen) == 0 {
			for s := range e.Seeds {
				chosen = append(chosen, int64(s)+1)
			}
		}
		for _, seed := range chosen {
			j, err := r.job(e, seed, starts)
			if err != nil {
				return nil, err
			}
			if !j.Done {
				if j.AtMost, err = cost.left(j); err != nil {
					return nil, err
				}
			}
			jobs = append(jobs, j)
		}
	}
	return cost.ordered(jobs)
}

// job looks up how far one run is. starts are the experiments that it may start from.
func (r Reproduction) job(e experiment.Experiment, seed int64, starts []experiment.Experiment) (Job, error) {
	j := Job{Experiment: e, Settings: e.Settings}
	j.Settings.Seed = seed
	var err error
	if e.From == "" {
		j.Identity, err = experiment.Identity(j.Settings, r.Data.Fingerprint, r.Data.Encoder())
	} else {
		if j.Start, err = r.start(e, seed, starts); err != nil {
			return j, err
		}
		j.Identity, err = experiment.IdentityFrom(j.Start.Identity, j.Settings, r.Data.Fingerprint, r.Data.Encoder())
	}
	if err != nil {
		return j, err
	}
	j.Records = filepath.Join(r.Results, r.Data.Name(), filepath.FromSlash(j.Name()))
	j.Work = checkpointFolder(r.Checkpoints, r.Data.Name(), e.Name, seed, j.Identity)
	j.Done = !r.Again && r.done(j)
	begun := j.Work
	if r.Again {
		begun += againSuffix
	}
	if training, err := ReadProgress(begun); err == nil {
		j.Epochs = training.Epoch
	}
	return j, nil
}

// againSuffix marks the folder in which a run is repeated.
const againSuffix = "-again"

// checkpointFolder is the folder of a run's checkpoints.
func checkpointFolder(root, dataset, name string, seed int64, identity string) string {
	return filepath.Join(root, fmt.Sprintf("%s-%s-seed-%d-%.12s", dataset, name, seed, identity))
}

// done reports whether all records of a job exist and belong together.
func (r Reproduction) done(j Job) bool {
	run, err := experiment.ReadRun(j.Records)
	if err != nil || run.Identity != j.Identity {
		return false
	}
	readouts, err := experiment.ReadReadouts(j.Records)
	if err != nil || readouts.Weights != run.Weights {
		return false
	}
	for i, o := range j.Experiment.Readouts() {
		if i >= len(readouts.Readouts) || readouts.Readouts[i].Readout != o {
			return false
		}
	}
	_, err = os.Stat(filepath.Join(j.Records, experiment.MetricsFile))
	return err == nil
}
