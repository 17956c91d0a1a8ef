package nbkit

import (
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"

	"captionlab/captioning/encoder"
	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/pretrained"
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
	return temporaryFile(filepath.Base(id), data)
}

// Photograph writes a photograph of package pretrained, such as "camera.jpg", to a temporary file and returns its path.
func Photograph(name string) (string, error) {
	data, err := pretrained.Photographs.ReadFile("photographs/" + name)
	if err != nil {
		return "", fmt.Errorf("photograph %q: %w; use the path of a file of your own", name, err)
	}
	return temporaryFile(name, data)
}

func temporaryFile(name string, data []byte) (string, error) {
	dir, err := os.MkdirTemp("", "captionlab-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
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
