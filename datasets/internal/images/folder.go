package images

import (
	"io"
	"os"
	"path/filepath"

	"captionlab/datasets/internal/regular"
)

// folder is a Source in a folder, without its sub-folders.
type folder struct {
	place, path string // as given, and absolute
	files       map[string]bool
}

// OpenFolder lists the images in a folder. It opens none of them.
func OpenFolder(dir string) (Source, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	f := &folder{dir, absolute, make(map[string]bool)}
	for _, e := range entries {
		if !e.IsDir() && isImage(e.Name()) {
			f.files[e.Name()] = true
		}
	}
	return f, nil
}

func (f *folder) Has(name string) bool { return f.files[name] }

func (f *folder) Open(name string) (io.ReadCloser, error) {
	return regular.Open(filepath.Join(f.path, name))
}

// File returns the file's present size and time, because Open opens the present file.
func (f *folder) File(name string) (File, error) {
	path := filepath.Join(f.path, name)
	info, err := os.Stat(path)
	if err != nil {
		return File{}, err
	}
	return File{path, info.Size(), info.ModTime()}, nil
}

func (f *folder) Names() []string { return keys(f.files) }
func (f *folder) Place() string   { return f.place }
func (f *folder) Close() error    { return nil }
