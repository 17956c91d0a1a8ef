package captioning

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Average returns the model whose weights are the means of those of several checkpoints: of one run at different
// epochs, or of runs that started from the same one, such as self-critical runs with several seeds (a "model soup",
// Wortsman et al. 2022). Means of runs that started from different random weights are useless, and refused. In all else
// it is the first checkpoint; it has no optimizer state.
func Average(checkpoints []*Checkpoint) (*Checkpoint, error) {
	if len(checkpoints) == 0 {
		return nil, fmt.Errorf("average of no checkpoints: name at least one")
	}
	first := checkpoints[0]
	for i, c := range checkpoints[1:] {
		same := first.Settings.Seed == c.Settings.Seed
		if first.From != nil && c.From != nil {
			same = *first.From == *c.From
		}
		switch {
		case c.Settings.WithModelOf(first.Settings) != c.Settings:
			return nil, fmt.Errorf("checkpoint %d has another model than the first one: %s", i+2,
				c.Settings.Differences(c.Settings.WithModelOf(first.Settings)))
		case c.Encoder != first.Encoder || c.Data != first.Data ||
			!slices.Equal(c.Vocabulary.Words(), first.Vocabulary.Words()):
			return nil, fmt.Errorf("checkpoint %d was trained on other data or with another encoder than the first "+
				"one", i+2)
		case !same || (first.From == nil) != (c.From == nil):
			return nil, fmt.Errorf("checkpoint %d started from other weights than the first one: the mean of the two "+
				"would be useless; name them as an ensemble instead, separated by commas", i+2)
		}
	}
	out := *first
	out.State, out.Values = nil, maps.Clone(first.Values)
	share := 1 / float64(len(checkpoints))
	for name, data := range first.Values {
		sum := make([]float64, len(data))
		for i, c := range checkpoints {
			if len(c.Values[name]) != len(data) {
				return nil, fmt.Errorf("checkpoint %d: weight %q has %d numbers, that of the first one %d", i+1, name,
					len(c.Values[name]), len(data))
			}
			for j, x := range c.Values[name] {
				sum[j] += float64(x) * share
			}
		}
		mean := make([]float32, len(data))
		for j, x := range sum {
			mean[j] = float32(x)
		}
		out.Values[name] = mean
	}
	return &out, nil
}

// OpenAverage reads the checkpoints of runs, or checkpoint files, separated by commas, and returns their average; of a
// single one, itself.
func OpenAverage(runs string) (*Checkpoint, error) {
	names := ensembleOf(runs)
	if names == nil {
		names = []string{runs}
	}
	var all []*Checkpoint
	for _, name := range names {
		if name == "" {
			return nil, fmt.Errorf("%s: name a run on both sides of each comma", strings.Join(names, ","))
		}
		c, _, err := openCheckpoint(name)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return Average(all)
}
