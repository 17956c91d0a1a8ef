package captioning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/gomlx/compute"

	"captionlab/captioning/encoder"
	"captionlab/captioning/internal/cache"
	"captionlab/captioning/score"
	"captionlab/datasets"
	"captionlab/datasets/custom"
)

// Data is a dataset with its fingerprint and, on demand, the features of its images. Safe for concurrent use.
type Data struct {
	Dataset     datasets.Dataset
	Fingerprint string  // see datasets.Fingerprint
	Source      *Source // of custom data; nil for others

	backend  compute.Backend
	options  DataOptions
	chosen   chosenEncoder
	identity encoder.Identity
	whole    *Data // of a subset, which shares its features

	mu       sync.Mutex
	features *encoder.Features
	encoder  *encoder.Encoder // only once it was needed
}

// DataOptions choose a dataset's folder and split and an encoder. The zero value is right if the dataset is in its
// usual folder.
type DataOptions struct {
	Dir, Split string // see OpenDataset
	// Custom says how custom data, opened by its path, is divided into splits. Dir, if not empty, replaces
	// Custom.Images.
	Custom  custom.Options
	Encoder EncoderOptions
	// Verify reads and hashes every image and all stored features again. Without it, files whose path, size and
	// modification time are unchanged count as unchanged.
	Verify bool
	// MaxPixels is the size of the largest image that is encoded; 0 means encoder.MaxPixels. See
	// encoder.FeatureOptions.
	MaxPixels int
	// Progress is called after every batch of images that is encoded; may be nil.
	Progress func(encoder.Progress)
	// Notice is called with lines worth knowing that are not errors: oddities of the dataset, the encoder that was
	// chosen by default, images that were left out; may be nil.
	Notice func(line string)
}

// OpenData opens a known dataset by its name, or custom images and captions by their path; see OpenDataset for names,
// folders and paths. It reads no image if the dataset's fingerprint is remembered, and opens the encoder only when a
// feature is missing. backend may be nil until then.
func OpenData(ctx context.Context, backend compute.Backend, name string, o DataOptions) (*Data, error) {
	var ds datasets.Dataset
	var source *Source
	var err error
	if isDataPath(name) {
		ds, source, err = openCustom(name, o)
	} else {
		ds, err = OpenDataset(name, o.Dir, o.Split)
	}
	if err != nil {
		return nil, err
	}
	d, err := NewData(ctx, backend, ds, o)
	if err != nil {
		return nil, errors.Join(err, datasets.Close(ds))
	}
	d.Source = source
	return d, nil
}

// NewData is OpenData for an opened dataset, which may be a custom one. o.Dir and o.Split are not used.
func NewData(ctx context.Context, backend compute.Backend, ds datasets.Dataset, o DataOptions) (*Data, error) {
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	d := &Data{Dataset: ds, backend: backend, options: o}
	for _, oddity := range ds.Oddities() {
		o.Notice(ds.Name() + ": " + oddity)
	}
	var err error
	if d.chosen, err = chooseEncoder(ctx, o.Encoder); err != nil {
		return nil, err
	}
	if d.chosen.why != "" {
		o.Notice(fmt.Sprintf("encoder %s: %s", d.chosen.spec.Name, d.chosen.why))
	}
	if err := d.identify(); err != nil {
		return nil, err
	}
	if d.Fingerprint, err = fingerprint(ctx, ds, o.Verify); err != nil {
		return nil, errors.Join(err, d.closeEncoder())
	}
	return d, nil
}

// identify finds out the encoder's identity: from the checksum of its weights or, for a custom encoder, from the opened
// one.
func (d *Data) identify() (err error) {
	if !d.chosen.custom {
		d.identity, err = encoder.Identify(d.chosen.spec, d.chosen.weights)
		return err
	}
	if d.encoder, err = d.chosen.open(d.backend); err == nil {
		d.identity = d.encoder.Identity()
	}
	return err
}

// Name is the dataset's name.
func (d *Data) Name() string { return d.Dataset.Name() }

// Encoder identifies the encoder of the features.
func (d *Data) Encoder() encoder.Identity { return d.identity }

