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

	"captionlab/datasets/internal/archive"
	"captionlab/datasets/regular"
)

// maxImage is the size of the largest member that is read as an image, in bytes.
const maxImage = 256 << 20

// Archive is a Source in a zip file.
type Archive struct {
	place  string
	file   File
	images lookup[*zip.File]
	close  func() error
}

// OpenArchive opens the images in a zip file. The error wraps fs.ErrNotExist if the file does not exist. Fails if the
// file is truncated or holds two JPEGs with the same name.
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
		images: newLookup[*zip.File](file),
		close:  sync.OnceValue(opened.Close),
	}
	for _, f := range reader.File {
		name := path.Base(f.Name)
		if f.FileInfo().IsDir() || !isImage(name) || strings.HasPrefix(f.Name, "__MACOSX/") {
			continue
		}
		if first, double := a.images.add(f.Name, f); double && isJPEG(name) {
			return nil, fmt.Errorf("%s holds image %q twice, as %s and %s: download it again",
				file, name, first, f.Name)
		}
	}
	return a, nil
}

// Has reports whether the archive holds an image.
func (a *Archive) Has(name string) bool { return a.images.has(name) }

// Open opens an image. A damaged or huge one gives an *archive.MemberError, here or when it is read.
func (a *Archive) Open(name string) (io.ReadCloser, error) {
	f, err := a.images.find(name)
	if err != nil {
		return nil, err
	}
	return archive.OpenIn(a.place, f, maxImage)
}

// File returns the archive's size and time when it was opened: a file that replaces it later is not read.
func (a *Archive) File(name string) (File, error) {
	_, err := a.images.find(name)
	return a.file, err
}

// Names lists the images.
func (a *Archive) Names() []string { return a.images.names() }

// Unlisted implements Source.
func (a *Archive) Unlisted(listed []string) []string { return a.images.unlisted(listed) }

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
	for _, images := range a.images.images {
		for _, f := range images {
			c := content{f.file.UncompressedSize64, f.file.CRC32}
			if c.crc != 0 { // some writers leave it at 0
				byContent[c] = append(byContent[c], path.Base(f.path))
			}
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
