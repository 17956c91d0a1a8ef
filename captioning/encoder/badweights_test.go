package encoder

import (
	"archive/zip"
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/safetensors"
)

func writeFile(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "weights.pth")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func readTestdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// zipped returns a PyTorch archive with the given pickle and storages.
func zipped(t testing.TB, pickle string, storages map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	add := func(name, content string) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = f.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("archive/data.pkl", pickle)
	for key, content := range storages {
		add("archive/data/"+key, content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// tensorPickle returns {"w": a tensor of the FloatStorage "0"} in pickle protocol 0. The view is the tensor's size
// and strides.
func tensorPickle(count, offset, view string) string {
	return "(dS'w'\nctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI" + count +
		"\ntQI" + offset + "\n" + view + "I00\nNtRs."
}

// badTensor returns an archive with the tensor of tensorPickle, and the bytes of its storage.
func badTensor(t testing.TB, storage, count, offset, view string) []byte {
	t.Helper()
	return zipped(t, tensorPickle(count, offset, view), map[string]string{"0": storage})
}

func TestTinyFilesOfBothFormats(t *testing.T) {
	for _, name := range []string{"tiny.pth", "tiny_legacy.pth"} {
		tensors, err := readTorch(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		weight, err := tensors["a.weight"].Float32()
		shape := tensors["a.weight"].Shape
		if err != nil || !slices.Equal(shape, []int{3, 2}) || !slices.Equal(weight, []float32{0, 3, 1, 4, 2, 5}) {
			t.Errorf("%s: %v %v, %v", name, shape, weight, err)
		}
		bias, err := tensors["a.bias"].Float32()
		if err != nil || !slices.Equal(bias, []float32{0.5, -0.5}) {
			t.Errorf("%s: %v, %v", name, bias, err)
		}
	}
}

// TestCutFiles: wherever a file is cut, the error names it, and there is no panic.
func TestCutFiles(t *testing.T) {
	for _, name := range []string{"tiny.pth", "tiny_legacy.pth"} {
		data := readTestdata(t, name)
		path := filepath.Join(t.TempDir(), name)
		for n := 0; n < len(data); n += 1 + len(data)/97 {
			if err := os.WriteFile(path, data[:n], 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := readTorch(path); err == nil || !strings.Contains(err.Error(), path) {
				t.Fatalf("%s cut to %d of %d bytes: error %v", name, n, len(data), err)
			}
		}
	}
}

// TestFlippedBytes: whichever byte of a file is wrong, it is read whole or refused, without a panic.
func TestFlippedBytes(t *testing.T) {
	for _, name := range []string{"tiny.pth", "tiny_legacy.pth"} {
		data := readTestdata(t, name)
		for i := range data {
			for _, bits := range []byte{0x01, 0x80, 0xff} {
				data[i] ^= bits
				tensors, err := readTorchFrom(bytes.NewReader(data), int64(len(data)))
				if err == nil {
					checkTensors(t, tensors)
				}
				data[i] ^= bits
			}
		}
	}
}

func TestBadWeightFiles(t *testing.T) {
	hostile := "cos\nsystem\n(S'touch harmed'\ntR."
	flipped := readTestdata(t, "tiny.pth")
	flipped[bytes.LastIndex(flipped, []byte{0, 0, 0x40, 0x40})+2] ^= 1 // in the storage that holds 3.0
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty", nil, "0 bytes"},
		{"text", []byte("words instead of weights"), "not a PyTorch file"},
		{"code, old format", []byte(hostile), "os.system"},
		{"code, zip", zipped(t, hostile, nil), "names the code os.system"},
		{"code that looks harmless", zipped(t, "cbuiltins\neval\n(S'1'\ntR.", nil), "builtins.eval"},
		{"code of PyTorch itself", zipped(t, "ctorch\nload\n(S'x'\ntR.", nil), "torch.load"},
		{"not a dictionary", zipped(t, "I5\n.", nil), "not a dictionary of tensors"},
		{"no tensors", zipped(t, "(d.", nil), "no tensors"},
		{"a dictionary that holds itself", zipped(t, "(dp0\nS'model'\ng0\ns.", nil), "no tensors"},
		{"zip of something else", func() []byte {
			var out bytes.Buffer
			zip.NewWriter(&out).Close()
			return append([]byte("PK\x03\x04"), out.Bytes()...)
		}(), "weights.pth"},
		{"missing storage",
			zipped(t, tensorPickle("2", "0", "(I2\nt(I1\nt"), nil), `storage "0" is missing`},
		{"short storage",
			badTensor(t, "abcd", "2", "0", "(I2\nt(I1\nt"), "claims 8 bytes, the archive holds 4"},
		{"storage of 100 GB",
			badTensor(t, "abcd", "25000000000", "0", "(I2\nt(I1\nt"), "claims 100000000000 bytes"},
		{"negative count",
			badTensor(t, "abcdefgh", "-2", "0", "(I2\nt(I1\nt"), "malformed"},
		{"beyond the storage",
			badTensor(t, "abcdefgh", "2", "1", "(I2\nt(I1\nt"), "reaches beyond its storage of 2"},
		{"negative offset",
			badTensor(t, "abcdefgh", "2", "-1", "(I1\nt(I1\nt"), "offset -1"},
		{"negative stride",
			badTensor(t, "abcdefgh", "2", "1", "(I2\nt(I-1\nt"), "strides [-1]"},
		{"huge tensor of stride 0",
			badTensor(t, "abcdefgh", "2", "0", "(I99999999999\nt(I0\nt"), "does not fit its storage"},
		{"strides and sizes differ",
			badTensor(t, "abcdefgh", "2", "0", "(I2\nI1\nt(I1\nt"), "malformed"},
		{"flipped bit", flipped, "damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := writeFile(t, c.content)
			_, err := readWeights(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want one that contains %q and names the file", err, c.want)
			}
			if _, err := os.Stat("harmed"); err == nil {
				t.Fatal("the file ran a command")
			}
		})
	}
	if _, err := readWeights(t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
	_, err := readWeights(filepath.Join(t.TempDir(), "none.pth"))
	if err == nil || !strings.Contains(err.Error(), "none.pth") {
		t.Errorf("a missing file: %v", err)
	}
}

// oneLayer returns a network of one convolution, and its tensors.
func oneLayer() (*network, map[string]safetensors.Tensor) {
	tensors := map[string]safetensors.Tensor{
		"conv.weight":              safetensors.FromFloat32([]int{2, 1, 1, 1}, []float32{1, 2}),
		"norm.weight":              safetensors.FromFloat32([]int{2}, []float32{1, 1}),
		"norm.bias":                safetensors.FromFloat32([]int{2}, []float32{0, 1}),
		"norm.running_mean":        safetensors.FromFloat32([]int{2}, []float32{0, 3}),
		"norm.running_var":         safetensors.FromFloat32([]int{2}, []float32{1, 4}),
		"norm.num_batches_tracked": {DType: "I64", Shape: []int{}, Data: make([]byte, 8)},
		"fc.weight":                safetensors.FromFloat32([]int{1}, []float32{1}),
	}
	convs := []convSpec{{conv: "conv", norm: "norm", out: 2, in: 1, k: 1}}
	return &network{convs: convs, ignored: []string{"fc."}}, tensors
}

func TestWrongTensors(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name   string
		change func(map[string]safetensors.Tensor)
		want   []string
	}{
		{"missing", func(m map[string]safetensors.Tensor) { delete(m, "norm.bias") },
			[]string{`tensor "norm.bias" is missing`}},
		{"extra", func(m map[string]safetensors.Tensor) { m["odd"] = m["norm.bias"] },
			[]string{`tensor "odd" belongs to no layer`}},
		{"shape", func(m map[string]safetensors.Tensor) {
			m["norm.bias"] = safetensors.FromFloat32([]int{3}, []float32{1, 2, 3})
		}, []string{`"norm.bias" has shape [3], want [2]`}},
		{"dtype", func(m map[string]safetensors.Tensor) {
			m["norm.bias"] = safetensors.Tensor{DType: "BOOL", Shape: []int{2}, Data: []byte{0, 1}}
		}, []string{`"norm.bias"`, "BOOL"}},
		{"not a number", func(m map[string]safetensors.Tensor) {
			m["conv.weight"] = safetensors.FromFloat32([]int{2, 1, 1, 1}, []float32{1, nan})
		}, []string{`"conv.weight" holds numbers that are not finite`}},
		{"negative variance", func(m map[string]safetensors.Tensor) {
			m["norm.running_var"] = safetensors.FromFloat32([]int{2}, []float32{1, -4})
		}, []string{`"norm.running_var"`, "negative"}},
		{"several", func(m map[string]safetensors.Tensor) { clear(m) },
			[]string{"conv.weight", "norm.bias", "running_mean"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			net, tensors := oneLayer()
			c.change(tensors)
			_, err := net.fold(tensors)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %v does not contain %q", err, want)
				}
			}
		})
	}
	net, tensors := oneLayer()
	layers, err := net.fold(tensors)
	if err != nil || !slices.Equal(layers[0].kernel.Data, []float32{1, 1}) ||
		!slices.Equal(layers[0].bias.Data, []float32{0, -0.5}) {
		t.Errorf("%+v, %v", layers, err)
	}
}
