package main

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/gomlx/compute"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/nbkit"
	"captionlab/captioning/pretrained"
)

// photograph is a photograph of the demo with the caption of the model that comes with captionlab.
type photograph struct {
	file, text string
	jpeg       []byte
}

// captionPhotographs writes the photographs of package pretrained to a folder and captions them.
func captionPhotographs(ctx context.Context, backend compute.Backend, folder string) ([]photograph, error) {
	entries, err := pretrained.Photographs.ReadDir("photographs")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	c, err := captioning.OpenCaptioner(ctx, backend, "", captioning.CaptionerOptions{})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var all []photograph
	for _, entry := range entries {
		data, err := pretrained.Photographs.ReadFile(path.Join("photographs", entry.Name()))
		if err != nil {
			return nil, err
		}
		file := filepath.Join(folder, entry.Name())
		if err := atomicfile.WriteFile(file, data); err != nil {
			return nil, err
		}
		caption, err := c.CaptionFile(ctx, file, decoder.GenerateOptions{Beam: 3})
		if err != nil {
			return nil, err
		}
		all = append(all, photograph{file, caption.Text, data})
	}
	return all, nil
}

func printPhotographs(out io.Writer, all []photograph) {
	fmt.Fprintln(out, "\nphotographs, with the model that comes with captionlab:")
	for _, p := range all {
		fmt.Fprintf(out, "  %s: %s\n", p.file, p.text)
	}
	fmt.Fprintln(out, "your own:  bin/captionlab caption photo.jpg    or, in a browser:  bin/captionlab serve")
}

func photographGallery(all []photograph) (template.HTML, error) {
	var cards []nbkit.Card
	for _, p := range all {
		thumbnail, err := nbkit.Thumbnail(bytes.NewReader(p.jpeg), 216)
		if err != nil {
			return "", err
		}
		cards = append(cards, nbkit.Card{Title: filepath.Base(p.file), Image: thumbnail, Caption: p.text})
	}
	return nbkit.Gallery(cards)
}
