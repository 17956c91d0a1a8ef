package captioning

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/gomlx/compute"

	"captionlab/captioning/decoder"
)

// ensembleOf returns the members of an ensemble written as "RUN1,RUN2", or nil for anything else, such as a folder with
// a comma in its name.
func ensembleOf(dir string) []string {
	if !strings.Contains(dir, ",") {
		return nil
	}
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	return strings.Split(dir, ",")
}

// openEnsemble opens several runs as one model; see decoder.Ensemble. Its checkpoint is the first one's, without the
// weights.
func openEnsemble(backend compute.Backend, members []string, o ModelOptions) (*Model, error) {
	var models []decoder.Model
	var values []decoder.Values
	var first *Checkpoint
	var sources []string
	for _, dir := range members {
		if dir == "" {
			return nil, fmt.Errorf("ensemble %s: name a run on both sides of each comma", strings.Join(members, ","))
		}
		c, source, err := openCheckpoint(dir)
		if err != nil {
			return nil, err
		}
		m, err := c.model(o.Cell)
		if err == nil {
			err = c.fits(m)
		}
		if err != nil {
			return nil, fmt.Errorf("the model in %s: %w", source, err)
		}
		if first == nil {
			first = c
		}
		switch {
		case c.Encoder != first.Encoder:
			return nil, fmt.Errorf("the models in %s and %s have different encoders, %s (weights %.12s) and %s "+
				"(weights %.12s): an ensemble needs one", sources[0], source, first.Encoder.Name,
				first.Encoder.WeightsSHA256, c.Encoder.Name, c.Encoder.WeightsSHA256)
		case !slices.Equal(c.Vocabulary.Words(), first.Vocabulary.Words()):
			return nil, fmt.Errorf("the models in %s and %s have different vocabularies: an ensemble needs runs on "+
				"the same data with the same tokens and min_count", sources[0], source)
		}
		models, values, sources = append(models, m), append(values, c.Values), append(sources, source)
	}
	joint, weights, err := decoder.Ensemble(models, values)
	if err != nil {
		return nil, err
	}
	source := strings.Join(sources, " and ")
	d, err := decoder.New(backend, joint, weights)
	if err != nil {
		return nil, fmt.Errorf("the ensemble of %s: %w", source, err)
	}
	c := *first
	c.Values, c.shapes, c.Places = nil, nil, joint.Places
	return &Model{Checkpoint: &c, Training: c.Training, decoder: d, backend: backend, source: source}, nil
}
