// Package images reads the images of a release in place: from a folder, or from the original zip archive.
package images

import (
	"io"
	"time"
)

// Source is a collection of encoded images. Images are named by their file names, without folders. An image that a
// release lists by another name ending (x.jpg, while the file is x.png, x.JPG or x.webp) is found as well. Safe for
// concurrent use.
type Source interface {
	// Has reports whether the source holds an image by that name.
	Has(name string) bool
	// Open opens an image known to Has. Fails if several files may be meant, and names them.
	Open(name string) (io.ReadCloser, error)
	// File describes the file that holds an image known to Has. Fails as Open does.
	File(name string) (File, error)
	// Names lists the images in no particular order, as their files are named.
	Names() []string
	// Place returns the path of the folder or archive as given when it was opened.
	Place() string
	// Close releases open files. Further calls do nothing.
	Close() error
	// Unlisted returns the names, as in Names, of the images that stand for none of the listed names.
	Unlisted(listed []string) []string
}

// File is a file on disk that holds one image, or an archive of images.
type File struct {
	Path     string // absolute
	Size     int64  // bytes
	Modified time.Time
}
