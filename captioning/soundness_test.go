package captioning

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/safetensors"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

// rewritten changes the header and the arrays of the checkpoint in file and writes it again with a right checksum.
func rewritten(t *testing.T, file string, change func(h *header, arrays map[string]safetensors.Tensor)) {
	t.Helper()
	arrays, metadata, err := safetensors.Read(file)
	must(t, err)
	h, err := parseHeader(file, metadata[headerKey])
	must(t, err)
	change(h, arrays)
	text, err := json.Marshal(h)
	must(t, err)
	sources := make(map[string]safetensors.Source)
	for name, a := range arrays {
		sources[name] = a.Source()
	}
	sum, err := checksum(string(text), sources)
	must(t, err)
	must(t, safetensors.Write(file, arrays, map[string]string{headerKey: string(text), sumKey: sum}))
}

// filled replaces the numbers of an array, or of all if name is empty.
func filled(name string, x float32) func(*header, map[string]safetensors.Tensor) {
	return func(_ *header, arrays map[string]safetensors.Tensor) {
		for n, a := range arrays {
			if name == "" || n == name {
				values := make([]float32, len(a.Data)/4)
				for i := range values {
					values[i] = x
				}
				arrays[n] = safetensors.FromFloat32(a.Shape, values)
			}
		}
	}
}

// one replaces one number of an array.
func one(name string, place int, x float32) func(*header, map[string]safetensors.Tensor) {
	return func(_ *header, arrays map[string]safetensors.Tensor) {
		values, _ := arrays[name].Float32()
		values[place] = x
		arrays[name] = safetensors.FromFloat32(arrays[name].Shape, values)
	}
}

func inHeader(change func(h *header)) func(*header, map[string]safetensors.Tensor) {
	return func(h *header, _ map[string]safetensors.Tensor) { change(h) }
}

// nonsense is what a checkpoint with a right checksum may hold that no training writes, and what the error says.
var nonsense = map[string]struct {
	change func(*header, map[string]safetensors.Tensor)
	want   string
}{
	"all zero":         {filled("", 0), "are 0"},
	"all 1":            {filled("", 1), "are 1"},
	"all 3e38":         {filled("", 3e38), "is 3e+38"},
	"all NaN":          {filled("", float32(math.NaN())), "is NaN"},
	"all infinite":     {filled("", float32(math.Inf(-1))), "is -Inf"},
	"zero output":      {filled("model/output.weight", 0), "output.weight"},
	"zero bias":        {filled("model/output.bias", 0), "output.bias"},
	"one NaN":          {one("model/cell.weight_hh", 5, float32(math.NaN())), `cell.weight_hh" is NaN at position 5`},
	"one large":        {one("model/output.bias", 2, 1e38), `output.bias" is 1e+38 at position 2`},
	"other shape":      {transposed("model/output.weight"), "shape"},
	"a weight missing": {func(_ *header, a map[string]safetensors.Tensor) { delete(a, "model/image.bias") }, "missing"},
	"integers": {func(_ *header, a map[string]safetensors.Tensor) {
		a["model/image.bias"] = safetensors.Tensor{DType: "I32", Shape: []int{24}, Data: make([]byte, 96)}
	}, "no floating-point"},
	"another array": {func(_ *header, a map[string]safetensors.Tensor) {
		a["other"] = safetensors.FromFloat32([]int{1}, []float32{1})
	}, `"other" belongs to no checkpoint`},
	"another weight": {func(_ *header, a map[string]safetensors.Tensor) {
		a["model/other"] = safetensors.FromFloat32([]int{1}, []float32{1})
	}, "weights given"},
	"hidden size":    {inHeader(func(h *header) { h.Settings.Hidden++ }), "two runs"},
	"no hidden size": {inHeader(func(h *header) { h.Settings.Hidden = 0 }), "hidden=0"},
	"no features":    {inHeader(func(h *header) { h.Encoder.FeatureDim = -1 }), "-1 features"},
	"best epoch":     {inHeader(func(h *header) { h.Training.Best = 999 }), "best epoch 999"},
	"fewer epochs":   {inHeader(func(h *header) { h.Training.Curve = nil }), "0 points of the curve"},
	"negative batch": {inHeader(func(h *header) { h.Training.Batch = -1 }), "batch -1"},
	"unknown cell":   {inHeader(func(h *header) { h.Settings.Cell = "gru" }), "two runs"},
}

func transposed(name string) func(*header, map[string]safetensors.Tensor) {
	return func(_ *header, arrays map[string]safetensors.Tensor) {
		a := arrays[name]
		a.Shape = []int{a.Shape[1], a.Shape[0]}
		arrays[name] = a
	}
}

func TestCheckpointsThatHoldNonsense(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	for name, c := range nonsense {
		t.Run(name, func(t *testing.T) {
			run := copyRun(t, newToyRun(t, wholeRun(t)))
			best := filepath.Join(run.Dir, bestFile)
			rewritten(t, best, c.change)
			_, err := OpenModel(backend, run.Dir, ModelOptions{})
			wantError(t, err, run.Dir, c.want)
		})
	}
	t.Run("empty word", func(t *testing.T) {
		_, err := parseHeader("x", `{"format":1,"settings":`+settingsText(t)+`,"encoder":{"feature_dim":2},`+
			`"vocabulary":["<pad>","<start>","<end>","<unk>"," "]}`)
		wantError(t, err, "x", "word 4 of the vocabulary is empty")
	})
	t.Run("pipe", func(t *testing.T) {
		dir := t.TempDir()
		must(t, syscall.Mkfifo(filepath.Join(dir, bestFile), 0o600))
		_, err := OpenModel(backend, dir, ModelOptions{})
		wantError(t, err, dir, "not a regular file")
		must(t, os.Rename(filepath.Join(dir, bestFile), filepath.Join(dir, lastFile)))
		_, err = ReadProgress(dir)
		wantError(t, err, dir, "not a regular file")
	})
}

