package captioning

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/safetensors"
	"captionlab/captioning/vocab"
)

// LastCheckpoint is the name, in a run folder, of the checkpoint with everything that training needs to go on.
const LastCheckpoint = "last.safetensors"

// Names of the other checkpoints. The best one has the weights of the epoch with the lowest validation loss; the one before
// stands in where the last one is damaged.
const (
	bestFile     = "best.safetensors"
	previousFile = "previous.safetensors"
)

// Checkpoint is a trained or half-trained model: all that captioning a new photograph needs, but for the encoder's own
// weights, which it names by their checksum.
type Checkpoint struct {
	Settings   experiment.Settings
	Vocabulary *vocab.Vocabulary
	Encoder    encoder.Identity
	Dataset    string // name
	Data       string // fingerprint of the dataset
	Training   Training
	Values     decoder.Values
	State      decoder.State // optimizer; empty in the best checkpoint
}

// Training is how far a run has come.
type Training struct {
	Epoch        int          `json:"epoch"` // epochs that are complete
	Batch        int          `json:"batch"` // batches of the next epoch that are done
	LossSum      float64      `json:"loss_sum"`
	Curve        []CurvePoint `json:"curve"` // one for each complete epoch
	Best         int          `json:"best"`  // epoch, from 1, with the lowest validation loss; 0 before the first
	LearningRate float64      `json:"learning_rate"`
	Seconds      float64      `json:"seconds"` // spent training
}

// CurvePoint is what one epoch came to.
type CurvePoint struct {
	Epoch        int     `json:"epoch"`
	TrainLoss    float64 `json:"train_loss"` // mean over the batches as they were trained, nats
	Val          Losses  `json:"val"`
	LearningRate float64 `json:"learning_rate"`
	Seconds      float64 `json:"seconds"` // since the start of the run, pauses left out
}

// header is the part of a checkpoint that is JSON. It lies in the metadata of the safetensors file.
type header struct {
	Format     int                 `json:"format"` // 1
	Settings   experiment.Settings `json:"settings"`
	Vocabulary *vocab.Vocabulary   `json:"vocabulary"`
	Encoder    encoder.Identity    `json:"encoder"`
	Dataset    string              `json:"dataset"`
	Data       string              `json:"fingerprint"`
	Training   Training            `json:"training"`
}

const (
	headerKey = "captionlab"
	sumKey    = "sha256" // over the header and all arrays
)

