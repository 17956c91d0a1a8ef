// Package coco opens the captioned images of COCO (Lin et al. 2014; Chen et al. 2015), release 2014 or 2017: about
// 123,000 images with five captions each, in the paper's split or another.
//
// The release is read in place, from folders or the original archives; nothing is copied or unpacked:
//
//	DIR/annotations/captions_train2014.json    or in DIR/annotations_trainval2014.zip
//	DIR/annotations/captions_val2014.json
//	DIR/train2014/ or DIR/train2014.zip        COCO_train2014_000000000009.jpg, ...
//	DIR/val2014/   or DIR/val2014.zip
//
// The names for 2017 are alike. Release 2017 is used if 2014 is missing: both contain the same images with the same
// ids, divided differently into train and val. A split is a list of ids and therefore works with either release.
package coco

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"captionlab/datasets"
	"captionlab/datasets/internal/images"
)

// Dataset is an opened release in one split. Safe for concurrent use.
type Dataset struct {
	name     string
	examples map[datasets.Split][]datasets.Example
	files    map[string]file // by id
	sources  []images.Source
	left     []Left
	oddities []string
}

// file is the place of an image.
type file struct {
	source images.Source
	name   string
}

// Open reads the split and the annotations in dir and locates the images. OpenImage reads them later.
//
// split is PA4 (the paper's split, three lists of ids in DIR/pa4; also the meaning of ""), Karpathy
// (DIR/dataset_coco.json), a folder with three such lists, or a file in Karpathy's format, whose entries have a cocoid
// or a filename that ends in the id. Images that are missing or irregular are skipped, counted in Oddities and listed
// by LeftOut. Fails if no image of a split is left, and, with a *FileError, for a damaged file, a file of more than
// 2 GiB, or a value in it of more than 64 MiB.
func Open(dir, split string) (*Dataset, error) {
	w, err := readSplit(dir, split)
	if err != nil {
		return nil, err
	}
	ds := &Dataset{name: "coco", examples: make(map[datasets.Split][]datasets.Example), files: make(map[string]file)}
	if w.name != PA4 {
		ds.name = "coco-" + w.name
	}
	r, err := readRelease(dir)
	if err != nil {
		return nil, err
	}
	if err := ds.openImages(dir, r); err != nil {
		return nil, errors.Join(err, ds.Close())
	}
	if err := ds.choose(w, r); err != nil {
		return nil, errors.Join(err, ds.Close())
	}
	return ds, nil
}

// openImages opens the folders and archives that exist for the parts of the release.
func (ds *Dataset) openImages(dir string, r *release) error {
	for _, p := range r.parts {
		name := p.name + p.year
		for _, at := range []string{filepath.Join(dir, name), filepath.Join(dir, "images", name)} {
			if info, err := os.Stat(at); err == nil && info.IsDir() {
				s, err := images.OpenFolder(at)
				if err != nil {
					return fmt.Errorf("coco: %w", err)
				}
				ds.sources = append(ds.sources, s)
			}
		}
		a, err := images.OpenArchive(filepath.Join(dir, name+".zip"))
		if err == nil {
			ds.sources = append(ds.sources, a)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("coco: %w", err)
		}
	}
	if len(ds.sources) == 0 {
		name := r.parts[0].name + r.parts[0].year
		return fmt.Errorf("coco: no images in %s: found neither a folder %s nor %s.zip; put the release's images there",
			dir, name, name)
	}
	return nil
}

// choose makes the examples of the splits.
func (ds *Dataset) choose(w *wanted, r *release) error {
	for _, id := range w.doubled {
		ds.leave(id, twiceInSplit)
	}
	for _, split := range datasets.Splits {
		for _, id := range w.ids[split] {
			name, known := r.images[id]
			captions := r.captions[id]
			if w.captions != nil {
				captions = w.captions[id]
			}
			source := slices.IndexFunc(ds.sources, func(s images.Source) bool { return s.Has(name) })
			switch {
			case !known:
				ds.leave(id, notInRelease)
			case len(captions) == 0:
				ds.leave(id, withoutCaption)
			case source < 0:
				ds.leave(id, withoutImage)
			default:
				key := strconv.FormatInt(id, 10)
				ds.files[key] = file{ds.sources[source], name}
				ds.examples[split] = append(ds.examples[split], datasets.Example{ID: key, Captions: captions})
			}
		}
	}
	for id := range r.captions {
		if _, ok := r.images[id]; !ok {
			ds.leave(id, captionOfNothing)
		}
	}
	ds.note()
	for _, split := range datasets.Splits {
		if len(ds.examples[split]) == 0 {
			var places []string
			for _, s := range ds.sources {
				places = append(places, s.Place())
			}
			return fmt.Errorf("coco: no image of the %s split was found in %s (%s): use a split of this release",
				split, strings.Join(places, ", "), strings.Join(ds.oddities, "; "))
		}
	}
	return nil
}

// Name returns "coco" for the paper's split, and otherwise "coco-karpathy" or "coco-" with the name of the split's
// folder or file.
func (ds *Dataset) Name() string { return ds.name }

// Examples returns the examples of a split in the order of its list. IDs are COCO image ids in decimal.
func (ds *Dataset) Examples(split datasets.Split) []datasets.Example { return ds.examples[split] }

// Oddities counts the parts of the split and the release that could not be used, and names the first ids of each kind.
func (ds *Dataset) Oddities() []string { return ds.oddities }

// OpenImage opens the JPEG of the image with the given id.
func (ds *Dataset) OpenImage(id string) (io.ReadCloser, error) {
	f, ok := ds.files[id]
	if !ok {
		return nil, fmt.Errorf("coco: no image %q in this split", id)
	}
	r, err := f.source.Open(f.name)
	if err != nil {
		return nil, fmt.Errorf("coco: image %s (%s in %s): %w", id, f.name, f.source.Place(), err)
	}
	return r, nil
}

// Stamp implements [datasets.Stamper].
func (ds *Dataset) Stamp() (string, error) {
	return images.Stamp(ds, func(id string) (images.Source, string) { return ds.files[id].source, ds.files[id].name })
}

// Close closes the archives. Images cannot be opened afterwards.
func (ds *Dataset) Close() error {
	var errs []error
	for _, s := range ds.sources {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
