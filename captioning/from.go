package captioning

import (
	"fmt"

	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
)

// startFrom puts the weights and the vocabulary of the trained run TrainConfig.From into a fresh checkpoint.
func (r *trainRun) startFrom() error {
	start, source, err := openCheckpoint(r.From)
	if err != nil {
		return fmt.Errorf("the run to start from: %w", err)
	}
	want := r.Settings.WithModelOf(start.Settings)
	switch {
	case want != r.Settings:
		return fmt.Errorf("the run to start from, %s, has another model (%s): use its settings", source,
			r.Settings.Differences(want))
	case start.Encoder != r.data.Encoder():
		return fmt.Errorf("the run to start from, %s, was trained on features of %s (weights %.12s), these are of %s "+
			"(weights %.12s): use its encoder", source, start.Encoder.Name, start.Encoder.WeightsSHA256,
			r.data.Encoder().Name, r.data.Encoder().WeightsSHA256)
	}
	model, err := start.model(r.Cell)
	if err == nil {
		err = start.fits(model)
	}
	if err != nil {
		return fmt.Errorf("the run to start from, %s: %w", source, err)
	}
	c := r.checkpoint
	c.Vocabulary, c.Values, c.shapes = start.Vocabulary, start.Values, start.shapes
	c.From = &experiment.Start{Weights: start.weightsSum()}
	c.From.Identity, err = start.identity()
	return err
}

// identity is that of the checkpoint's run; see experiment.Identity.
func (c *Checkpoint) identity() (string, error) {
	if c.From != nil {
		return experiment.IdentityFrom(c.From.Identity, c.Settings, c.Data, c.Encoder)
	}
	return experiment.Identity(c.Settings, c.Data, c.Encoder)
}

// RunSettings returns the settings of a trained run: of anything that OpenModel opens.
func RunSettings(dir string) (experiment.Settings, error) {
	c, _, err := openCheckpoint(dir)
	if err != nil {
		return experiment.Settings{}, err
	}
	return c.Settings, nil
}

// header is the checkpoint's.
func (c *Checkpoint) header() header {
	return header{Format: 1, Settings: c.Settings, Vocabulary: c.Vocabulary, Encoder: c.Encoder, Dataset: c.Dataset,
		Data: c.Data, From: c.From, Places: c.Places, Training: c.Training, Source: c.Source}
}

// model describes the decoder that belongs to the settings.
func (c *Checkpoint) model(cell decoder.Cell) (decoder.Model, error) {
	if cell == nil {
		var err error
		if cell, err = decoder.Builtin(c.Settings.Cell, c.Settings.Attention); err != nil {
			return decoder.Model{}, err
		}
	}
	if cell.Name() != c.Settings.Cell {
		return decoder.Model{}, fmt.Errorf("the settings name cell %q, the cell given is %q", c.Settings.Cell,
			cell.Name())
	}
	return decoder.Model{Cell: cell, Vocabulary: c.Vocabulary.Len(), Features: c.Encoder.FeatureDim,
		Embedding: c.Settings.Embedding, Hidden: c.Settings.Hidden, ImageFirst: c.Settings.ImageInject == "first",
		Tied: c.Settings.WeightTying == 1, Places: c.Places, Channels: c.Encoder.FeatureDim}, nil
}