func settingsText(t *testing.T) string {
	text, err := json.Marshal(toySettings())
	must(t, err)
	return string(text)
}

// A last checkpoint with nonsense is treated like a damaged one, and one of another model is an error.
func TestResumeFromNonsense(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	for name, change := range map[string]func(*header, map[string]safetensors.Tensor){
		"weight": one("model/output.bias", 1, float32(math.NaN())),
		"moment": one("adam/model/output.bias_1st_moment", 1, float32(math.Inf(1))),
	} {
		t.Run(name, func(t *testing.T) {
			run := stoppedRun(t)
			rewritten(t, filepath.Join(run.Dir, lastFile), change)
			var warned string
			run.Warn = func(line string) { warned = line }
			r, err := beginRun(context.Background(), run.data, run.TrainConfig)
			must(t, err)
			defer r.close()
			if r.at.Batch != 4 {
				t.Errorf("the run resumes from batch %d, want 4", r.at.Batch)
			}
			wantError(t, errors.New(warned), lastFile, "output.bias", "previous checkpoint")
		})
	}
	for name, change := range map[string]func(*header, map[string]safetensors.Tensor){
		"no moment":       func(_ *header, a map[string]safetensors.Tensor) { delete(a, "adam/step") },
		"negative moment": one("adam/model/output.bias_2nd_moment", 1, -1),
		"other vocabulary": func(_ *header, a map[string]safetensors.Tensor) {
			a["model/output.bias"] = safetensors.FromFloat32([]int{2}, []float32{1, 2})
		},
	} {
		t.Run(name, func(t *testing.T) {
			run := stoppedRun(t)
			rewritten(t, filepath.Join(run.Dir, lastFile), change)
			_, err := run.train(backend)
			wantError(t, err, run.Dir, "not of this model")
		})
	}
}

// Weights that overflow in generation are an error that names the run, although each of them could be of a model.
func TestModelWhoseLogitsOverflow(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	run := copyRun(t, newToyRun(t, wholeRun(t)))
	m, err := OpenModel(backend, run.Dir, ModelOptions{})
	must(t, err)
	defer m.Close()
	rows, err := run.data.Rows(context.Background(), []string{"test-0", "test-1"})
	must(t, err)
	for _, x := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
		row := append([]float32(nil), rows[1]...)
		row[3] = x
		_, err = m.CaptionFeatures([]string{"test-0", "bad"}, [][]float32{rows[0], row}, generateDefaults)
		wantError(t, err, "image bad: feature 3 is")
	}
	huge := &Model{Checkpoint: m.Checkpoint, source: run.Dir, backend: backend}
	values := m.Checkpoint.Values
	for i := range values["output.weight"] {
		values["output.weight"][i] = float32(math.Copysign(math.MaxFloat32, float64(values["output.weight"][i])))
	}
	description, err := m.Checkpoint.model(nil)
	must(t, err)
	huge.decoder, err = decoder.New(backend, description, values)
	must(t, err)
	defer huge.Close()
	_, err = huge.CaptionSplit(context.Background(), run.data, datasets.Test, generateDefaults)
	wantError(t, err, run.Dir, "image 0", "logits are not finite")
	_, err = huge.Losses(context.Background(), run.data, datasets.Test, false)
	wantError(t, err, run.Dir, "test split of toy")
}

// A step that makes weights infinite is noticed before they replace a good checkpoint, even if no loss shows it.
func TestDivergedWeightsDoNotReplaceACheckpoint(t *testing.T) {
	run := stoppedRun(t)
	r, err := beginRun(context.Background(), run.data, run.TrainConfig)
	must(t, err)
	defer r.close()
	must(t, r.prepare(context.Background(), xlatest.OpenForTest(t)))
	before, err := os.ReadFile(filepath.Join(run.Dir, lastFile))
	must(t, err)
	must(t, r.trainer.SetLearningRate(math.MaxFloat32))
	r.stepper.plan(0)
	must(t, r.step())
	wantError(t, r.stop(), "tensor", run.Dir, "at step 8 (epoch 1", "the last good checkpoint", "lower learning rate")
	after, err := os.ReadFile(filepath.Join(run.Dir, lastFile))
	must(t, err)
	if string(before) != string(after) {
		t.Error("the checkpoint was replaced")
	}
}

func TestCheckpointsOfTwoRuns(t *testing.T) {
	run := copyRun(t, newToyRun(t, wholeRun(t)))
	rewritten(t, filepath.Join(run.Dir, lastFile), inHeader(func(h *header) { h.Data = "another" }))
	_, err := OpenModel(xlatest.OpenForTest(t), run.Dir, ModelOptions{})
	wantError(t, err, run.Dir, "two runs", bestFile, lastFile)
	must(t, os.Remove(filepath.Join(run.Dir, bestFile)))
	_, err = OpenModel(xlatest.OpenForTest(t), run.Dir, ModelOptions{})
	wantError(t, err, run.Dir, "holds no "+bestFile, "resume")
	if err := (Training{Epoch: 1, Curve: []experiment.CurvePoint{{Epoch: 2}}}).check(); err == nil {
		t.Error("a curve that begins with epoch 2 was accepted")
	}
}
