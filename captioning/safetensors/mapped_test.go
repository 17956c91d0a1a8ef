package safetensors

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMapIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	want := []float32{1, -2, 0.5, 3e-9}
	tensors := map[string]Tensor{"a": FromFloat32([]int{2, 2}, want),
		"b": {DType: "U8", Shape: []int{3}, Data: []byte("xyz")}, "none": {DType: "F32", Shape: []int{0}}}
	if err := Write(path, tensors, map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	got, metadata, err := Map(path)
	if err != nil {
		t.Fatal(err)
	}
	if metadata["k"] != "v" || len(got) != 3 || !bytes.Equal(got["b"].Data, []byte("xyz")) {
		t.Fatalf("%v, %v", got, metadata)
	}
	view, err := got["a"].View()
	if err != nil || !slices.Equal(view, want) {
		t.Fatalf("%v, %v, want %v", view, err, want)
	}
	if empty, err := got["none"].View(); err != nil || len(empty) != 0 {
		t.Errorf("%v, %v", empty, err)
	}
	if _, err := got["b"].View(); err == nil {
		t.Error("bytes were read as numbers")
	}

	// A file that is replaced by renaming another over it stays as it was for those who mapped it.
	if err := Write(path, map[string]Tensor{"a": FromFloat32([]int{1}, []float32{7})}, nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(view, want) {
		t.Errorf("after the file was replaced: %v, want %v", view, want)
	}
}

func TestViewOfUnalignedAndOfOtherNumbers(t *testing.T) {
	want := []float32{1, -2, 0.5}
	whole := FromFloat32([]int{3}, want)
	unaligned := append([]byte{0}, whole.Data...)[1:]
	for name, tensor := range map[string]Tensor{
		"unaligned": {DType: "F32", Shape: []int{3}, Data: unaligned},
		"bfloat16":  {DType: "BF16", Shape: []int{3}, Data: []byte{0x80, 0x3f, 0x00, 0xc0, 0x00, 0x3f}},
	} {
		if got, err := tensor.View(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, want)
		}
	}
	if _, err := (Tensor{DType: "F32", Shape: []int{4}, Data: whole.Data}).View(); err == nil {
		t.Error("data that is too short was accepted")
	}
}

func TestMapRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.safetensors")
	if err := Write(path, map[string]Tensor{"a": FromFloat32([]int{2}, []float32{1, 2})}, nil); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := os.WriteFile(path, whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Map(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Fatalf("a file cut to %d of %d bytes: %v", n, len(whole), err)
		}
	}
	for _, path := range []string{filepath.Join(dir, "none"), dir} {
		if _, _, err := Map(path); err == nil {
			t.Errorf("%s was mapped", path)
		}
	}
}

func TestNumbersOf16Bits(t *testing.T) {
	want := []uint16{0x3f80, 0xc000, 0x3f00}
	whole := From16("BF16", []int{3}, want)
	unaligned := append([]byte{0}, whole.Data...)[1:]
	for _, data := range [][]byte{whole.Data, unaligned} {
		got, err := View16[uint16](Tensor{DType: "BF16", Shape: []int{3}, Data: data}, "BF16")
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%x, %v, want %x", got, err, want)
		}
	}
	if floats, err := whole.Float32(); err != nil || !slices.Equal(floats, []float32{1, -2, 0.5}) {
		t.Errorf("%v, %v", floats, err)
	}
	for _, bad := range []Tensor{{DType: "F16", Shape: []int{3}, Data: whole.Data},
		{DType: "BF16", Shape: []int{4}, Data: whole.Data}} {
		if _, err := View16[uint16](bad, "BF16"); err == nil {
			t.Errorf("%s %v was accepted", bad.DType, bad.Shape)
		}
	}
}
