// Package pictures reads the photographs of a release where they lie: in a folder, or in the zip archive it came in.
package pictures

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Source is where encoded photographs come from. Pictures are named by their file names, without folders. Safe for concurrent
// use.
type Source interface {
	Has(name string) bool
	// Open opens a picture that Has knows.
	Open(name string) (io.ReadCloser, error)
	Names() []string // in no order
	Place() string   // path of the folder or the archive
	Close() error
}

// Archive is a Source in a zip file.
type Archive struct {
	path   string
	reader *zip.ReadCloser
	files  map[string]*zip.File
}

// OpenArchive opens the pictures in a zip file. The error wraps fs.ErrNotExist where there is no such file; a file that is cut
// short, or holds two pictures of one name, is an error too.
func OpenArchive(file string) (*Archive, error) {
	reader, err := zip.OpenReader(file)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		return nil, fmt.Errorf("%s is no whole zip archive (%w): it may be cut short; copy or download it again", file, err)
	}
	a := &Archive{file, reader, make(map[string]*zip.File)}
	for _, f := range reader.File {
		if name := path.Base(f.Name); !f.FileInfo().IsDir() && isPicture(name) && !strings.HasPrefix(f.Name, "__MACOSX/") {
			if first := a.files[name]; first != nil {
				err := fmt.Errorf("%s holds picture %q twice, as %s and %s: download it again", file, name, first.Name, f.Name)
				return nil, errors.Join(err, reader.Close())
			}
			a.files[name] = f
		}
	}
	return a, nil
}

// Has tells whether the archive holds a picture.
func (a *Archive) Has(name string) bool { return a.files[name] != nil }

// Open opens a picture.
func (a *Archive) Open(name string) (io.ReadCloser, error) { return a.files[name].Open() }

// Place is the archive's path.
func (a *Archive) Place() string { return a.path }

// Close closes the archive. No picture can be opened after that.
func (a *Archive) Close() error { return a.reader.Close() }

// Names lists the pictures.
func (a *Archive) Names() []string { return keys(a.files) }

// SameBytes returns the groups of pictures that the archive's directory gives one size and one CRC-32, each group and the
// groups themselves in the order of their names. Nothing is read, so pictures that only look the same are not found.
func (a *Archive) SameBytes() [][]string {
	type content struct {
		size uint64
		crc  uint32
	}
	byContent := make(map[content][]string)
	for name, f := range a.files {
		if c := (content{f.UncompressedSize64, f.CRC32}); c.crc != 0 { // 0 is what some writers leave there
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

// folder is a Source in a folder, its sub-folders left out.
type folder struct {
	path  string
	files map[string]bool
}

// OpenFolder opens the pictures in a folder.
func OpenFolder(dir string) (Source, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	f := &folder{dir, make(map[string]bool)}
	for _, e := range entries {
		if !e.IsDir() && isPicture(e.Name()) {
			f.files[e.Name()] = true
		}
	}
	return f, nil
}

func (f *folder) Has(name string) bool { return f.files[name] }
func (f *folder) Open(name string) (io.ReadCloser, error) {
	return os.Open(filepath.Join(f.path, name))
}
func (f *folder) Place() string   { return f.path }
func (f *folder) Close() error    { return nil }
func (f *folder) Names() []string { return keys(f.files) }

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	return out
}

// isPicture tells the photographs of a release, all JPEG, from what else lies beside them.
func isPicture(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg":
		return !strings.HasPrefix(name, ".")
	}
	return false
}
