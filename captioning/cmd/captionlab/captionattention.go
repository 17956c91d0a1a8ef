package main

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"

	"captionlab/captioning"
	"captionlab/captioning/internal/atomicfile"
)

// attentionSheets draws, for each image, where the model looks at each word, as PNGs in a folder.
type attentionSheets struct {
	folder    string
	captioner *captioning.Captioner
	owner     map[string]string // the image that a PNG belongs to
}

// newAttentionSheets creates the folder. It fails if the captioner's model has no attention, and for images whose PNGs
// would have the same name.
func newAttentionSheets(folder string, captioner *captioning.Captioner, images []string) (*attentionSheets, error) {
	if !captioner.Model().Attends() {
		return nil, usageError{errors.New("--attention: this model does not look at places of the image; " +
			"train one with --set cell=attention or cell=top-down")}
	}
	s := &attentionSheets{folder, captioner, make(map[string]string)}
	for _, image := range images {
		sheet := s.sheetOf(image)
		if other, taken := s.owner[sheet]; taken && filepath.Clean(other) != filepath.Clean(image) {
			return nil, usageError{fmt.Errorf("--attention: %s and %s would both be drawn in %s: caption them one "+
				"after the other, into two folders", other, image, sheet)}
		}
		s.owner[sheet] = image
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("--attention: %w", err)
	}
	return s, nil
}

// sheetOf returns the path of an image's PNG: DIR/photo.png for photo.jpg.
func (s *attentionSheets) sheetOf(image string) string {
	base := filepath.Base(image)
	return filepath.Join(s.folder, strings.TrimSuffix(base, filepath.Ext(base))+".png")
}

// draw draws the sheets of images, given what the model reads of them and their captions.
func (s *attentionSheets) draw(files []string, rows [][]float32, captions []string) error {
	attention, err := s.captioner.Attention(rows, captions)
	if err != nil {
		return err
	}
	for i, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return fmt.Errorf("--attention: %w", err)
		}
		pixels, err := s.captioner.Decode(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("--attention: %s: %w", file, err)
		}
		sheet, err := attention[i].Draw(pixels.Image())
		if err != nil {
			return fmt.Errorf("--attention: %s: %w", file, err)
		}
		var out bytes.Buffer
		if err := png.Encode(&out, sheet); err != nil {
			return err
		}
		if err := atomicfile.WriteFile(s.sheetOf(file), out.Bytes()); err != nil {
			return fmt.Errorf("--attention: %w", err)
		}
	}
	return nil
}
