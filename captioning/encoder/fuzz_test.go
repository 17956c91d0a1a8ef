package encoder

import (
	"bytes"
	"strings"
	"testing"

	"captionlab/captioning/safetensors"
)

// checkTensors fails unless the data of the tensors has the length that their shapes imply.
func checkTensors(t *testing.T, tensors map[string]safetensors.Tensor) {
	t.Helper()
	if len(tensors) == 0 {
		t.Error("no tensors and no error")
	}
	for name, tensor := range tensors {
		total := dtypeBytes[tensor.DType]
		for _, n := range tensor.Shape {
			total *= n
		}
		if total != len(tensor.Data) {
			t.Errorf("tensor %q of shape %v and dtype %s has %d bytes",
				name, tensor.Shape, tensor.DType, len(tensor.Data))
		}
	}
}

// checkTorch fails unless data is read to tensors or refused in one line.
func checkTorch(t *testing.T, data []byte) {
	t.Helper()
	tensors, err := readTorchFrom(bytes.NewReader(data), int64(len(data)))
	switch {
	case err == nil:
		checkTensors(t, tensors)
	case len(err.Error()) > 800 || strings.Contains(err.Error(), "\n"):
		t.Errorf("error %.1000q of %d bytes", err, len(err.Error()))
	}
}

// fuzzPickles are dictionaries of a storage "0" of four numbers: good ones, and some that are refused.
func fuzzPickles() (good, bad []string) {
	storage, parameter := pStorage("0", 4), "ctorch._utils\n_rebuild_parameter\n"
	tensor := pTensor(storage, pInts(2, 2), pInts(1, 2))
	ordered := "ccollections\nOrderedDict\n)R"
	numbers := "](I7\nI01\nL9L\nL99999999999999999999L\nF1.5\nM\x01\x02J\xff\xff\xff\xff" +
		"G?\xf8\x00\x00\x00\x00\x00\x00N\x88\x8a\x00\x8a\x09ninebytese"
	good = []string{
		pDict(pText("w"), tensor), ordered + pText("w") + tensor + "s" + pDict(pText("_metadata"), ordered) + "b",
		pDict(pText("state_dict"), pDict(pText("w"), parameter+pTuple(tensor, "\x88", ordered)+"R")),
		pDict(pText("w"), "\x8c\x0ctorch._utils\x8c\x12_rebuild_tensor_v2\x93"+
			pTuple(storage, "K\x01", "K\x03\x85", "K\x01\x85", "\x89", ordered)+"R\x94"),
		pDict(pText("w"), tensor, pText("x"), numbers),
		pDict(pText("w"), tensor, pText("x"), "\x8f(C\x01aS'b'\nVc\nU\x01d\x90", "K\x01", "(K\x02l"),
		"(" + pText("w") + tensor + "d2p5\n00(1g5\n", // drops what it does not use
		pDict(pText("w"), tensor, pText("model"), pText("the name of a network")),
	}
	bad = []string{
		pOwnList, pOwnDict, pOwnTuple, pOwnList + "Q", pTensor(pOwnTuple, pInts(1), pInts(1)),
		pDict(pText("w"), pTensor(storage, pInts(2, 2), pInts(1<<62, 1<<62))),
		")q\x00h\x00\x86q\x01h\x01\x86", "\x85\x85",
	}
	return good, bad
}

func TestGoodPickles(t *testing.T) {
	good, _ := fuzzPickles()
	for _, p := range good {
		data := archived(t, stored("a/data.pkl", pickled(p)), stored("a/data/0", "data of 4 floats"))
		tensors, err := readTorchFrom(bytes.NewReader(data), int64(len(data)))
		numbers := string(tensors["w"].Data)
		if err != nil || len(tensors) != 1 || (numbers != "data4 fl of oats" && numbers != " of 4 floats") {
			t.Errorf("%q: %q, error %v", p, numbers, err)
		}
	}
}

// FuzzTorchFile fuzzes whole files, most of them archives.
func FuzzTorchFile(f *testing.F) {
	for _, name := range []string{"tiny.pth", "tiny_legacy.pth"} {
		f.Add(readTestdata(f, name))
	}
	good, bad := fuzzPickles()
	for _, p := range append(good, bad...) {
		f.Add(archived(f, stored("a/data.pkl", pickled(p)), stored("a/data/0", "data of 4 floats")))
	}
	f.Add(archived(f, deflated(f, "a/data.pkl", oneTensor(4), 1), deflated(f, "a/data/0", "data of 4 floats", 16)))
	f.Add(badTensor(f, "abcdefgh", "2", "0", "(I2\nt(I1\nt"))
	f.Fuzz(checkTorch)
}

// FuzzTorchPickle fuzzes the pickle in an archive.
func FuzzTorchPickle(f *testing.F) {
	good, bad := fuzzPickles()
	for _, p := range append(good, bad...) {
		f.Add([]byte(pickled(p)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkTorch(t, archived(t, stored("a/data.pkl", string(data)), stored("a/data/0", "data of 4 floats")))
	})
}

// FuzzTorchLegacy fuzzes files of the older format.
func FuzzTorchLegacy(f *testing.F) {
	f.Add(readTestdata(f, "tiny_legacy.pth"))
	good, bad := fuzzPickles()
	for _, p := range append(good, bad...) {
		f.Add(legacy(pInt(1001), p, "]"+pText("0")+"a", "\x04\x00\x00\x00\x00\x00\x00\x00data of 4 floats"))
	}
	f.Add(legacy(pOwnTuple, "}", pOwnList, ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte("PK")) {
			t.Skip("FuzzTorchFile reads archives")
		}
		checkTorch(t, data)
	})
}
