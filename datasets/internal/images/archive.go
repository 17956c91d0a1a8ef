package images

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"captionlab/datasets/internal/regular"
)

// Archive is a Source in a zip file.
type Archive struct {
	place  string
	file   File
	images map[string]*zip.File
	close  func() error
}

// OpenArchive opens the images in a zip file. The error wraps fs.ErrNotExist if the file does not exist. Fails if the
// file is truncated or holds two images with the same name.
func OpenArchive(file string) (_ *Archive, err error) {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	opened, err := regular.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.Close())
		}
	}()
	info, err := opened.Stat()
	if err != nil {
		return nil, err
	}
	reader, err := zip.NewReader(opened, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s is not a complete zip archive (%w): copy or download it again", file, err)
	}
	a := &Archive{
		place:  file,
		file:   File{absolute, info.Size(), info.ModTime()},
		images: make(map[string]*zip.File),
		close:  sync.OnceValue(opened.Close),
	}
	for _, f := range reader.File {
		name := path.Base(f.Name)
		if f.FileInfo().IsDir() || !isImage(name) || strings.HasPrefix(f.Name, "__MACOSX/") {
			continue
		}
		if first := a.images[name]; first != nil {
			return nil, fmt.Errorf("%s holds image %q twice, as %s and %s: download it again",
				file, name, first.Name, f.Name)
		}
		a.images[name] = f
	}
	return a, nil
}

// Has reports whether the archive holds an image.
func (a *Archive) Has(name string) bool { return a.images[name] != nil }

// Open opens an image.
func (a *Archive) Open(name string) (io.ReadCloser, error) { return a.images[name].Open() }

// File returns the archive's size and time when it was opened: a file that replaces it later is not read.
func (a *Archive) File(string) (File, error) { return a.file, nil }

// Names lists the images.
func (a *Archive) Names() []string { return keys(a.images) }

// Place returns the archive's path.
func (a *Archive) Place() string { return a.place }

// Close closes the archive. Images cannot be opened afterwards.
func (a *Archive) Close() error { return a.close() }

// SameBytes returns groups of images with the same size and CRC-32 in the archive's directory. Groups, and the names
// within a group, are sorted. SameBytes reads no image, so images in a group may still differ.
func (a *Archive) SameBytes() [][]string {
	type content struct {
		size uint64
		crc  uint32
	}
	byContent := make(map[content][]string)
	for name, f := range a.images {
		if c := (content{f.UncompressedSize64, f.CRC32}); c.crc != 0 { // some writers leave it at 0
			byContent[c] = append(byContent[c], name)
		}
	}
	var groups [][]string
	for _, names := range byContent {
		if len(names) > 1 {
			slices.Sort(names)
			groups = append(groups, names)
		}
	}
	slices.SortFunc(groups, func(x, y []string) int { return cmp.Compare(x[0], y[0]) })
	return groups
}
