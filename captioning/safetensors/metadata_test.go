package safetensors

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadMetadata(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	tensors := map[string]Tensor{
		"a": FromFloat32([]int{2, 3}, make([]float32, 6)),
		"b": FromFloat32([]int{1}, []float32{7}),
	}
	if err := Write(path, tensors, map[string]string{"key": "value"}); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadMetadata(path); err != nil || got["key"] != "value" {
		t.Errorf("metadata %v, error %v", got, err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"cut":          whole[:len(whole)-1],
		"longer":       append(whole[:len(whole):len(whole)], 0),
		"empty":        nil,
		"only a count": whole[:8],
		"other text":   []byte(strings.Repeat("not safetensors ", 9)),
	} {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadMetadata(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one that names the file", name, err)
		}
	}
}
