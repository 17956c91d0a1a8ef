package safetensors

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	in := map[string]Tensor{
		"b": FromFloat32([]int{2, 2}, []float32{1, -2, 3.5, float32(math.Inf(1))}),
		"a": {DType: "I64", Shape: nil, Data: make([]byte, 8)},
		"c": {DType: "U8", Shape: []int{0, 3}, Data: nil},
	}
	if err := Write(path, in, map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	out, metadata, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if metadata["k"] != "v" || len(out) != 3 {
		t.Fatalf("metadata %v, %d tensors", metadata, len(out))
	}
	got, err := out["b"].Float32()
	if err != nil || !slices.Equal(got, []float32{1, -2, 3.5, float32(math.Inf(1))}) {
		t.Fatalf("b = %v, %v", got, err)
	}
	if _, err := out["a"].Float32(); err == nil {
		t.Fatal("an integer tensor was read as floats")
	}
}

func TestNarrowFloats(t *testing.T) {
	for _, c := range []struct {
		dtype string
		data  []byte
		want  float32
	}{
		// Bit patterns derived by hand from IEEE 754 binary16 and from bfloat16 = upper half of binary32.
		{"F16", []byte{0x00, 0x3c}, 1},
		{"F16", []byte{0x01, 0x00}, 5.9604645e-08}, // smallest subnormal, 2^-24
		{"F16", []byte{0xff, 0xfb}, -65504},
		{"BF16", []byte{0x20, 0xc0}, -2.5},
	} {
		got, err := Tensor{DType: c.dtype, Shape: []int{1}, Data: c.data}.Float32()
		if err != nil || got[0] != c.want {
			t.Errorf("%s % x = %v, %v; want %v", c.dtype, c.data, got, err, c.want)
		}
	}
}

func TestDamagedFiles(t *testing.T) {
	var whole bytes.Buffer
	if err := Encode(&whole, map[string]Tensor{"w": FromFloat32([]int{3}, []float32{1, 2, 3})}, nil); err != nil {
		t.Fatal(err)
	}
	for n := range whole.Len() {
		if _, _, err := Decode(whole.Bytes()[:n]); err == nil {
			t.Fatalf("a file cut to %d of %d bytes was read", n, whole.Len())
		}
	}
	path := filepath.Join(t.TempDir(), "cut.safetensors")
	if err := os.WriteFile(path, whole.Bytes()[:whole.Len()-1], 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err := Read(path)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), `"w"`) {
		t.Fatalf("error %v does not name file and tensor", err)
	}
}
