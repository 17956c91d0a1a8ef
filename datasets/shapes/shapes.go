// Package shapes is a captioning dataset that the program draws itself: one to three coloured shapes on a background,
// with five different English captions per image. It needs no download and therefore serves demos, notebooks and tests.
// A model learns it in minutes but does not get everything right.
//
// # Images
//
// An object is one of 8 shapes in one of 8 colours, small or large. A scene contains a single object at one of nine
// positions; two objects side by side, one above the other or one inside the other; or three in a row or a column. The
// objects of some pairs and threes are equal. Backgrounds are plain, striped, dotted or checkered, in white, gray or
// beige. [Dataset.Scene] describes the content of an image, so the claims of a caption can be checked.
//
// Captions are true, 5 to 16 words long and without punctuation. Their vocabulary has about 80 words.
//
// # Splits
//
// A scene is a set of combinations: (shape and colour, relation, shape and colour) for every pair of its objects, or
// (shape and colour, position) of a single object. The name of a combination alone decides its split, see
// [Combination.Split]: about 80 % are in train and 10 % each in validation and test. Under any seed, no combination in
// a validation or test image occurs in training, although every object and every relation does: a model must combine
// what it has learned.
//
// # Drawing
//
// Images are drawn when they are opened and never stored. Drawing is integer arithmetic, encoded as uncompressed PNG:
// the same seed gives the same bytes. The default of 1,500 images suits a demo of two to three minutes on 2 cores,
// including features with EfficientNet-Lite0 and training.
package shapes

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"captionlab/datasets"
	"captionlab/datasets/internal/digest"
)

// The defaults of Open.
const (
	DefaultSeed      = 1
	DefaultTrain     = 1200
	DefaultVal       = 150
	DefaultTest      = 150
	DefaultImageSize = 224
)

const (
	maxImages    = 99_999 // per split: ids have six digits
	minImageSize = 64
	maxImageSize = 1024
)

// firstIDs are one less than the first id of each split.
var firstIDs = map[datasets.Split]int{datasets.Train: 100_000, datasets.Val: 200_000, datasets.Test: 300_000}

// Option changes a default of Open.
type Option func(*settings)

type settings struct {
	seed      int64
	counts    map[datasets.Split]int
	imageSize int
}

// WithSeed selects other scenes. The combinations held out by the splits stay the same.
func WithSeed(seed int64) Option { return func(s *settings) { s.seed = seed } }

// WithSize sets the number of images in each split, 0 to 99,999. A smaller dataset is the beginning of a larger one.
func WithSize(train, val, test int) Option {
	return func(s *settings) {
		s.counts = map[datasets.Split]int{datasets.Train: train, datasets.Val: val, datasets.Test: test}
	}
}

// WithImageSize sets the side of the square images in pixels, 64 to 1024. Scenes and captions stay the same.
func WithImageSize(px int) Option { return func(s *settings) { s.imageSize = px } }

// Dataset is an opened set of drawn images. Safe for concurrent use.
type Dataset struct {
	examples map[datasets.Split][]datasets.Example
	scenes   map[string]*Scene
	settings settings
}

// Open composes the scenes and their captions. OpenImage draws the images. Fails if an option is out of range.
func Open(opts ...Option) (*Dataset, error) {
	s := settings{seed: DefaultSeed, imageSize: DefaultImageSize}
	WithSize(DefaultTrain, DefaultVal, DefaultTest)(&s)
	for _, opt := range opts {
		opt(&s)
	}
	if s.imageSize < minImageSize || s.imageSize > maxImageSize {
		return nil, fmt.Errorf("shapes: image size %d: use %d to %d pixels", s.imageSize, minImageSize, maxImageSize)
	}
	for _, split := range datasets.Splits {
		if count := s.counts[split]; count < 0 || count > maxImages {
			return nil, fmt.Errorf("shapes: %d %s images: use 0 to %d", count, split, maxImages)
		}
	}
	ds := &Dataset{make(map[datasets.Split][]datasets.Example), make(map[string]*Scene), s}
	for _, split := range datasets.Splits {
		for i := range s.counts[split] {
			n := firstIDs[split] + i + 1
			r := newRandom(uint64(s.seed), uint64(n)) // a stream per image makes scenes independent
			scene := drawScene(r, split)
			id := strconv.Itoa(n)
			ds.scenes[id] = scene
			ds.examples[split] = append(ds.examples[split], datasets.Example{ID: id, Captions: scene.captions(r)})
		}
	}
	return ds, nil
}

// Name returns "shapes".
func (ds *Dataset) Name() string { return "shapes" }

// Examples returns the examples of a split. IDs are decimal, from 100001 in train, 200001 in val and 300001 in test.
func (ds *Dataset) Examples(split datasets.Split) []datasets.Example { return ds.examples[split] }

// Oddities returns nil: drawn data has no irregularities.
func (ds *Dataset) Oddities() []string { return nil }

// OpenImage draws the image with the given id as PNG. Fails if there is no such image.
func (ds *Dataset) OpenImage(id string) (io.ReadCloser, error) {
	scene, err := ds.Scene(id)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(encodePNG(scene.paint(ds.settings.imageSize)))), nil
}

// drawing names the version of the code that composes, captions and draws scenes: it is the fingerprint of the default
// dataset, which TestFingerprint checks.
const drawing = "d3f4cbfe07bddda329371c85b752da79b3376fea378e8b136ac2632dc9dc1d82"

// Stamp implements [datasets.Stamper]. It covers the version of the drawing code and all options.
func (ds *Dataset) Stamp() (string, error) {
	sum := digest.New()
	sum.Text(ds.Name())
	sum.Text(drawing)
	sum.Number(ds.settings.seed)
	sum.Number(int64(ds.settings.imageSize))
	for _, split := range datasets.Splits {
		sum.Number(int64(ds.settings.counts[split]))
	}
	return sum.Hex(), nil
}

// Scene describes the image with the given id. The scene is shared: do not modify it. Fails if there is no such image.
func (ds *Dataset) Scene(id string) (*Scene, error) {
	scene, ok := ds.scenes[id]
	if !ok {
		return nil, fmt.Errorf("shapes: no image %q: ids begin at %d (train), %d (val) and %d (test)", id,
			firstIDs[datasets.Train]+1, firstIDs[datasets.Val]+1, firstIDs[datasets.Test]+1)
	}
	return scene, nil
}
