package captioning

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"

	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/cache"
	"captionlab/captioning/pretrained"
	"captionlab/captioning/safetensors"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// Model is a trained model on a device. It captions features; see Captioner for images. Not safe for concurrent use.
type Model struct {
	Checkpoint *Checkpoint
	Training   Training // of the whole run, as far as it is known; Checkpoint.Training ends with the best epoch
	decoder    *decoder.Decoder
	backend    compute.Backend
	source     string // the file or, during training, the folder that errors name
}

// ModelOptions change how a model is opened. The zero value is right for built-in cells.
type ModelOptions struct {
	Cell decoder.Cell // the custom cell with which the run was trained
}

// OpenModel opens the best checkpoint of the run in the folder dir: the folder that Train wrote, or records whose
// checkpoint is in the cache folder. dir may also be a file that Checkpoint.Pack wrote; if it is empty, the model that
// comes with captionlab is opened (see package pretrained). Several of them, separated by commas, are opened as an
// ensemble, whose logits are the means of theirs; see decoder.Ensemble. It fails for a folder without a checkpoint,
// with a damaged one, or with checkpoints of two runs.
func OpenModel(backend compute.Backend, dir string, o ModelOptions) (*Model, error) {
	if members := ensembleOf(dir); members != nil {
		return openEnsemble(backend, members, o)
	}
	c, source, err := openCheckpoint(dir)
	if err != nil {
		return nil, err
	}
	description, err := c.model(o.Cell)
	if err == nil {
		err = c.fits(description)
	}
	if err != nil {
		return nil, fmt.Errorf("the model in %s: %w", source, err)
	}
	d, err := decoder.New(backend, description, c.Values)
	if err != nil {
		return nil, fmt.Errorf("the model in %s: %w", source, err)
	}
	m := &Model{Checkpoint: c, Training: c.Training, decoder: d, backend: backend, source: source}
	if whole, err := ReadProgress(filepath.Dir(source)); err == nil && filepath.Base(source) == bestFile {
		m.Training = whole
	}
	return m, nil
}

// openCheckpoint finds and reads the checkpoint that OpenModel opens. source names it in errors.
func openCheckpoint(dir string) (c *Checkpoint, source string, err error) {
	if dir == "" {
		c, err := pretrainedCheckpoint()
		return c, pretrained.Source, err
	}
	if info, err := os.Stat(dir); err == nil && info.Mode().IsRegular() {
		c, err := ReadCheckpoint(dir)
		return c, dir, err
	}
	file, err := CheckpointFile(dir)
	if err != nil {
		return nil, "", err
	}
	if c, err = ReadCheckpoint(file); err != nil {
		return nil, "", err
	}
	return c, file, c.checkSameRun(file)
}

// pretrainedCheckpoint reads the model that comes with captionlab.
func pretrainedCheckpoint() (*Checkpoint, error) {
	tensors, metadata, err := safetensors.Decode(pretrained.Model())
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %s: %w", pretrained.Source, err)
	}
	return newCheckpoint(pretrained.Source, tensors, metadata)
}

// CheckpointFile finds the best checkpoint of the run in dir: in that folder or, for records that a Reproduction left,
// in the cache folder.
func CheckpointFile(dir string) (string, error) {
	file := filepath.Join(dir, bestFile)
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	run, err := experiment.ReadRun(dir)
	switch {
	case err != nil && holdsLast(dir):
		return "", fmt.Errorf("%s holds no %s: it was removed, or the run has not finished its first epoch: resume it",
			dir, bestFile)
	case err != nil:
		return "", fmt.Errorf(
			"%s is not the folder of a trained run: it holds no %s; train one: captionlab train --help", dir, bestFile)
	}
	runs, err := cache.Runs()
	if err != nil {
		return "", err
	}
	file = filepath.Join(checkpointFolder(runs, run.Dataset, run.Experiment, run.Settings.Seed, run.Identity), bestFile)
	if _, err := os.Stat(file); err != nil {
		return "", fmt.Errorf("the checkpoint of %s is not on this machine (%w); make it: %s",
			dir, err, strings.Join(run.Command, " "))
	}
	return file, nil
}

// IsRun reports whether dir is something that OpenModel may open: a folder with a checkpoint or with the records of a
// run, or a packed model, which is known by the end of its name, .safetensors; or several of them, separated by commas.
func IsRun(dir string) bool {
	if members := ensembleOf(dir); members != nil {
		return !slices.ContainsFunc(members, func(one string) bool { return !IsRun(one) })
	}
	if info, err := os.Stat(dir); err == nil && info.Mode().IsRegular() {
		return filepath.Ext(dir) == ".safetensors"
	}
	for _, file := range []string{bestFile, lastFile, experiment.RunFile} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return true
		}
	}
	return false
}

// NumParameters is the number of trainable numbers.
func (m *Model) NumParameters() int { return m.decoder.NumParameters() }

