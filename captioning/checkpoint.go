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
	"captionlab/datasets/jsonfile"
)

// Names of the checkpoints in a run folder. The best one has the weights of the epoch with the lowest validation loss.
// The last one has everything that is needed to resume, and the previous one replaces it if it is damaged.
const (
	bestFile     = "best.safetensors"
	lastFile     = "last.safetensors"
	previousFile = "previous.safetensors"
)

// Checkpoint is a model during or after training. It holds everything needed to caption a new image except the
// encoder's weights, which it names by their checksum.
type Checkpoint struct {
	Settings   experiment.Settings
	Vocabulary *vocab.Vocabulary
	Encoder    encoder.Identity
	Dataset    string            // name
	Data       string            // fingerprint of the dataset
	Source     *Source           // of custom data; nil for others and for packed models
	From       *experiment.Start // the run that this one started from; nil for random weights
	Places     int               // of the encoder's grids, for a cell that looks at them; else 0
	Training   Training
	Values     decoder.Values
	State      decoder.State // optimizer; empty in the best checkpoint

	shapes map[string][]int // of Values, as stored in the file
}

// Training records how far a run is.
type Training struct {
	Epoch        int                     `json:"epoch"` // complete epochs
	Batch        int                     `json:"batch"` // finished batches of the next epoch
	LossSum      float64                 `json:"loss_sum"`
	RewardSum    float64                 `json:"reward_sum,omitempty"` // these two with loss=self-critical
	EntropySum   float64                 `json:"entropy_sum,omitempty"`
	Curve        []experiment.CurvePoint `json:"curve"` // one point per complete epoch
	Best         int                     `json:"best"`  // epoch with the lowest validation loss, from 1; 0: none yet
	LearningRate float64                 `json:"learning_rate"`
	Seconds      float64                 `json:"seconds"` // of training, without pauses
}

// Finished reports whether a run with these settings has come to its end: all epochs are trained, or the patience is
// used up.
func (t Training) Finished(s experiment.Settings) bool {
	return t.Epoch >= s.Epochs || s.Patience > 0 && t.Best > 0 && t.Epoch-t.Best >= s.Patience
}

// header is the JSON part of a checkpoint, stored in the metadata of the safetensors file.
type header struct {
	Format     int                 `json:"format"` // 1
	Settings   experiment.Settings `json:"settings"`
	Vocabulary *vocab.Vocabulary   `json:"vocabulary"`
	Encoder    encoder.Identity    `json:"encoder"`
	Dataset    string              `json:"dataset"`
	Data       string              `json:"fingerprint"`
	From       *experiment.Start   `json:"from,omitempty"`
	Places     int                 `json:"places,omitempty"`
	Training   Training            `json:"training"`
	Source     *Source             `json:"source,omitempty"`
}

const (
	headerKey = "captionlab"
	sumKey    = "sha256" // over the header and all arrays
)

