package captioning

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"

	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/weights"
	"captionlab/datasets"
)

// Model is a trained captioner on a device. Not safe for concurrent use.
type Model struct {
	Checkpoint *Checkpoint
	decoder    *decoder.Decoder
}

// Open opens the best checkpoint of the run folder dir. A folder without one, or with a damaged one, is an error.
func Open(backend compute.Backend, dir string) (*Model, error) {
	return OpenWithCell(backend, dir, nil)
}

// OpenWithCell is Open for a run with a cell of one's own, which is passed by value; nil takes the built-in one.
func OpenWithCell(backend compute.Backend, dir string, cell decoder.Cell) (*Model, error) {
	file, err := CheckpointFile(dir)
	if err != nil {
		return nil, err
	}
	c, err := ReadCheckpoint(file)
	if err != nil {
		return nil, err
	}
	return NewModel(backend, c, cell)
}

// CheckpointFile finds the best checkpoint of the run in dir: there, or, for records that Reproduction left, in the cache
// folder.
func CheckpointFile(dir string) (string, error) {
	file := filepath.Join(dir, bestFile)
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	run, err := experiment.ReadRun(dir)
	if err != nil {
		return "", fmt.Errorf("%s is not the folder of a trained run: it holds no %s; train one: captionlab train --help", dir, bestFile)
	}
	cache, err := weights.CacheDir()
	if err != nil {
		return "", err
	}
	file = filepath.Join(workFolder(filepath.Join(cache, "runs"), run.Dataset, run.Experiment, run.Settings.Seed, run.Identity), bestFile)
	if _, err := os.Stat(file); err != nil {
		return "", fmt.Errorf("the checkpoint of %s is not on this machine (%w); make it: %s", dir, err, strings.Join(run.Command, " "))
	}
	return file, nil
}

// NewModel puts a checkpoint on a device.
func NewModel(backend compute.Backend, c *Checkpoint, cell decoder.Cell) (*Model, error) {
	m, err := c.model(cell)
	if err != nil {
		return nil, err
	}
	d, err := decoder.New(backend, m, c.Values)
	if err != nil {
		return nil, err
	}
	return &Model{Checkpoint: c, decoder: d}, nil
}

// NumParameters is the number of trainable numbers.
func (m *Model) NumParameters() int { return m.decoder.NumParameters() }

// Caption is a generated caption of one picture.
type Caption struct {
	ID      string  // of the picture
	Text    string  // words with single spaces, lower case, without special tokens
	LogProb float64 // of the words and <end>, in nats
}

// CaptionFeatures captions pictures given by their features. The best caption alone is returned for each; see
// CaptionNBest for the others that a beam search finds.
func (m *Model) CaptionFeatures(ids []string, features [][]float32, options decoder.GenerateOptions) ([]Caption, error) {
	options.BestOnly = true
	all, err := m.CaptionNBest(ids, features, options)
	if err != nil {
		return nil, err
	}
	best := make([]Caption, len(all))
	for i, captions := range all {
		best[i] = captions[0]
	}
	return best, nil
}

// CaptionNBest returns all hypotheses of each picture, best first.
func (m *Model) CaptionNBest(ids []string, features [][]float32, options decoder.GenerateOptions) ([][]Caption, error) {
	if len(ids) != len(features) {
		return nil, fmt.Errorf("%d ids for %d feature vectors", len(ids), len(features))
	}
	dim := m.Checkpoint.Encoder.FeatureDim
	flat := make([]float32, 0, len(features)*dim)
	for i, row := range features {
		if len(row) != dim {
			return nil, fmt.Errorf("picture %s has %d features, the model was trained on %d (%s)", ids[i], len(row), dim, m.Checkpoint.Encoder.Name)
		}
		flat = append(flat, row...)
	}
	generated, err := m.decoder.Generate(flat, options)
	if err != nil {
		return nil, err
	}
	out := make([][]Caption, len(ids))
	for i, hypotheses := range generated {
		for _, h := range hypotheses {
			out[i] = append(out[i], Caption{ids[i], m.Checkpoint.Vocabulary.Decode(h.IDs), h.LogProb})
		}
	}
	return out, nil
}

// CaptionSplit captions every picture of a split that has features, in the split's order.
func (m *Model) CaptionSplit(ds datasets.Dataset, split datasets.Split, f *encoder.Features, options decoder.GenerateOptions) ([]Caption, error) {
	if err := m.checkEncoder(f.Manifest.Encoder); err != nil {
		return nil, err
	}
	var ids []string
	var rows [][]float32
	for _, ex := range ds.Examples(split) {
		if row, ok := f.Row(ex.ID); ok {
			ids, rows = append(ids, ex.ID), append(rows, row)
		}
	}
	return m.CaptionFeatures(ids, rows, options)
}

// CaptionImages decodes, encodes and captions pictures that are read from files. A picture that cannot be read gives an
// error in its place and does not stop the others. progress, which may be nil, is told how many were encoded and how many
// could not be read since it was last called.
func (m *Model) CaptionImages(ctx context.Context, e *encoder.Encoder, names []string, open func(name string) (io.ReadCloser, error), options decoder.GenerateOptions, progress func(encoded, unreadable int)) ([]Caption, []error, error) {
	if err := m.checkEncoder(e.Identity()); err != nil {
		return nil, nil, err
	}
	features, problems, err := e.EncodeImages(ctx, names, open, 0, progress)
	if err != nil {
		return nil, nil, err
	}
	var ids []string
	var rows [][]float32
	var good []int
	for i, name := range names {
		if problems[i] != nil {
			problems[i] = fmt.Errorf("%s: %w", name, problems[i])
			continue
		}
		ids, rows, good = append(ids, name), append(rows, features[i]), append(good, i)
	}
	captions := make([]Caption, len(names))
	generated, err := m.CaptionFeatures(ids, rows, options)
	if err != nil {
		return nil, nil, err
	}
	for row, i := range good {
		captions[i] = generated[row]
	}
	return captions, problems, nil
}

// Losses measures the cross-entropy of a split in both ways of counting. Pads are measured where the model was trained on
// them or measurePads asks for it, and are taken as free elsewhere.
func (m *Model) Losses(ctx context.Context, ds datasets.Dataset, split datasets.Split, f *encoder.Features, measurePads bool) (Losses, error) {
	if err := m.checkEncoder(f.Manifest.Encoder); err != nil {
		return Losses{}, err
	}
	s := m.Checkpoint.Settings
	pairs, err := makePairs(ds, split, f, m.Checkpoint.Vocabulary, s)
	if err != nil {
		return Losses{}, err
	}
	return measure(ctx, m.decoder, pairs, s.BatchSize, s.Seed, measurePads || s.Loss == "padded")
}

// checkEncoder makes sure that features come from the encoder that the model was trained with.
func (m *Model) checkEncoder(id encoder.Identity) error {
	if want := m.Checkpoint.Encoder; id != want {
		return fmt.Errorf("the model was trained on features of %s (weights %.12s, %s), these are of %s (weights %.12s, %s)",
			want.Name, want.WeightsSHA256, want.Preprocessing, id.Name, id.WeightsSHA256, id.Preprocessing)
	}
	return nil
}

// Finalize frees the device's memory. The model must not be used after that.
func (m *Model) Finalize() { m.decoder.Finalize() }