// write stores the checkpoint at path, whole or not at all. Its arrays are taken from the trainer, one after the other:
// the model's, and with state the optimizer's.
func (c *Checkpoint) write(path string, t *decoder.Trainer, state bool) error {
	text, err := json.Marshal(header{1, c.Settings, c.Vocabulary, c.Encoder, c.Dataset, c.Data, c.Training})
	if err != nil {
		return err
	}
	sources := make(map[string]safetensors.Source)
	for _, w := range t.Weights() {
		sources["model/"+w.Name] = source(w.Shape, func(f func([]float32) error) error { return t.ReadWeight(w.Name, f) })
	}
	if state {
		for _, name := range t.StateNames() {
			size := 0
			if err := t.ReadState(name, func(data []float32) error { size = len(data); return nil }); err != nil {
				return err
			}
			sources["adam/"+name] = source([]int{size}, func(f func([]float32) error) error { return t.ReadState(name, f) })
		}
	}
	sum, err := checksum(string(text), sources)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := safetensors.WriteSources(path, sources, map[string]string{headerKey: string(text), sumKey: sum}); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

func source(shape []int, read func(f func(data []float32) error) error) safetensors.Source {
	return safetensors.Source{DType: "F32", Shape: shape, WriteTo: func(w io.Writer) error {
		return read(func(data []float32) error { return safetensors.WriteFloat32(w, data) })
	}}
}

// checksum is the SHA-256, in hex, of the header and of every array with its name, dtype, shape and length.
func checksum(text string, arrays map[string]safetensors.Source) (string, error) {
	hash := sha256.New()
	add := func(b []byte) {
		binary.Write(hash, binary.LittleEndian, uint64(len(b)))
		hash.Write(b)
	}
	add([]byte(text))
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		t := arrays[name]
		add(fmt.Appendf(nil, "%s %s %v", name, t.DType, t.Shape))
		size, err := t.Bytes()
		if err != nil {
			return "", fmt.Errorf("tensor %q: %w", name, err)
		}
		binary.Write(hash, binary.LittleEndian, uint64(size))
		if err := t.WriteTo(hash); err != nil {
			return "", fmt.Errorf("tensor %q: %w", name, err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// weightsSum is the SHA-256, in hex, of the weights alone, by which runs that ended in the same bits are known.
func (c *Checkpoint) weightsSum() string {
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(c.Values)) {
		fmt.Fprintf(hash, "%s %d\n", name, len(c.Values[name]))
		safetensors.WriteFloat32(hash, c.Values[name]) // a hash takes everything
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// ReadCheckpoint reads and verifies the checkpoint at path. A file that is cut short, damaged or of another kind gives an
// error that names it.
func ReadCheckpoint(path string) (*Checkpoint, error) {
	tensors, metadata, err := safetensors.Read(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	text, ok := metadata[headerKey]
	if !ok {
		return nil, fmt.Errorf("checkpoint: %s was not written by captionlab", path)
	}
	sources := make(map[string]safetensors.Source)
	for name, t := range tensors {
		sources[name] = t.Source()
	}
	if sum, err := checksum(text, sources); err != nil || sum != metadata[sumKey] {
		return nil, fmt.Errorf("checkpoint: %s is damaged: its checksum does not match", path)
	}
	decoded := json.NewDecoder(strings.NewReader(text))
	decoded.DisallowUnknownFields()
	var h header
	if err := decoded.Decode(&h); err != nil || h.Format != 1 || h.Vocabulary == nil {
		return nil, fmt.Errorf("checkpoint: %s is of format %d, not of this version's: %v", path, h.Format, err)
	}
	c := &Checkpoint{Settings: h.Settings, Vocabulary: h.Vocabulary, Encoder: h.Encoder, Dataset: h.Dataset, Data: h.Data,
		Training: h.Training, Values: make(decoder.Values), State: make(decoder.State)}
	for name, t := range tensors {
		data, err := t.Float32()
		if err != nil {
			return nil, fmt.Errorf("checkpoint: %s: tensor %q: %w", path, name, err)
		}
		if weight, ok := strings.CutPrefix(name, "model/"); ok {
			c.Values[weight] = data
		} else if state, ok := strings.CutPrefix(name, "adam/"); ok {
			c.State[state] = data
		}
	}
	return c, nil
}

// writeLast stores the checkpoint as the last one of a run and keeps the one before.
func (c *Checkpoint) writeLast(dir string, t *decoder.Trainer) error {
	fresh := filepath.Join(dir, "next.safetensors")
	if err := c.write(fresh, t, true); err != nil {
		return err
	}
	last := filepath.Join(dir, LastCheckpoint)
	if err := os.Rename(last, filepath.Join(dir, previousFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return os.Rename(fresh, last)
}

// readLast returns the checkpoint to go on from: the last one, or the one before where the last one is missing or damaged,
// which warn is told. None at all is (nil, nil).
func readLast(dir string, warn func(string)) (*Checkpoint, error) {
	var problems []error
	for _, name := range []string{LastCheckpoint, previousFile} {
		c, err := ReadCheckpoint(filepath.Join(dir, name))
		if err == nil {
			if len(problems) > 0 {
				warn(fmt.Sprintf("%v; going on from the checkpoint before it (epoch %d, batch %d)", errors.Join(problems...), c.Training.Epoch, c.Training.Batch))
			}
			return c, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, err)
		}
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("no usable checkpoint in %s: %w; remove the folder to begin anew", dir, errors.Join(problems...))
	}
	return nil, nil
}

// model is the decoder that the settings describe.
func (c *Checkpoint) model(cell decoder.Cell) (decoder.Model, error) {
	if cell == nil {
		var err error
		if cell, err = decoder.Builtin(c.Settings.Cell); err != nil {
			return decoder.Model{}, err
		}
	}
	if cell.Name() != c.Settings.Cell {
		return decoder.Model{}, fmt.Errorf("the settings name cell %q, the cell given is %q", c.Settings.Cell, cell.Name())
	}
	return decoder.Model{Cell: cell, Vocabulary: c.Vocabulary.Len(), Features: c.Encoder.FeatureDim,
		Embedding: c.Settings.Embedding, Hidden: c.Settings.Hidden, ImageFirst: c.Settings.ImageInject == "first"}, nil
}
