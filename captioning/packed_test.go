package captioning

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	"captionlab/captioning/decoder"
	"captionlab/captioning/safetensors"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

// packedToy trains the toy model for an epoch and packs it in every way.
func packedToy(t *testing.T) (run string, files map[string]string) {
	t.Helper()
	r := newToyRun(t, t.TempDir())
	r.Settings.Epochs = 2
	_, err := r.train(xlatest.OpenForTest(t))
	must(t, err)
	c, err := ReadCheckpoint(filepath.Join(r.Dir, bestFile))
	must(t, err)
	files = make(map[string]string)
	dir := t.TempDir()
	for _, packing := range Packings {
		files[packing] = filepath.Join(dir, packing+".safetensors")
		must(t, c.Pack(files[packing], packing))
	}
	wantError(t, c.Pack(filepath.Join(dir, "x"), "int4"), `unknown packing "int4"`, "int8, bfloat16, float32")
	return r.Dir, files
}

func TestPackedModels(t *testing.T) {
	run, files := packedToy(t)
	backend := xlatest.OpenForTest(t)
	whole, err := OpenModel(backend, run, ModelOptions{})
	must(t, err)
	defer whole.Close()
	data := toyData(t)
	var ids []string
	for _, ex := range data.Dataset.Examples(datasets.Test) {
		ids = append(ids, ex.ID)
	}
	rows, err := data.Rows(context.Background(), ids)
	must(t, err)
	want, err := whole.CaptionFeatures(ids, rows, decoder.GenerateOptions{})
	must(t, err)
	for packing, tolerance := range map[string]float64{"float32": 0, "bfloat16": 0.05, "int8": 0.1} {
		m, err := OpenModel(backend, files[packing], ModelOptions{})
		must(t, err)
		defer m.Close()
		got, err := m.CaptionFeatures(ids, rows, decoder.GenerateOptions{})
		must(t, err)
		for i := range got {
			if d := math.Abs(got[i].LogProb - want[i].LogProb); d > tolerance || got[i].Text != want[i].Text {
				t.Errorf("%s: image %s: %q with %g, want %q with %g", packing, ids[i], got[i].Text, got[i].LogProb,
					want[i].Text, want[i].LogProb)
			}
		}
		again := files[packing] + ".again"
		must(t, m.Checkpoint.Pack(again, packing))
		first, err := os.ReadFile(files[packing])
		must(t, err)
		second, err := os.ReadFile(again)
		must(t, err)
		if packing != "int8" && !bytes.Equal(first, second) {
			t.Errorf("%s: a packed model that is packed again has other bytes", packing)
		}
	}
	if !IsRun(run) || !IsRun(files["int8"]) || IsRun(filepath.Dir(files["int8"])) || IsRun(files["int8"]+".again") {
		t.Error("IsRun knows runs and packed models, and nothing else")
	}
}

func TestPackedSizes(t *testing.T) {
	_, files := packedToy(t)
	tensors, _, err := safetensors.Read(files["float32"])
	must(t, err)
	matrices := 0
	for _, x := range tensors {
		if len(x.Shape) == 2 {
			matrices += len(x.Data) / 4
		}
	}
	for packing, bytesEach := range map[string]int{"float32": 4, "bfloat16": 2, "int8": 1} {
		tensors, _, err := safetensors.Read(files[packing])
		must(t, err)
		size := 0
		for _, x := range tensors {
			if len(x.Shape) == 2 {
				size += len(x.Data)
			}
		}
		if want := bytesEach * matrices; size != want {
			t.Errorf("%s: %d matrix elements take %d bytes, want %d", packing, matrices, size, want)
		}
	}
}

// TestDamagedPackedModels: scales that do not fit, and bytes changed in place, are errors that name the file.
func TestDamagedPackedModels(t *testing.T) {
	_, files := packedToy(t)
	tensors, metadata, err := safetensors.Read(files["int8"])
	must(t, err)
	name := scalePrefix + "output.weight"
	if _, ok := tensors[name]; !ok {
		t.Fatalf("no %s among the tensors", name)
	}
	for _, change := range []func(map[string]safetensors.Tensor){
		func(all map[string]safetensors.Tensor) { delete(all, weightPrefix+"output.weight") },
		func(all map[string]safetensors.Tensor) { all[name] = safetensors.FromFloat32([]int{1}, []float32{1}) },
		func(all map[string]safetensors.Tensor) { delete(all, name) },
	} {
		copied := make(map[string]safetensors.Tensor)
		sources := make(map[string]safetensors.Source)
		for k, v := range tensors {
			copied[k] = v
		}
		change(copied)
		for k, v := range copied {
			sources[k] = v.Source()
		}
		sum, err := checksum(metadata[headerKey], sources)
		must(t, err)
		file := filepath.Join(t.TempDir(), "bad.safetensors")
		must(t, safetensors.Write(file, copied, map[string]string{headerKey: metadata[headerKey], sumKey: sum}))
		_, err = OpenModel(xlatest.OpenForTest(t), file, ModelOptions{})
		wantError(t, err, file)
	}
	damage(t, files["int8"], func(data []byte) []byte { data[len(data)-1] ^= 1; return data })
	_, err = OpenModel(xlatest.OpenForTest(t), files["int8"], ModelOptions{})
	wantError(t, err, files["int8"], "checksum does not match")
}
