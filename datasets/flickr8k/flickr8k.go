// Package flickr8k opens the Flickr8k release (Hodosh, Young and Hockenmaier 2013): 8,091 images with five captions
// each, in the standard split of 6,000 training, 1,000 validation ("dev") and 1,000 test images.
//
// The release is read in place, in its official layout; nothing is copied or unpacked:
//
//	DIR/Flickr8k_Dataset.zip          or the unpacked folder Flicker8k_Dataset/ (the release's spelling)
//	DIR/Flickr8k_text/                or its files directly in DIR
//	    Flickr8k.token.txt            <image>#<n><TAB><caption>
//	    Flickr_8k.trainImages.txt     one image per line; likewise devImages and testImages
package flickr8k

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"captionlab/datasets"
	"captionlab/datasets/internal/images"
)

const zipFile = "Flickr8k_Dataset.zip"

// imageFolders are the possible names of an unpacked image folder.
var imageFolders = []string{"Flicker8k_Dataset", "Flickr8k_Dataset", "Images"}

// Dataset is the opened release. Safe for concurrent use.
type Dataset struct {
	examples map[datasets.Split][]datasets.Example
	images   images.Source
	oddities []string
}

// Open reads the captions and splits in dir and checks that every image of a split is present. OpenImage reads the
// images later. Fails with a *LineError, or with an error that names what dir lacks.
func Open(dir string) (*Dataset, error) {
	text, err := textFolder(dir)
	if err != nil {
		return nil, err
	}
	captions, order, err := readCaptions(filepath.Join(text, tokenFile))
	if err != nil {
		return nil, err
	}
	found, err := openImages(dir)
	if err != nil {
		return nil, err
	}
	ds := &Dataset{examples: make(map[datasets.Split][]datasets.Example), images: found}
	if err := ds.readSplits(text, captions); err != nil {
		return nil, errors.Join(err, found.Close())
	}
	ds.noteOddities(captions, order)
	ds.noteSameBytes()
	return ds, nil
}

// openImages prefers an unpacked folder to the archive.
func openImages(dir string) (images.Source, error) {
	for _, name := range imageFolders {
		folder := filepath.Join(dir, name)
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			found, err := images.OpenFolder(folder)
			if err != nil {
				return nil, fmt.Errorf("flickr8k: %w", err)
			}
			return found, nil
		}
	}
	file := filepath.Join(dir, zipFile)
	found, err := images.OpenArchive(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("flickr8k: found neither %s nor a folder %s next to it: put the release's images there",
			file, imageFolders[0])
	}
	if err != nil {
		return nil, fmt.Errorf("flickr8k: %w", err)
	}
	return found, nil
}

// Name returns "flickr8k".
func (ds *Dataset) Name() string { return "flickr8k" }

// Examples returns the examples of a split in the order of the release's split file. IDs are file names.
func (ds *Dataset) Examples(split datasets.Split) []datasets.Example { return ds.examples[split] }

// Oddities counts what the release holds besides complete examples of the three splits.
func (ds *Dataset) Oddities() []string { return ds.oddities }

// OpenImage opens the JPEG with the given id.
func (ds *Dataset) OpenImage(id string) (io.ReadCloser, error) {
	if !ds.images.Has(id) {
		return nil, fmt.Errorf("flickr8k: no image %q in %s", id, ds.images.Place())
	}
	f, err := ds.images.Open(id)
	if err != nil {
		return nil, fmt.Errorf("flickr8k: image %q: %w", id, err)
	}
	return f, nil
}

// Stamp implements [datasets.Stamper].
func (ds *Dataset) Stamp() (string, error) {
	return images.Stamp(ds, func(id string) (images.Source, string) { return ds.images, id })
}

// Close closes the image archive. Images cannot be opened afterwards.
func (ds *Dataset) Close() error { return ds.images.Close() }
