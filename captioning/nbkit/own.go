package nbkit

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/internal/atomicfile"
)

// PictureFile writes a picture of the dataset to a temporary file, which the system clears away, and returns its path: a
// stand-in for a photograph of one's own.
func (l *Lab) PictureFile(id string) (string, error) {
	in, err := l.Dataset.OpenImage(id)
	if err != nil {
		return "", err
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	if err != nil {
		return "", fmt.Errorf("picture %s: %w", id, err)
	}
	dir, err := os.MkdirTemp("", "captionlab-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.Base(id))
	return path, atomicfile.WriteFile(path, data)
}

// CaptionFiles captions pictures in files, photographs of one's own, and returns a gallery card for each. A picture that
// cannot be read gives an error that names it.
func (l *Lab) CaptionFiles(m *captioning.Model, options decoder.GenerateOptions, files ...string) ([]Card, error) {
	e, err := l.openEncoder(m.Checkpoint.Encoder.Name)
	if err != nil {
		return nil, err
	}
	captions, problems, err := m.CaptionImages(l.Context, e, files, func(name string) (io.ReadCloser, error) { return os.Open(name) }, options, nil)
	if err != nil {
		return nil, err
	}
	var cards []Card
	for i, file := range files {
		if problems[i] != nil {
			return nil, fmt.Errorf("no caption: %w", problems[i])
		}
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		picture, err := Thumbnail(f, 224)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		cards = append(cards, Card{Image: picture, Caption: captions[i].Text})
	}
	return cards, nil
}
