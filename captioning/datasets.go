package captioning

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"

	"captionlab/captioning/encoder"
	"captionlab/captioning/weights"
	"captionlab/datasets"
	"captionlab/datasets/coco"
	"captionlab/datasets/flickr8k"
	"captionlab/datasets/shapes"
)

// DatasetNames are the names that OpenDataset knows.
var DatasetNames = []string{"shapes", "flickr8k", "coco"}

// DatasetOption changes how OpenDataset opens a dataset.
type DatasetOption func(*datasetOptions)

type datasetOptions struct{ split string }

// WithSplit chooses a split of COCO: "pa4", the paper's, which is the default; "karpathy"; a folder with three lists of ids; or a
// file like Karpathy's. See package datasets/coco. The other datasets have one split each.
func WithSplit(split string) DatasetOption { return func(o *datasetOptions) { o.split = split } }

// DatasetFolder is where the dataset called name is looked for: below $CAPTIONLAB_DATA, or, where that is not set, below data in
// the cache folder.
func DatasetFolder(name string) (string, error) {
	if root := os.Getenv("CAPTIONLAB_DATA"); root != "" {
		return filepath.Join(root, name), nil
	}
	cache, err := weights.CacheDir()
	return filepath.Join(cache, "data", name), err
}

// OpenDataset opens the dataset called name: "shapes", which needs no files, or "flickr8k" or "coco" in dir. An empty dir
// means the one that [DatasetFolder] names. The name that an opened dataset gives itself, as in "coco-karpathy", opens it again,
// unless its split was given by path.
func OpenDataset(name, dir string, options ...DatasetOption) (datasets.Dataset, error) {
	var o datasetOptions
	for _, option := range options {
		option(&o)
	}
	if split, ok := strings.CutPrefix(name, "coco-"); ok {
		name = "coco"
		if o.split == "" {
			o.split = split
		}
	}
	if !slices.Contains(DatasetNames, name) {
		return nil, fmt.Errorf("unknown dataset %q: the datasets are %s", name, strings.Join(DatasetNames, ", "))
	}
	if o.split != "" && name != "coco" {
		return nil, fmt.Errorf("dataset %s has one split alone, so %q cannot be chosen: leave it out", name, o.split)
	}
	if name == "shapes" {
		return shapes.Open()
	}
	if dir == "" {
		var err error
		if dir, err = DatasetFolder(name); err != nil {
			return nil, err
		}
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("dataset %s is not in %s: name its folder with --data, or its parent in CAPTIONLAB_DATA, or fetch it: captionlab fetch %s (%w)", name, dir, name, err)
		}
	}
	if name == "coco" {
		return coco.Open(dir, o.split)
	}
	return flickr8k.Open(dir)
}

// EncoderOptions choose an encoder. The zero value is ResNet-50, the paper's, wherever its weights are found, and else the
// small one, whose weights are fetched when they are needed.
type EncoderOptions struct {
	Name    string // see encoder.Names; empty means the default
	Weights string // a .pth or safetensors file; empty means where the encoder's weights are kept
}

// Names of the encoders that have a place where their weights are found.
const (
	resNet50 = "resnet50"
	small    = "efficientnet-lite0"
)

// OpenEncoder opens an encoder on a backend. Fails for an unknown name, for ResNet-50 when no weights are found or named,
// and for weights that are damaged or of another network.
func OpenEncoder(ctx context.Context, backend compute.Backend, o EncoderOptions) (*encoder.Encoder, error) {
	found, err := weights.ResNet50()
	if err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = small
		if found != "" || o.Weights != "" {
			o.Name = resNet50
		}
	}
	spec, err := encoder.Lookup(o.Name)
	if err != nil {
		return nil, err
	}
	switch {
	case o.Weights != "":
	case spec.Network() == resNet50 && found == "":
		return nil, fmt.Errorf("encoder %s: no weights found; name torchvision's .pth or a safetensors file with --weights", o.Name)
	case spec.Network() == resNet50:
		o.Weights = found
	default:
		source, err := weights.EfficientNetLite0(ctx)
		if err != nil {
			return nil, err
		}
		o.Weights = source.Path
	}
	return encoder.Open(backend, o.Name, o.Weights)
}

// Features returns the features of every picture of ds: out of the cache folder where they are complete, else computed,
// or completed, and kept there. e is opened by OpenEncoder; fingerprint is datasets.Fingerprint of ds.
func Features(ctx context.Context, ds datasets.Dataset, fingerprint string, e *encoder.Encoder, progress func(encoder.Progress)) (*encoder.Features, error) {
	cache, err := weights.CacheDir()
	if err != nil {
		return nil, err
	}
	folder := encoder.FeatureFolder(filepath.Join(cache, "features"), ds.Name(), fingerprint, e.Identity())
	if f, err := encoder.OpenFeatures(folder); err == nil {
		return f, nil
	}
	return encoder.BuildFeatures(ctx, ds, fingerprint, e, folder, encoder.FeatureOptions{Progress: progress})
}
