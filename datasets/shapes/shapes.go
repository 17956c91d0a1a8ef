// Package shapes is a captioning dataset that the program draws itself: one to three coloured shapes on a background,
// each picture with five different English captions. It needs no download, so it serves demos, notebooks and tests; a
// model can learn it in minutes, and still has things to get wrong.
//
// # What the pictures show
//
// An object is one of 8 shapes in one of 8 colours, small or large. Scenes hold a single object at one of nine positions,
// two objects beside each other, one above the other or one inside the other, or three in a row or a column; some pairs
// and threes are of a kind. Backgrounds are plain, striped, dotted or checkered, in white, gray or beige. [Dataset.Scene]
// tells what a picture shows, so that captions can be checked by what they claim.
//
// Captions are true of their picture, 5 to 16 words long, without punctuation, from a vocabulary of about 80 words.
//
// # What the splits hold out
//
// A scene is a set of combinations: (shape and colour, relation, shape and colour) for every pair of its objects, or (shape
// and colour, position) of a single one. Each combination belongs to one split by its name alone, see [Combination.Split]:
// about 80 % to train, 10 % each to validation and test. No combination that a validation or test picture shows is ever
// shown in training, under any seed, though every object and every relation is: a model must put together what it knows.
//
// # Drawing
//
// Pictures are drawn when they are opened and never stored. Drawing is integer arithmetic into uncompressed PNG: the same
// seed gives the same bytes. The default 1,500 pictures are meant for a demo of two to three minutes on 2 cores, features
// with EfficientNet-Lite0 and training included.
package shapes

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"captionlab/datasets"
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
	maxPictures  = 99_999 // in a split: six-digit ids
	minImageSize = 64
	maxImageSize = 1024
)

// firstIDs are one below the first id of each split.
var firstIDs = map[datasets.Split]int{datasets.Train: 100_000, datasets.Val: 200_000, datasets.Test: 300_000}

// Option changes a default of Open.
type Option func(*settings)

type settings struct {
	seed      int64
	counts    map[datasets.Split]int
	imageSize int
}

// WithSeed draws other scenes; the combinations that the splits hold out stay.
func WithSeed(seed int64) Option { return func(s *settings) { s.seed = seed } }

// WithSize sets the number of pictures of each split, 0 to 99,999. A smaller dataset is the beginning of a larger one.
func WithSize(train, val, test int) Option {
	return func(s *settings) {
		s.counts = map[datasets.Split]int{datasets.Train: train, datasets.Val: val, datasets.Test: test}
	}
}

// WithImageSize sets the side of the square pictures in pixels, 64 to 1024. Scenes and captions stay.
func WithImageSize(px int) Option { return func(s *settings) { s.imageSize = px } }

// Dataset is an opened set of drawn pictures. Safe for concurrent use.
type Dataset struct {
	examples  map[datasets.Split][]datasets.Example
	scenes    map[string]*Scene
	imageSize int
}

// Open lays out the scenes and writes their captions; pictures are drawn by OpenImage. Fails when an option is out of its
// range.
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
		if count := s.counts[split]; count < 0 || count > maxPictures {
			return nil, fmt.Errorf("shapes: %d %s pictures: use 0 to %d", count, split, maxPictures)
		}
	}
	ds := &Dataset{examples: make(map[datasets.Split][]datasets.Example), scenes: make(map[string]*Scene), imageSize: s.imageSize}
	for _, split := range datasets.Splits {
		for i := range s.counts[split] {
			n := firstIDs[split] + i + 1
			r := newRandom(uint64(s.seed), uint64(n)) // a stream for each picture: its scene depends on no other
			scene := drawScene(r, split)
			id := strconv.Itoa(n)
			ds.scenes[id] = scene
			ds.examples[split] = append(ds.examples[split], datasets.Example{ID: id, Captions: scene.captions(r)})
		}
	}
	return ds, nil
}

// Name is "shapes".
func (ds *Dataset) Name() string { return "shapes" }

// Examples returns the examples of a split. IDs are decimal: 100001... in train, 200001... in val, 300001... in test.
func (ds *Dataset) Examples(split datasets.Split) []datasets.Example { return ds.examples[split] }

// Oddities is empty: nothing is found in data that the program makes.
func (ds *Dataset) Oddities() []string { return nil }

// OpenImage draws the picture called id and returns it as PNG. Fails when there is no such picture.
func (ds *Dataset) OpenImage(id string) (io.ReadCloser, error) {
	scene, err := ds.Scene(id)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(encodePNG(scene.paint(ds.imageSize)))), nil
}

// Scene tells what the picture called id shows. It is shared: do not change it. Fails when there is no such picture.
func (ds *Dataset) Scene(id string) (*Scene, error) {
	scene, ok := ds.scenes[id]
	if !ok {
		return nil, fmt.Errorf("shapes: no picture %q: ids begin at %d (train), %d (val) and %d (test)", id,
			firstIDs[datasets.Train]+1, firstIDs[datasets.Val]+1, firstIDs[datasets.Test]+1)
	}
	return scene, nil
}
