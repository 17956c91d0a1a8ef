// Package images reads the images of a release in place: from a folder, or from the original zip archive.
package images

import (
	"io"
	"path"
	"strings"
	"time"
)

// Source is a collection of encoded images. Images are named by their file names, without folders. Safe for concurrent
// use.
type Source interface {
	// Has reports whether the source holds an image.
	Has(name string) bool
	// Open opens an image known to Has.
	Open(name string) (io.ReadCloser, error)
	// File describes the file that holds an image known to Has.
	File(name string) (File, error)
	// Names lists the images in no particular order.
	Names() []string
	// Place returns the path of the folder or archive as given when it was opened.
	Place() string
	// Close releases open files. Further calls do nothing.
	Close() error
}

// File is a file on disk that holds one image, or an archive of images.
type File struct {
	Path     string // absolute
	Size     int64  // bytes
	Modified time.Time
}

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	return out
}

// isImage reports whether a file in a release is one of its images, which are all JPEG.
func isImage(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg":
		return !strings.HasPrefix(name, ".")
	}
	return false
}
