package nbkit

import (
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/internal/atomicfile"
)

// ImageFile writes an image of the dataset to a temporary file and returns its path: a stand-in for a photograph of your
// own. The operating system removes the file.
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

// CaptionFiles captions image files, for example photographs of your own, and returns a gallery card for each. It fails
// for an image that cannot be read, and names it.
func (l *Lab) CaptionFiles(m *captioning.Model, options decoder.GenerateOptions, files ...string) ([]Card, error) {
	e, err := l.openEncoder(m.Checkpoint.Encoder.Name)
	if err != nil {
		return nil, err
	}
	openFile := func(name string) (io.ReadCloser, error) { return os.Open(name) }
	captions, problems, err := m.CaptionImages(l.Context, e, files, openFile, options, nil)
	if err != nil {
		return nil, err
	}
	var cards []Card
	for i, file := range files {
		if problems[i] != nil {
			return nil, fmt.Errorf("no caption: %w", problems[i])
		}
		image, err := fileThumbnail(file, 224)
		if err != nil {
			return nil, err
		}
		cards = append(cards, Card{Image: image, Caption: captions[i].Text})
	}
	return cards, nil
}

func fileThumbnail(file string, side int) (template.URL, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	image, err := Thumbnail(f, side)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return image, nil
}
