package captioning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/gomlx/compute"

	"captionlab/captioning/decoder"
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
	noMETEOR sync.Once

	mu    sync.Mutex
	plain stored
	grids stored // with feature maps
}

// stored are features on disk, and the encoder that computes those that are missing.
type stored struct {
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
	if d.plain.encoder, err = d.chosen.open(d.backend); err == nil {
		d.identity = d.plain.encoder.Identity()
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
	return d.open(ctx, false)
}

// Grids is Features with the feature map of every image, for cells that look at it; see encoder.Features.Grid. They
// have a folder of their own, which may be large: its size is announced by DataOptions.Notice before they are computed,
// and Grids fails if there is not enough room on the disk, or if the encoder has no feature maps.
func (d *Data) Grids(ctx context.Context) (*encoder.Features, error) {
	if d.whole != nil {
		return d.whole.Grids(ctx)
	}
	return d.open(ctx, true)
}

// featuresFor is Grids for a model that looks at them, and else Features.
func (d *Data) featuresFor(ctx context.Context, m decoder.Model) (*encoder.Features, error) {
	if m.Looks() {
		return d.Grids(ctx)
	}
	return d.Features(ctx)
}

// someFeatures returns features for those who only ask which images have any: what is open already, or Features.
func (d *Data) someFeatures(ctx context.Context) (*encoder.Features, error) {
	if d.whole != nil {
		return d.whole.someFeatures(ctx)
	}
	d.mu.Lock()
	grids, plain := d.grids.features, d.plain.features
	d.mu.Unlock()
	if grids != nil && plain == nil {
		return grids, nil
	}
	return d.Features(ctx)
}

// open opens features with or without grids in the cache folder, or computes what is missing there.
func (d *Data) open(ctx context.Context, grids bool) (*encoder.Features, error) {
	s, spec, err := d.kind(grids)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.features != nil {
		return s.features, nil
	}
	root, err := cache.Features()
	if err != nil {
		return nil, err
	}
	folder := encoder.FeatureFolder(root, d.Name(), d.Fingerprint, d.identity)
	if grids {
		folder = encoder.GridFolder(root, d.Name(), d.Fingerprint, d.identity)
	}
	open := encoder.OpenFeatures
	if d.options.Verify {
		open = encoder.OpenFeaturesVerified
	}
	f, err := open(folder)
	if err != nil || f.Manifest.SkippedAsTooLarge(d.options.MaxPixels) {
		if f, err = d.build(ctx, s, spec, folder); err != nil {
			return nil, err
		}
	}
	for _, skipped := range f.Manifest.Skipped {
		d.options.Notice(fmt.Sprintf("left out: image %s: %s", skipped.ID, skipped.Reason))
	}
	s.features = f
	return f, nil
}

// build computes the missing features in folder.
func (d *Data) build(ctx context.Context, s *stored, spec encoder.Spec, folder string) (*encoder.Features, error) {
	if err := d.announceGrids(spec, folder); err != nil {
		return nil, err
	}
	if err := d.openEncoder(s, spec); err != nil {
		return nil, err
	}
	return encoder.Build(ctx, s.encoder, d.Dataset, folder, d.featureOptions(spec))
}

// openEncoder opens the encoder unless it is open.
func (d *Data) openEncoder(s *stored, spec encoder.Spec) (err error) {
	if s.encoder == nil {
		chosen := d.chosen
		chosen.spec = spec
		s.encoder, err = chosen.open(d.backend)
	}
	return err
}

func (d *Data) featureOptions(spec encoder.Spec) encoder.FeatureOptions {
	return encoder.FeatureOptions{Fingerprint: d.Fingerprint, MaxPixels: d.options.MaxPixels, Places: spec.GridPlaces(),
		Progress: d.options.Progress, Warn: d.options.Notice}
}

// kind returns where features with or without grids are kept, and the encoder that computes them.
func (d *Data) kind(grids bool) (*stored, encoder.Spec, error) {
	if !grids {
		return &d.plain, d.chosen.spec, nil
	}
	spec, err := d.chosen.spec.WithGrids()
	return &d.grids, spec, err
}

// Examples returns the examples of a split whose images have features, in the dataset's order.
func (d *Data) Examples(ctx context.Context, split datasets.Split) ([]datasets.Example, error) {
	f, err := d.someFeatures(ctx)
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
	for _, s := range []*stored{&d.plain, &d.grids} {
		if s.encoder != nil {
			s.encoder.Finalize()
			s.encoder = nil
		}
	}
	return nil
}
