package images

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"captionlab/datasets/regular"
)

// folder is a Source in a folder.
type folder struct {
	place, path string // as given, and absolute
	files       lookup[string]
}

// OpenFolder lists the images in a folder. It opens none of them. The images of sub-folders count only if the folder
// itself holds none, as after unpacking an archive into a folder of the same name. Fails if sub-folders hold two JPEGs
// with the same name.
func OpenFolder(dir string) (Source, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	f := &folder{dir, absolute, newLookup[string](dir)}
	for _, e := range entries {
		if !e.IsDir() && isImage(e.Name()) {
			f.files.add(e.Name(), e.Name())
		}
	}
	if len(f.files.images) == 0 {
		return f, f.addBelow()
	}
	return f, nil
}

// addBelow lists the images in all sub-folders. Links to folders are not followed.
func (f *folder) addBelow() error {
	root := f.path + string(filepath.Separator) // WalkDir does not enter a link
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "__MACOSX") {
				return fs.SkipDir
			}
			return nil
		}
		if !isImage(entry.Name()) {
			return nil
		}
		name, err := filepath.Rel(f.path, path)
		if err != nil {
			return err
		}
		if first, double := f.files.add(filepath.ToSlash(name), name); double && isJPEG(entry.Name()) {
			return fmt.Errorf("%s holds image %q twice, as %s and %s: keep only one of them", f.place, entry.Name(),
				first, name)
		}
		return nil
	})
}

func (f *folder) Has(name string) bool { return f.files.has(name) }

func (f *folder) Open(name string) (io.ReadCloser, error) {
	file, err := f.files.find(name)
	if err != nil {
		return nil, err
	}
	return regular.Open(filepath.Join(f.path, file))
}

// File returns the file's present size and time, because Open opens the present file.
func (f *folder) File(name string) (File, error) {
	file, err := f.files.find(name)
	if err != nil {
		return File{}, err
	}
	path := filepath.Join(f.path, file)
	info, err := os.Stat(path)
	if err != nil {
		return File{}, err
	}
	return File{path, info.Size(), info.ModTime()}, nil
}

func (f *folder) Names() []string                   { return f.files.names() }
func (f *folder) Place() string                     { return f.place }
func (f *folder) Close() error                      { return nil }
func (f *folder) Unlisted(listed []string) []string { return f.files.unlisted(listed) }