// Features returns the features of every image. They come from the cache folder if they are complete there; otherwise
// the missing ones are computed and stored.
func (d *Data) Features(ctx context.Context) (*encoder.Features, error) {
	if d.whole != nil {
		return d.whole.Features(ctx)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.features != nil {
		return d.features, nil
	}
	root, err := cache.Features()
	if err != nil {
		return nil, err
	}
	folder := encoder.FeatureFolder(root, d.Name(), d.Fingerprint, d.identity)
	open := encoder.OpenFeatures
	if d.options.Verify {
		open = encoder.OpenFeaturesVerified
	}
	if d.features, err = open(folder); err != nil || d.features.Manifest.SkippedAsTooLarge(d.options.MaxPixels) {
		if d.features, err = d.build(ctx, folder); err != nil {
			return nil, err
		}
	}
	for _, s := range d.features.Manifest.Skipped {
		d.options.Notice(fmt.Sprintf("left out: image %s: %s", s.ID, s.Reason))
	}
	return d.features, nil
}

// build computes the missing features in folder.
func (d *Data) build(ctx context.Context, folder string) (*encoder.Features, error) {
	if err := d.openEncoder(); err != nil {
		return nil, err
	}
	return encoder.Build(ctx, d.encoder, d.Dataset, folder, d.featureOptions())
}

// openEncoder opens the encoder unless it is open.
func (d *Data) openEncoder() (err error) {
	if d.encoder == nil {
		d.encoder, err = d.chosen.open(d.backend)
	}
	return err
}

func (d *Data) featureOptions() encoder.FeatureOptions {
	return encoder.FeatureOptions{Fingerprint: d.Fingerprint, MaxPixels: d.options.MaxPixels,
		Progress: d.options.Progress, Warn: d.options.Notice}
}

// Rows returns the features of images, [FeatureDim] each. It fails for an image without features, naming it.
func (d *Data) Rows(ctx context.Context, ids []string) ([][]float32, error) {
	f, err := d.Features(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([][]float32, len(ids))
	for i, id := range ids {
		row, ok := f.Row(id)
		if !ok {
			return nil, fmt.Errorf("image %q of %s has no features: it is not in the dataset or could not be read", id,
				d.Name())
		}
		rows[i] = row
	}
	return rows, nil
}

// Examples returns the examples of a split whose images have features, in the dataset's order.
func (d *Data) Examples(ctx context.Context, split datasets.Split) ([]datasets.Example, error) {
	f, err := d.Features(ctx)
	if err != nil {
		return nil, err
	}
	all := d.Dataset.Examples(split)
	kept := make([]datasets.Example, 0, len(all))
	for _, ex := range all {
		if _, ok := f.Row(ex.ID); ok {
			kept = append(kept, ex)
		}
	}
	return kept, nil
}

// References returns the reference captions of the images of a split that have features.
func (d *Data) References(ctx context.Context, split datasets.Split) (score.References, error) {
	examples, err := d.Examples(ctx, split)
	return References(examples), err
}

// References returns the captions of examples by image.
func References(examples []datasets.Example) score.References {
	refs := make(score.References, len(examples))
	for _, ex := range examples {
		refs[score.ID(ex.ID)] = ex.Captions
	}
	return refs
}

// Subset returns the first train, val and test images, for quick runs; see datasets.Subset. It shares the features of d
// and has its own fingerprint, so that its runs never pass for those of the whole. Close d, not the subset.
func (d *Data) Subset(train, val, test int) *Data {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d %d", d.Fingerprint, train, val, test))
	return &Data{Dataset: datasets.Subset(d.Dataset, train, val, test), Fingerprint: hex.EncodeToString(sum[:]),
		Source: d.Source, backend: d.backend, options: d.options, chosen: d.chosen, identity: d.identity, whole: d}
}

// Close closes the dataset and frees the encoder.
func (d *Data) Close() error {
	if d.whole != nil {
		return nil
	}
	return errors.Join(d.closeEncoder(), datasets.Close(d.Dataset))
}

func (d *Data) closeEncoder() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.encoder != nil {
		d.encoder.Finalize()
		d.encoder = nil
	}
	return nil
}
