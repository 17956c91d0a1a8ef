package captioning

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/safetensors"
	"captionlab/captioning/vocab"
)

// tinyCheckpoint returns the file of a checkpoint of the smallest kind, with the optimizer's state if resumable.
func tinyCheckpoint(f *testing.F, resumable bool) []byte {
	f.Helper()
	words, err := vocab.FromWords([]string{"<pad>", "<start>", "<end>", "<unk>", "a", "dog"})
	must(f, err)
	s := toySettings()
	s.Cell, s.Embedding, s.Hidden = "rnn", 2, 2
	c := &Checkpoint{Settings: s, Vocabulary: words, Encoder: encoder.Identity{Name: "toy", FeatureDim: 2}}
	m, err := c.model(nil)
	must(f, err)
	text, err := json.Marshal(header{Format: 1, Settings: s, Vocabulary: words, Encoder: c.Encoder, Dataset: "toy",
		Data: "toy", Training: Training{Epoch: 1, Best: 1, LearningRate: 0.01,
			Curve: []experiment.CurvePoint{{Epoch: 1, TrainLoss: 2}}}})
	must(f, err)
	arrays := make(map[string]safetensors.Tensor)
	values := m.Initialize(1)
	for _, w := range m.Weights() {
		arrays[weightPrefix+w.Name] = safetensors.FromFloat32(w.Shape, values[w.Name])
		if resumable {
			for _, moment := range []string{"_1st_moment", "_2nd_moment"} {
				zeros := make([]float32, len(values[w.Name]))
				arrays[statePrefix+"model/"+w.Name+moment] = safetensors.FromFloat32([]int{len(zeros)}, zeros)
			}
		}
	}
	if resumable {
		arrays[statePrefix+"step"] = safetensors.FromFloat32([]int{1}, []float32{3})
	}
	data, err := withChecksum(arrays, string(text))
	must(f, err)
	return data
}

// withChecksum is the file of a checkpoint with that header and those arrays.
func withChecksum(arrays map[string]safetensors.Tensor, text string) ([]byte, error) {
	sources := make(map[string]safetensors.Source)
	for name, a := range arrays {
		sources[name] = a.Source()
	}
	sum, err := checksum(text, sources)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = safetensors.Encode(&out, arrays, map[string]string{headerKey: text, sumKey: sum})
	return out.Bytes(), err
}

// FuzzCheckpoint reads files as checkpoints. Since the checksum keeps most changes out, files that can be decoded get a
// right one, with the header replaced by text if that is not empty.
func FuzzCheckpoint(f *testing.F) {
	whole := tinyCheckpoint(f, true)
	_, metadata, err := safetensors.Decode(whole)
	must(f, err)
	text := metadata[headerKey]
	for _, data := range [][]byte{whole, tinyCheckpoint(f, false), whole[:len(whole)/2], whole[:8], nil,
		append(slices.Clone(whole), 0), []byte("not a checkpoint")} {
		f.Add(data, "")
		f.Add(data, text)
	}
	for old, replacement := range map[string]string{`"epoch":1`: `"epoch":-1`, `"best":1`: `"best":7`,
		`"hidden":2`: `"hidden":65536`, `"feature_dim":2`: `"feature_dim":1e99`, `"rnn"`: `"lstm"`, `"dog"`: `"a"`,
		`"format":1`: `"format":null`} {
		f.Add(whole, strings.ReplaceAll(text, old, replacement))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		readAsCheckpoint(t, dir, data)
		arrays, metadata, err := safetensors.Decode(data)
		if err != nil {
			return
		}
		if text == "" {
			text = metadata[headerKey]
		}
		if data, err = withChecksum(arrays, text); err == nil {
			readAsCheckpoint(t, dir, data)
		}
	})
}

// readAsCheckpoint reads data as the last and as the best checkpoint in dir. What can be read must be sound.
func readAsCheckpoint(t *testing.T, dir string, data []byte) {
	path := filepath.Join(dir, lastFile)
	must(t, os.WriteFile(path, data, 0o644))
	progress, problem := ReadProgress(dir)
	c, err := readLast(dir, func(string) {})
	if err != nil {
		wantError(t, err, path)
		return
	}
	if problem != nil || progress.Epoch != c.Training.Epoch {
		t.Fatalf("the checkpoint of epoch %d can be read, its progress %+v cannot: %v", c.Training.Epoch, progress,
			problem)
	}
	must(t, c.checkSameRun(filepath.Join(dir, bestFile)))
	c.Training.Finished(c.Settings)
	var m decoder.Model
	if m, err = c.model(nil); err != nil || c.fits(m) != nil {
		return
	}
	if c.Vocabulary.Len() <= vocab.NumSpecials || m.NumParameters() < 1 || c.weightsSum() == "" {
		t.Fatalf("a model of %d words and %d parameters", c.Vocabulary.Len(), m.NumParameters())
	}
	for name, values := range c.Values {
		must(t, checkArray(weightPrefix+name, values))
	}
}