// write stores the checkpoint at path, whole or not at all. It takes the arrays from the trainer, one at a time: those
// of the model and, with state, those of the optimizer. The error wraps errUnsound if the training has diverged.
func (c *Checkpoint) write(path string, t *decoder.Trainer, state bool) error {
	text, err := json.Marshal(c.header())
	if err != nil {
		return err
	}
	sources := make(map[string]safetensors.Source)
	for _, w := range t.Weights() {
		sources[weightPrefix+w.Name] = source(weightPrefix+w.Name, w.Shape,
			func(f func([]float32) error) error { return t.ReadWeight(w.Name, f) })
	}
	if state {
		for _, name := range t.StateNames() {
			size := 0
			if err := t.ReadState(name, func(data []float32) error { size = len(data); return nil }); err != nil {
				return err
			}
			sources[statePrefix+name] = source(statePrefix+name, []int{size},
				func(f func([]float32) error) error { return t.ReadState(name, f) })
		}
	}
	sum, err := checksum(string(text), sources)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	metadata := map[string]string{headerKey: string(text), sumKey: sum}
	if err := safetensors.WriteSources(path, sources, metadata); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// source is the array called name, which must be sound to be written.
func source(name string, shape []int, read func(f func(data []float32) error) error) safetensors.Source {
	return safetensors.Source{DType: "F32", Shape: shape, WriteTo: func(w io.Writer) error {
		return read(func(data []float32) error {
			if err := checkArray(name, data); err != nil {
				return err
			}
			return safetensors.WriteFloat32(w, data)
		})
	}}
}

// checksum is the SHA-256, in hex, of the header and every array with its name, dtype, shape and length.
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

// weightsSum is the SHA-256, in hex, of the weights only. Runs with equal sums ended in the same bits.
func (c *Checkpoint) weightsSum() string {
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(c.Values)) {
		fmt.Fprintf(hash, "%s %d\n", name, len(c.Values[name]))
		safetensors.WriteFloat32(hash, c.Values[name]) // writing to a hash never fails
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// ReadCheckpoint reads and verifies the checkpoint at path. It fails for a file that is cut short, damaged, of another
// kind, or holds numbers that are not those of a trained model, naming it.
func ReadCheckpoint(path string) (*Checkpoint, error) {
	tensors, metadata, err := safetensors.Read(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return newCheckpoint(path, tensors, metadata)
}

// newCheckpoint verifies the content of the checkpoint at path.
func newCheckpoint(path string, tensors map[string]safetensors.Tensor, metadata map[string]string) (
	*Checkpoint, error) {
	text, ok := metadata[headerKey]
	if !ok {
		return nil, fmt.Errorf("checkpoint: %s was not written by captionlab", path)
	}
	h, err := parseHeader(path, text)
	if err != nil {
		return nil, err
	}
	sources := make(map[string]safetensors.Source)
	for name, t := range tensors {
		sources[name] = t.Source()
	}
	if sum, err := checksum(text, sources); err != nil || sum != metadata[sumKey] {
		return nil, fmt.Errorf("checkpoint: %s is damaged: its checksum does not match", path)
	}
	c := &Checkpoint{
		Settings:   h.Settings,
		Vocabulary: h.Vocabulary,
		Encoder:    h.Encoder,
		Dataset:    h.Dataset,
		Data:       h.Data,
		Source:     h.Source,
		From:       h.From,
		Places:     h.Places,
		Training:   h.Training,
		Values:     make(decoder.Values),
		State:      make(decoder.State),
		shapes:     make(map[string][]int),
	}
	if err := unpack(tensors); err != nil {
		return nil, fmt.Errorf("checkpoint: %s: %w: pack the model again", path, err)
	}
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		if err := c.add(name, tensors[name]); err != nil {
			return nil, fmt.Errorf("checkpoint: %s: %w: use another checkpoint or train again", path, err)
		}
	}
	return c, nil
}

// add adds an array to the weights or to the optimizer's state.
func (c *Checkpoint) add(name string, t safetensors.Tensor) error {
	data, err := t.Float32()
	if err != nil {
		return fmt.Errorf("tensor %q: %w", name, err)
	}
	if weight, ok := strings.CutPrefix(name, weightPrefix); ok {
		c.Values[weight], c.shapes[weight] = data, t.Shape
	} else if state, ok := strings.CutPrefix(name, statePrefix); ok {
		c.State[state] = data
	} else {
		return fmt.Errorf("tensor %q belongs to no checkpoint", name)
	}
	return checkArray(name, data)
}

// writeLast stores the checkpoint as the last one of a run and keeps the previous one.
func (c *Checkpoint) writeLast(dir string, t *decoder.Trainer) error {
	fresh := filepath.Join(dir, "next.safetensors")
	if err := c.write(fresh, t, true); err != nil {
		return err
	}
	last := filepath.Join(dir, lastFile)
	if err := os.Rename(last, filepath.Join(dir, previousFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return os.Rename(fresh, last)
}

// readLast returns the checkpoint to resume from: the last one, or the previous one if the last one is missing or
// damaged, which it reports to warn. Without any checkpoint it returns (nil, nil).
func readLast(dir string, warn func(string)) (*Checkpoint, error) {
	return firstReadable(dir, ReadCheckpoint, func(c *Checkpoint, problem error) {
		warn(fmt.Sprintf("%v; resuming from the previous checkpoint (epoch %d, batch %d)",
			problem, c.Training.Epoch, c.Training.Batch))
	})
}

// ReadProgress returns how far the run in the folder dir is. It reads only the header of its last checkpoint (or of the
// previous one), whatever the size of the model. The error wraps fs.ErrNotExist if there is no checkpoint.
func ReadProgress(dir string) (Training, error) {
	h, err := lastHeader(dir)
	if err != nil {
		return Training{}, err
	}
	return h.Training, nil
}

// ReadSource is ReadProgress for the source of the run's data, which is nil unless it is custom data.
func ReadSource(dir string) (*Source, error) {
	h, err := lastHeader(dir)
	if err != nil {
		return nil, err
	}
	return h.Source, nil
}

func lastHeader(dir string) (*header, error) {
	h, err := firstReadable(dir, readHeader, nil)
	if err == nil && h == nil {
		err = fmt.Errorf("%s holds no checkpoint: %w", dir, fs.ErrNotExist)
	}
	return h, err
}

// firstReadable reads the last checkpoint or, if that fails, the previous one, and then calls fallback with the
// problem.
func firstReadable[T any](dir string, read func(path string) (*T, error), fallback func(*T, error)) (*T, error) {
	var problems []error
	for _, name := range []string{lastFile, previousFile} {
		c, err := read(filepath.Join(dir, name))
		if err == nil {
			if len(problems) > 0 && fallback != nil {
				fallback(c, errors.Join(problems...))
			}
			return c, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, err)
		}
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("no usable checkpoint in %s: %w; remove the folder to start again", dir,
			errors.Join(problems...))
	}
	return nil, nil
}

// readHeader reads the header of a checkpoint without its arrays.
func readHeader(path string) (*header, error) {
	metadata, err := safetensors.ReadMetadata(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	text, ok := metadata[headerKey]
	if !ok {
		return nil, fmt.Errorf("checkpoint: %s was not written by captionlab", path)
	}
	return parseHeader(path, text)
}

func parseHeader(path, text string) (*header, error) {
	h := new(header)
	if err := jsonfile.DecodeKnown("header", []byte(text), h); err != nil {
		return nil, fmt.Errorf("checkpoint: the header of %s is damaged or from another version: %w", path, err)
	}
	if h.Format != 1 || h.Vocabulary == nil {
		return nil, fmt.Errorf("checkpoint: %s has format %d, this version reads format 1", path, h.Format)
	}
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("checkpoint: the header of %s is damaged or from another version: %w", path, err)
	}
	return h, nil
}
