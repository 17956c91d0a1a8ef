package images

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Tree is the images in a folder and its sub-folders, named by their paths below the folder, with slashes. No path and
// no link leads out of the folder. Safe for concurrent use.
type Tree struct {
	place    string // absolute
	root     *os.Root
	paths    map[string]bool
	order    []string // of paths
	byStem   map[string][]string
	folders  map[string]bool // that hold images, and those above
	endings  map[string]bool // of the paths of folders
	texts    []string        // the other files
	outwards []string        // links that lead out of the folder
}

// OpenTree lists the files in a folder and its sub-folders. It opens none of them. Hidden files and folders are left
// out. Links to folders are not followed.
func OpenTree(dir string) (*Tree, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(absolute)
	if err != nil {
		return nil, err
	}
	t := &Tree{place: absolute, root: root, paths: make(map[string]bool), byStem: make(map[string][]string),
		folders: map[string]bool{".": true}, endings: map[string]bool{".": true}}
	if err := fs.WalkDir(root.FS(), ".", t.visit); err != nil {
		root.Close()
		return nil, err
	}
	return t, nil
}

func (t *Tree) visit(at string, entry fs.DirEntry, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", t.place, err)
	}
	if at != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "__MACOSX") {
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if entry.IsDir() {
		return nil
	}
	if entry.Type()&fs.ModeSymlink != 0 {
		info, err := t.root.Stat(at)
		if err != nil {
			t.outwards = append(t.outwards, at)
			return nil
		}
		if info.IsDir() {
			return nil
		}
	}
	if !isImage(entry.Name()) {
		t.texts = append(t.texts, at)
		return nil
	}
	t.paths[at], t.order = true, append(t.order, at)
	stem := Stem(path.Base(at))
	t.byStem[stem] = append(t.byStem[stem], at)
	for dir := path.Dir(at); !t.folders[dir]; dir = path.Dir(dir) {
		t.folders[dir] = true
		for end, more := dir, true; more; _, end, more = strings.Cut(end, "/") {
			t.endings[end] = true
		}
	}
	return nil
}

// Images lists the images in the order of their paths.
func (t *Tree) Images() []string { return t.order }

// Others lists the other files in the order of their paths.
func (t *Tree) Others() []string { return t.texts }

// Outwards lists the links that are broken or lead out of the folder, which are left out.
func (t *Tree) Outwards() []string { return t.outwards }

// HasFolder reports whether a sub-folder, named by its path, holds images.
func (t *Tree) HasFolder(dir string) bool { return t.folders[dir] }

// Place returns the absolute path of the folder.
func (t *Tree) Place() string { return t.place }

// Find returns the images that a name in an annotation file may stand for: the one with this path or else, in this
// order, those whose path ends in the name; those that do but for the ending of an image; and, if no folder has the
// name's folder as the end of its path, those with the name's last part.
func (t *Tree) Find(name string) []string {
	if t.paths[name] {
		return []string{name}
	}
	base := path.Base(name)
	exact, same, moved := []string(nil), []string(nil), []string(nil)
	stem := Stem(name)
	for _, at := range t.byStem[Stem(base)] {
		switch {
		case endsIn(at, name):
			exact = append(exact, at)
		case endsIn(Stem(at), stem):
			same = append(same, at)
		default:
			moved = append(moved, at)
		}
	}
	switch {
	case len(exact) > 0:
		return exact
	case len(same) > 0 || t.endings[path.Dir(name)]:
		return same
	}
	return moved
}

// endsIn reports whether the last parts of a path are those of another one.
func endsIn(whole, end string) bool { return whole == end || strings.HasSuffix(whole, "/"+end) }

// Open opens a file by its path in the tree. Fails for anything but a regular file in the folder.
func (t *Tree) Open(at string) (*os.File, error) {
	if _, err := t.File(at); err != nil {
		return nil, err
	}
	return t.root.Open(filepath.FromSlash(at))
}

// OpenImage is Open for an image.
func (t *Tree) OpenImage(at string) (io.ReadCloser, error) { return t.Open(at) }

// File describes the present file at a path in the tree.
func (t *Tree) File(at string) (File, error) {
	info, err := t.root.Stat(filepath.FromSlash(at))
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", filepath.Join(t.place, at), err)
	}
	if !info.Mode().IsRegular() {
		return File{}, fmt.Errorf("%s is not a regular file (%s)", filepath.Join(t.place, at), info.Mode().Type())
	}
	return File{filepath.Join(t.place, at), info.Size(), info.ModTime()}, nil
}

// Close releases the folder. Nothing can be opened afterwards.
func (t *Tree) Close() error { return t.root.Close() }
