package nbkit

import (
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"

	"captionlab/captioning/encoder"
	"captionlab/captioning/internal/atomicfile"
	"captionlab/datasets/regular"
)

// ImageFile writes an image of the dataset to a temporary file and returns its path: a stand-in for a photograph of
// your own. The operating system removes the file.
func (l *Lab) ImageFile(id string) (string, error) {
	in, err := l.Dataset.OpenImage(id)
	if err != nil {
		return "", err
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	if err != nil {
		return "", fmt.Errorf("image %s: %w", id, err)
	}
	dir, err := os.MkdirTemp("", "captionlab-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.Base(id))
	return path, atomicfile.WriteFile(path, data)
}

// FileThumbnail is Thumbnail for an image file of your own, turned upright.
func FileThumbnail(file string, side int) (template.URL, error) {
	f, err := regular.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	image, err := thumbnail(f, side, encoder.ImageOptions{Upright: true})
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return image, nil
}
