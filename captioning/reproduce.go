package captioning

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/gomlx/compute"

	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// Reproduction is what declared runs are made of and where they leave what they found.
type Reproduction struct {
	Dataset     datasets.Dataset
	Fingerprint string           // datasets.Fingerprint of Dataset
	Encoder     encoder.Identity // of the features
	Results     string           // folder of the records, as in "results": one folder a dataset, experiment and seed
	Checkpoints string           // folder of the checkpoints, one folder a run
	// Again makes runs anew that have their records already, and writes the records over.
	Again bool
}

// Job is one declared run.
type Job struct {
	Experiment experiment.Experiment
	Settings   experiment.Settings // the experiment's, with the run's seed
	Identity   string              // see experiment.Identity
	Records    string              // folder of the records
	Work       string              // folder of the checkpoints
	Done       bool                // all records are there
	// Epochs are trained already and wait in Work.
	Epochs int
	// AtMost estimates how long the training takes that is left, if it runs all its epochs.
	AtMost time.Duration
}

// Name is the experiment and the seed, as in "baseline/seed-1".
func (j Job) Name() string {
	return path.Join(j.Experiment.Name, fmt.Sprintf("seed-%d", j.Settings.Seed))
}

// Plan lists the runs of the experiments, quickest first. Each experiment is run with seeds, or with the seeds that it
// declares where there are none.
func (r Reproduction) Plan(experiments []experiment.Experiment, seeds []int64) ([]Job, error) {
	var jobs []Job
	count := r.counter()
	rate := r.pastRate(count)
	for _, e := range experiments {
		own := seeds
		if len(own) == 0 {
			for s := range e.Seeds {
				own = append(own, int64(s)+1)
			}
		}
		perToken, tokens, err := work(count, e.Settings)
		if err != nil {
			return nil, err
		}
		for _, seed := range own {
			j := Job{Experiment: e, Settings: e.Settings}
			j.Settings.Seed = seed
			if j.Identity, err = experiment.Identity(j.Settings, r.Fingerprint, r.Encoder); err != nil {
				return nil, err
			}
			j.Records = filepath.Join(r.Results, r.Dataset.Name(), filepath.FromSlash(j.Name()))
			j.Work = workFolder(r.Checkpoints, r.Dataset.Name(), e.Name, seed, j.Identity)
			j.Done = !r.Again && r.done(j)
			begun := j.Work
			if r.Again {
				begun += againSuffix
			}
			if c, err := readLast(begun, func(string) {}); err == nil && c != nil {
				j.Epochs = c.Training.Epoch
			}
			if !j.Done {
				seconds := perToken * float64(tokens) * float64(j.Settings.Epochs-j.Epochs) / rate
				j.AtMost = time.Duration(seconds * float64(time.Second))
			}
			jobs = append(jobs, j)
		}
	}
	slices.SortStableFunc(jobs, func(a, b Job) int { return cmp.Compare(a.AtMost, b.AtMost) })
	return jobs, nil
}

// againSuffix marks the folder in which a run is made again.
const againSuffix = "-again"

// workFolder is where a run's checkpoints are.
func workFolder(checkpoints, dataset, name string, seed int64, identity string) string {
	return filepath.Join(checkpoints, fmt.Sprintf("%s-%s-seed-%d-%.12s", dataset, name, seed, identity))
}

// done tells whether all records of a job are there and belong together.
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

// counter returns the size of the vocabulary and the real tokens of an epoch.
type counter func(s experiment.Settings) (words, tokens int, err error)

// counter counts the training captions once for each way of cutting them into tokens.
func (r Reproduction) counter() counter {
	type way struct {
		tokens              string
		minCount, maxTokens int
	}
	known := make(map[way][2]int)
	return func(s experiment.Settings) (words, tokens int, err error) {
		key := way{s.Tokens, s.MinCount, s.MaxTokens}
		if n, ok := known[key]; ok {
			return n[0], n[1], nil
		}
		vocabulary, err := buildVocabulary(r.Dataset, s)
		if err != nil {
			return 0, 0, err
		}
		tokenize, err := score.Tokenizer(s.Tokens)
		if err != nil {
			return 0, 0, err
		}
		for _, ex := range r.Dataset.Examples(datasets.Train) {
			for _, c := range ex.Captions {
				tokens += min(len(tokenize(c))+1, s.MaxTokens-1) // <end> is one
			}
		}
		known[key] = [2]int{vocabulary.Len(), tokens}
		return vocabulary.Len(), tokens, nil
	}
}

// work returns the operations that a real token costs in training, forward and backward, and the real tokens of an epoch.
func work(count counter, s experiment.Settings) (perToken float64, tokens int, err error) {
	words, tokens, err := count(s)
	if err != nil {
		return 0, 0, err
	}
	return s.FLOPsPerToken(words), tokens, nil
}

// pastRate is how many operations a second the dataset's earlier runs came to, all together; where there are none, what two
// slow cores come to.
func (r Reproduction) pastRate(count counter) float64 {
	operations, seconds := 0.0, 0.0
	folders, _ := filepath.Glob(filepath.Join(r.Results, r.Dataset.Name(), "*", "*", experiment.RunFile))
	for _, f := range folders {
		run, err := experiment.ReadRun(filepath.Dir(f))
		if err != nil || run.Fingerprint != r.Fingerprint {
			continue
		}
		perToken, tokens, err := work(count, run.Settings)
		if err != nil {
			continue
		}
		operations += perToken * float64(tokens) * float64(run.Epochs)
		seconds += run.TrainTime
	}
	if operations == 0 || seconds == 0 {
		return 50e9
	}
	return operations / seconds
}