// CaptionFeatures captions images given by their features, as Rows or an encoder returns them. It returns the best
// caption of each; see CaptionNBest for the others that a beam search finds.
func (m *Model) CaptionFeatures(ids []string, rows [][]float32, o decoder.GenerateOptions) ([]score.Caption, error) {
	if len(ids) != len(rows) {
		return nil, fmt.Errorf("%d ids for %d feature vectors", len(ids), len(rows))
	}
	in, err := m.inputs(rows, func(i int) string { return ids[i] })
	if err != nil {
		return nil, err
	}
	return m.captionBest(ids, in, o)
}

// captionBest is CaptionFeatures for what the decoder reads.
func (m *Model) captionBest(ids []string, in decoder.Inputs, o decoder.GenerateOptions) ([]score.Caption, error) {
	o.BestOnly = true
	all, err := m.captionNBest(ids, in, o)
	if err != nil {
		return nil, err
	}
	best := make([]score.Caption, len(all))
	for i, captions := range all {
		best[i] = captions[0]
	}
	return best, nil
}

// CaptionNBest returns all hypotheses for each image, best first.
func (m *Model) CaptionNBest(ids []string, rows [][]float32, o decoder.GenerateOptions) ([][]score.Caption, error) {
	if len(ids) != len(rows) {
		return nil, fmt.Errorf("%d ids for %d feature vectors", len(ids), len(rows))
	}
	in, err := m.inputs(rows, func(i int) string { return ids[i] })
	if err != nil {
		return nil, err
	}
	return m.captionNBest(ids, in, o)
}

// captionNBest is CaptionNBest for what the decoder reads.
func (m *Model) captionNBest(ids []string, in decoder.Inputs, o decoder.GenerateOptions) ([][]score.Caption, error) {
	generated, err := m.decoder.GenerateFrom(in, o)
	if err != nil {
		return nil, fmt.Errorf("the model in %s: %w", m.source, err)
	}
	out := make([][]score.Caption, len(ids))
	for i, hypotheses := range generated {
		for _, h := range hypotheses {
			caption := score.Caption{
				ID:      score.ID(ids[i]),
				Text:    m.Checkpoint.Vocabulary.Decode(h.IDs),
				LogProb: h.LogProb,
			}
			out[i] = append(out[i], caption)
		}
	}
	return out, nil
}

// CaptionSplit captions every image of a split that has features, in the dataset's order.
func (m *Model) CaptionSplit(ctx context.Context, data *Data, split datasets.Split, o decoder.GenerateOptions) (
	[]score.Caption, error) {
	if err := m.checkEncoder(data.Encoder()); err != nil {
		return nil, err
	}
	if _, err := data.featuresFor(ctx, m.decoder.Model); err != nil {
		return nil, err
	}
	examples, err := data.Examples(ctx, split)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(examples))
	for i, ex := range examples {
		ids[i] = ex.ID
	}
	in, err := data.inputs(ctx, m.decoder.Model, ids)
	if err != nil {
		return nil, err
	}
	return m.captionBest(ids, in, o)
}

// Losses measures the cross-entropy of a split in both ways of counting. Pads are measured if the model was trained on
// them or if measurePads asks for it, and otherwise taken as free. It fails if a loss is not finite.
func (m *Model) Losses(ctx context.Context, data *Data, split datasets.Split,
	measurePads bool) (experiment.Losses, error) {
	if err := m.checkEncoder(data.Encoder()); err != nil {
		return experiment.Losses{}, err
	}
	var table imageTable
	pairs, err := table.makePairs(ctx, data, split, m.Checkpoint, m.decoder.Model)
	if err != nil {
		return experiment.Losses{}, err
	}
	s := m.Checkpoint.Settings
	if o, err := objectiveFor(s.Loss, nil); err == nil && o.Pads {
		measurePads = true
	}
	if err := table.upload(m.backend, maxOnDevice); err != nil {
		return experiment.Losses{}, err
	}
	defer table.finalize()
	losses, err := lossPlan{s.BatchSize, s.Seed, measurePads}.measure(ctx, m.decoder, &table, pairs)
	if err == nil && !(isFinite(losses.Token) && isFinite(losses.Padded)) {
		err = fmt.Errorf("the model in %s: its loss on the %s split of %s is %v: its weights are damaged or have "+
			"diverged; use another checkpoint or train again", m.source, split, data.Name(), losses.Token)
	}
	return losses, err
}

// checkEncoder reports features that come from another encoder than the one that the model was trained with.
func (m *Model) checkEncoder(id encoder.Identity) error {
	if want := m.Checkpoint.Encoder; id != want {
		return fmt.Errorf(
			"the model was trained on features of %s (weights %.12s, %s), these are of %s (weights %.12s, %s)",
			want.Name, want.WeightsSHA256, want.Preprocessing, id.Name, id.WeightsSHA256, id.Preprocessing)
	}
	return nil
}

// Close frees the device's memory. The model must not be used afterwards.
func (m *Model) Close() { m.decoder.Finalize() }
