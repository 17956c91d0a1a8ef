// Package custom opens your own captioned images: a folder, or a file of captions with its images around it. The layout
// is recognised by looking at the files:
//
//   - COCO's JSON of captions (https://cocodataset.org/#format-data), one file or one for each split, with the images
//     in any sub-folders: VizWiz, nocaps and many others;
//   - Karpathy's dataset.json (Flickr8k, Flickr30k, RSICD and others), with its own splits;
//   - rows, an image and a caption each: JSONL such as metadata.jsonl, CSV, TSV, or columns separated by "|", with a
//     header; a JSON list of such rows;
//   - images with text files of the same name, a caption a line, and webdataset's tar archives of both;
//   - images only, for features but not for training.
//
// Images are found in the folder and below it, by path or by name, whatever their ending. Nothing is copied, unpacked
// or changed, and no name or link leads out of the folder.
//
// Splits are the data's own: a column, file names or folders such as train, val and test. Otherwise images are divided
// by a seed; see Options. Rows that cannot be used are skipped, counted in Oddities and listed by Problems.
package custom

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"captionlab/datasets"
	"captionlab/datasets/internal/images"
)

// Options change how data is opened. The zero value is right for most.
type Options struct {
	// Images is the folder of the images; empty means the folder of the captions.
	Images string `json:"images,omitempty"`
	// Shares are those of train, val and test among the images if the data has no splits of its own. They add up to 1.
	// The zero value means DefaultShares. If the data has a train split but no val or test, their shares are taken from
	// the training images.
	Shares Shares `json:"split_by"`
	// Seed decides which images come into which split, together with their ids; 0 means 1.
	Seed int64 `json:"split_seed"`
}

// withDefaults fills in the defaults.
func (o Options) withDefaults() Options {
	if o.Shares == (Shares{}) {
		o.Shares = DefaultShares
	}
	o.Seed = cmp.Or(o.Seed, 1)
	return o
}

// Dataset is opened data. Safe for concurrent use.
type Dataset struct {
	name     string
	layout   Layout
	why      string   // the layout was recognised
	files    []string // with the captions
	splitBy  string   // how the splits came about
	examples map[datasets.Split][]datasets.Example
	images   map[string]place // by id
	problems []Problem
	notes    []string
	closers  []io.Closer
}

// place is where the image of an example is.
type place struct {
	source source
	name   string
}

// source is a tree or a shard.
type source interface {
	OpenImage(name string) (io.ReadCloser, error)
	File(name string) (images.File, error)
}

// Open opens the data in a folder, or in a file of captions (JSON, JSONL, CSV, TSV, tar). It reads all captions and
// locates the images; OpenImage reads them later. Fails if no layout is recognised, for a file that is damaged as a
// whole (the error names file, line and remedy), and if no image can be used.
func Open(path string, o Options) (*Dataset, error) {
	ds, err := open(path, o)
	if err == nil {
		err = ds.usable()
	}
	if err != nil {
		if ds != nil {
			err = errors.Join(err, ds.Close())
		}
		return nil, err
	}
	return ds, nil
}

// open is Open for data that may have no image to use. With an error, it returns what is known, or nil.
func open(path string, o Options) (*Dataset, error) {
	o = o.withDefaults()
	if err := o.Shares.Check(); err != nil {
		return nil, err
	}
	name, err := Name(path)
	if err != nil {
		return nil, err
	}
	ds := &Dataset{name: name, examples: make(map[datasets.Split][]datasets.Example), images: make(map[string]place)}
	found, err := recognise(path, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	ds.layout, ds.why, ds.files, ds.closers = found.layout, found.why, found.files, found.closers()
	c, err := found.read()
	c.partial = err != nil
	ds.take(c, o)
	found.findLines(ds.problems)
	if err != nil {
		return ds, fmt.Errorf("%s: %w", name, err)
	}
	return ds, nil
}

// usable fails if there is no image.
func (ds *Dataset) usable() error {
	if len(ds.images) > 0 {
		return nil
	}
	if len(ds.problems) == 0 {
		return fmt.Errorf("%s: the data holds no image: %s", ds.name, ds.why)
	}
	return fmt.Errorf("%s: no image can be used; the first of %d problems: %s", ds.name, len(ds.problems),
		ds.problems[0])
}

// Name returns the name of the data at path in records: "own-" and the name of its folder.
func Name(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	dir := absolute
	if isFile(absolute) {
		dir = rootOf(absolute)
	}
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-':
			return r
		}
		return '-'
	}, filepath.Base(dir))
	return "own-" + cmp.Or(strings.Trim(clean, "-."), "data"), nil
}

// Name returns "own-" and the name of the folder.
func (ds *Dataset) Name() string { return ds.name }

// Layout returns the layout that was recognised.
func (ds *Dataset) Layout() Layout { return ds.layout }

// Examples returns the examples of a split in the order of the captions' file, or of the images' paths. IDs are those
// of the file (COCO) or else the images' names in it.
func (ds *Dataset) Examples(split datasets.Split) []datasets.Example { return ds.examples[split] }

// OpenImage opens the image with the given id.
func (ds *Dataset) OpenImage(id string) (io.ReadCloser, error) {
	p, ok := ds.images[id]
	if !ok {
		return nil, fmt.Errorf("%s: no image %q", ds.name, id)
	}
	f, err := p.source.OpenImage(p.name)
	if err != nil {
		return nil, fmt.Errorf("%s: image %q: %w", ds.name, id, err)
	}
	return f, nil
}

// Oddities says how the data was read and counts what could not be used.
func (ds *Dataset) Oddities() []string {
	return append(ds.notes[:len(ds.notes):len(ds.notes)], summaries(ds.problems)...)
}

// Problems lists everything that could not be used.
func (ds *Dataset) Problems() []Problem { return ds.problems }

// Trainable returns an error that says what is missing if a model cannot be trained on the data.
func (ds *Dataset) Trainable() error {
	if ds.layout == ImagesOnly {
		return fmt.Errorf("%s has images but no captions, so no model can be trained on it (%s): put a text file with "+
			"captions, one a line, next to each image (dog.txt for dog.jpg), or a file metadata.jsonl or captions.csv "+
			"with the columns file_name and text into the folder", ds.name, ds.why)
	}
	return nil
}

// Stamp implements [datasets.Stamper].
func (ds *Dataset) Stamp() (string, error) {
	return images.StampOf(ds, func(id string) (string, images.File, error) {
		p := ds.images[id]
		file, err := p.source.File(p.name)
		return p.name, file, err
	})
}

// Close closes the folder and the archives. Images cannot be opened afterwards.
func (ds *Dataset) Close() error {
	var errs []error
	for _, c := range ds.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
