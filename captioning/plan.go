package captioning

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/datasets"
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
	// AtMost estimates the remaining training time if every epoch runs.
	AtMost time.Duration
}

// Name is the experiment and the seed, as in "baseline/seed-1".
func (j Job) Name() string {
	return path.Join(j.Experiment.Name, fmt.Sprintf("seed-%d", j.Settings.Seed))
}

// Plan lists the runs of the experiments, the quickest first. Each experiment runs with the given seeds or, if there
// are none, with those that it declares. Of checkpoints, it reads only the headers.
func (r Reproduction) Plan(experiments []experiment.Experiment, seeds []int64) ([]Job, error) {
	var jobs []Job
	count := counter{data: r.Data, known: make(map[tokenization]counts)}
	rate := r.pastRate(&count)
	for _, e := range experiments {
		chosen := seeds
		if len(chosen) == 0 {
			for s := range e.Seeds {
				chosen = append(chosen, int64(s)+1)
			}
		}
		perEpoch, err := count.operations(e.Settings)
		if err != nil {
			return nil, err
		}
		for _, seed := range chosen {
			j, err := r.job(e, seed)
			if err != nil {
				return nil, err
			}
			if !j.Done {
				seconds := perEpoch * float64(j.Settings.Epochs-j.Epochs) / rate
				j.AtMost = time.Duration(seconds * float64(time.Second))
			}
			jobs = append(jobs, j)
		}
	}
	slices.SortStableFunc(jobs, func(a, b Job) int { return cmp.Compare(a.AtMost, b.AtMost) })
	return jobs, nil
}

// job looks up how far one run is.
func (r Reproduction) job(e experiment.Experiment, seed int64) (Job, error) {
	j := Job{Experiment: e, Settings: e.Settings}
	j.Settings.Seed = seed
	var err error
	if j.Identity, err = experiment.Identity(j.Settings, r.Data.Fingerprint, r.Data.Encoder()); err != nil {
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

// tokenization is the part of the settings on which vocabulary and tokens depend.
type tokenization struct {
	tokens              string
	minCount, maxTokens int
}

// counts are the size of the vocabulary and the real tokens of an epoch.
type counts struct{ words, tokens int }

// counter counts the training captions once for each tokenization.
type counter struct {
	data  *Data
	known map[tokenization]counts
}

// count returns the counts under the given settings.
func (c *counter) count(s experiment.Settings) (counts, error) {
	key := tokenization{s.Tokens, s.MinCount, s.MaxTokens}
	if n, ok := c.known[key]; ok {
		return n, nil
	}
	vocabulary, err := buildVocabulary(c.data.Dataset, s)
	if err != nil {
		return counts{}, err
	}
	tokenize, err := score.Tokenizer(s.Tokens)
	if err != nil {
		return counts{}, err
	}
	n := counts{words: vocabulary.Len()}
	for _, ex := range c.data.Dataset.Examples(datasets.Train) {
		for _, caption := range ex.Captions {
			n.tokens += min(len(tokenize(caption))+1, s.MaxTokens-1) // <end> counts
		}
	}
	c.known[key] = n
	return n, nil
}

// operations is the number of floating-point operations of one epoch of training, forward and backward.
func (c *counter) operations(s experiment.Settings) (float64, error) {
	n, err := c.count(s)
	return s.FLOPsPerToken(n.words) * float64(n.tokens), err
}

// pastRate is the mean rate, in operations per second, of all earlier runs on the dataset, or that of two slow cores if
// there are none.
func (r Reproduction) pastRate(count *counter) float64 {
	operations, seconds := 0.0, 0.0
	files, _ := filepath.Glob(filepath.Join(r.Results, r.Data.Name(), "*", "*", experiment.RunFile))
	for _, f := range files {
		run, err := experiment.ReadRun(filepath.Dir(f))
		if err != nil || run.Fingerprint != r.Data.Fingerprint {
			continue
		}
		perEpoch, err := count.operations(run.Settings)
		if err != nil {
			continue
		}
		operations += perEpoch * float64(run.Epochs)
		seconds += run.TrainTime
	}
	if operations == 0 || seconds == 0 {
		return 50e9
	}
	return operations / seconds
}
