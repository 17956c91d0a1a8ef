package nbkit

import (
	"fmt"
	"io"
	"os"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
)

// CaptionFiles captions pictures in files, photographs of one's own, and returns a gallery card for each. A picture that
// cannot be read gives an error that names it.
func (l *Lab) CaptionFiles(m *captioning.Model, options decoder.GenerateOptions, files ...string) ([]Card, error) {
	e, err := l.openEncoder(m.Checkpoint.Encoder.Name)
	if err != nil {
		return nil, err
	}
	captions, problems, err := m.CaptionImages(l.Context, e, files, func(name string) (io.ReadCloser, error) { return os.Open(name) }, options)
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