// Run makes one job: it trains, or goes on training, reads the model out in every way, and writes the records, run.json
// last. run holds what only the caller knows: command and backend. A job that another process works on gives ErrInUse; when
// ctx is done it gives ErrStopped, and the next call goes on.
func (r Reproduction) Run(ctx context.Context, backend compute.Backend, f *encoder.Features, j Job, run experiment.Run, progress func(TrainProgress), warn func(string)) error {
	started := time.Now()
	if f.Manifest.Encoder != r.Encoder {
		return fmt.Errorf("the plan was made for encoder %s (weights %.12s), the features are of %s (weights %.12s)",
			r.Encoder.Name, r.Encoder.WeightsSHA256, f.Manifest.Encoder.Name, f.Manifest.Encoder.WeightsSHA256)
	}
	kept := j.Work
	if r.Again { // beside the checkpoints that are there, until the new ones are whole
		j.Work += againSuffix
	}
	c, err := Train(ctx, backend, TrainConfig{Dir: j.Work, Dataset: r.Dataset, Fingerprint: r.Fingerprint, Features: f,
		Settings: j.Settings, Resume: true, Progress: progress, Warn: warn})
	if err != nil {
		return err
	}
	model, err := NewModel(backend, c, nil)
	if err != nil {
		return err
	}
	defer model.Finalize()
	greedy := decoder.GenerateOptions{AllowUnknown: j.Experiment.AllowUnknown}
	evaluation, captions, err := model.Evaluate(ctx, r.Dataset, datasets.Test, f, greedy)
	if err != nil {
		return err
	}
	run.Experiment, run.Identity = j.Experiment.Name, j.Identity
	if err := os.MkdirAll(j.Records, 0o755); err != nil {
		return fmt.Errorf("records: %w", err)
	}
	if err := model.readOut(ctx, r.Dataset, f, j, evaluation); err != nil {
		return err
	}
	if err := model.WriteRecords(j.Records, j.Work, run, started, r.Dataset, f, evaluation, captions); err != nil || !r.Again {
		return err
	}
	if err := os.MkdirAll(kept, 0o755); err != nil {
		return err
	}
	for _, name := range []string{bestFile, previousFile, LastCheckpoint} {
		if err := os.Rename(filepath.Join(j.Work, name), filepath.Join(kept, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("checkpoints: %w", err)
		}
	}
	return nil
}

// readOut captions the test split in every way that the experiment declares and records the scores, with intervals, and how
// far each is from the greedy captions.
func (m *Model) readOut(ctx context.Context, ds datasets.Dataset, f *encoder.Features, j Job, greedy *Evaluation) error {
	var training []string
	for _, ex := range ds.Examples(datasets.Train) {
		training = append(training, ex.Captions...)
	}
	record := experiment.ReadoutsRecord{Weights: m.Checkpoint.weightsSum(), Split: string(datasets.Test)}
	refs := References(ds, datasets.Test, f)
	for _, o := range j.Experiment.Readouts() {
		if ctx.Err() != nil {
			return ErrStopped
		}
		generated, err := m.CaptionSplit(ds, datasets.Test, f, decoder.GenerateOptions{Temperature: o.Temperature, Beam: o.Beam, Seed: o.Seed, AllowUnknown: o.AllowUnknown})
		if err != nil {
			return err
		}
		captions := make([]score.Caption, len(generated))
		samples := make(map[score.ID][]string)
		for i, c := range generated {
			captions[i] = score.Caption{ID: score.ID(c.ID), Text: c.Text}
			samples[score.ID(c.ID)] = []string{c.Text}
		}
		out := experiment.ReadoutRecord{Readout: o}
		coco, err := score.Coco(refs, captions, score.Options{})
		if err != nil {
			return fmt.Errorf("scoring %s: %w", ds.Name(), err)
		}
		pa4, err := score.PA4(refs, captions, score.Options{})
		if err != nil {
			return fmt.Errorf("scoring %s: %w", ds.Name(), err)
		}
		for _, pair := range []struct {
			own, greedy score.Corpus
			intervals   *[]score.Interval
			differences *[]score.Difference
		}{{coco, greedy.Coco, &out.Coco, &out.CocoAgainstGreedy}, {pa4, greedy.PA4, &out.PA4, &out.PA4AgainstGreedy}} {
			if *pair.intervals, err = score.Bootstrap(pair.own, score.BootstrapOptions{}); err != nil {
				return err
			}
			if o.Name == experiment.Greedy {
				continue
			}
			if *pair.differences, err = score.Compare(pair.own, pair.greedy, score.BootstrapOptions{}); err != nil {
				return err
			}
		}
		if out.Diversity, err = score.Diversity(samples, training, ""); err != nil {
			return err
		}
		record.Readouts = append(record.Readouts, out)
		if o.Name != experiment.Greedy && j.Experiment.KeepSamples && j.Settings.Seed == 1 {
			if err := score.WriteCaptions(filepath.Join(j.Records, experiment.ReadoutCaptionsFile(string(datasets.Test), o.Name)), captions); err != nil {
				return err
			}
		}
	}
	return experiment.WriteJSON(filepath.Join(j.Records, experiment.ReadoutsFile), record)
}
