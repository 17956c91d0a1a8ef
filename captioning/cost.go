package captioning

import (
	"cmp"
	"path/filepath"
	"slices"
	"time"

	"captionlab/captioning/experiment"
	"captionlab/captioning/vocab"
	"captionlab/datasets"
)

// tokenization is the part of the settings on which vocabulary and tokens depend.
type tokenization struct {
	tokens              string
	minCount, maxTokens int
}

// counts are the size of the vocabulary and the real tokens of an epoch.
type counts struct{ words, tokens int }

// counter counts the training captions once for each tokenization.
type counter struct {
	data     *Data
	known    map[tokenization]counts
	captions map[string][][]string // the training captions by tokenizer
}

// count returns the counts under the given settings.
func (c *counter) count(s experiment.Settings) (counts, error) {
	key := tokenization{s.Tokens, s.MinCount, s.MaxTokens}
	if n, ok := c.known[key]; ok {
		return n, nil
	}
	captions, ok := c.captions[s.Tokens]
	if !ok {
		var err error
		if captions, err = trainingTokens(c.data.Dataset, s.Tokens); err != nil {
			return counts{}, err
		}
		c.captions[s.Tokens] = captions
	}
	vocabulary, err := vocab.Build(captions, s.MinCount)
	if err != nil {
		return counts{}, err
	}
	n := counts{words: vocabulary.Len()}
	for _, words := range captions {
		n.tokens += min(len(words)+1, s.MaxTokens-1) // <end> counts
	}
	c.known[key] = n
	return n, nil
}

// operations is the number of floating-point operations of one epoch of training, forward and backward. Sampled
// captions are taken to be as long as the training captions; they are first generated, at the cost of a forward pass.
func (c *counter) operations(s experiment.Settings) (float64, error) {
	n, err := c.count(s)
	operations := s.FLOPsPerToken(n.words) * float64(n.tokens)
	if s.Loss == experiment.SelfCritical {
		captions := 0
		for _, ex := range c.data.Dataset.Examples(datasets.Train) {
			captions += len(ex.Captions)
		}
		samples := s.Samples * len(c.data.Dataset.Examples(datasets.Train))
		operations *= 4. / 3 * float64(samples) / float64(max(captions, 1))
	}
	return operations, err
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

// costs estimates how long jobs take.
type costs struct {
	counter
	rate float64 // operations per second
}

// left is the training time of the epochs that a job still has to train.
func (c *costs) left(j Job) (time.Duration, error) {
	perEpoch, err := c.operations(j.Settings)
	seconds := perEpoch * float64(j.Settings.Epochs-j.Epochs) / c.rate
	return time.Duration(seconds * float64(time.Second)), err
}

// ordered returns the jobs, the quickest first, but none before the job that it starts from. If that is missing and no
// job of its own, its time is added.
func (c *costs) ordered(jobs []Job) ([]Job, error) {
	own := make(map[string]time.Duration)
	for _, j := range jobs {
		own[j.Identity] = j.AtMost
	}
	type placed struct {
		Job
		key time.Duration
	}
	all := make([]placed, len(jobs))
	for i, j := range jobs {
		all[i] = placed{j, j.AtMost}
		for start := j.Start; start != nil && j.StartMissing(); start = start.Start {
			before, planned := own[start.Identity]
			if !planned {
				left, err := c.left(*start)
				if err != nil {
					return nil, err
				}
				before = left
				all[i].AtMost += left
			}
			all[i].key += before
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.depth(), b.depth()))
	})
	for i, p := range all {
		jobs[i] = p.Job
	}
	return jobs, nil
}

// depth is the number of runs that come before the job's.
func (j Job) depth() int {
	n := 0
	for start := j.Start; start != nil; start = start.Start {
		n++
	}
	return n
}
