package nbkit

import (
	"bytes"
	"fmt"
	"html/template"
	"image"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/internal/heatmap"
	"captionlab/datasets"
)

// Looks captions examples with a model that has attention and shows, for each image, the words of the caption under the
// image as the model saw it when it chose them: bright places count, dark ones do not. Images are side pixels wide.
func (l *Lab) Looks(m *captioning.Model, examples []datasets.Example, side int) (template.HTML, error) {
	data, err := l.Data()
	if err != nil {
		return "", err
	}
	ids := IDs(examples)
	rows, err := m.Rows(l.Context, data, ids)
	if err != nil {
		return "", err
	}
	captions, err := m.CaptionFeatures(ids, rows, decoder.GenerateOptions{})
	if err != nil {
		return "", err
	}
	texts := make([]string, len(captions))
	for i, c := range captions {
		texts[i] = c.Text
	}
	return l.LooksSaying(m, ids, texts, side)
}

// LooksSaying is Looks for given captions, which people may have written: where the model would look if it said them.
func (l *Lab) LooksSaying(m *captioning.Model, ids, captions []string, side int) (template.HTML, error) {
	data, err := l.Data()
	if err != nil {
		return "", err
	}
	spec, err := encoder.Lookup(m.Checkpoint.Encoder.Name)
	if err != nil {
		return "", err
	}
	rows, err := m.Rows(l.Context, data, ids)
	if err != nil {
		return "", err
	}
	attention, err := m.Attention(rows, captions)
	if err != nil {
		return "", err
	}
	var out template.HTML
	for i, id := range ids {
		seen, err := l.seen(spec, id)
		if err != nil {
			return "", fmt.Errorf("image %s: %w", id, err)
		}
		strip, err := lookedAt(seen, attention[i], side)
		if err != nil {
			return "", fmt.Errorf("image %s: %w", id, err)
		}
		out += Text("%s", captions[i]) + strip
	}
	return out, nil
}

// seen is the part of a dataset's image that an encoder sees.
func (l *Lab) seen(spec encoder.Spec, id string) (image.Image, error) {
	f, err := l.Dataset.OpenImage(id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	pixels, err := spec.Decode(f)
	if err != nil {
		return nil, err
	}
	return pixels.Image(), nil
}

// wordTile is a word with what the model saw.
type wordTile struct {
	Word  string
	Image template.URL
}

var wordTiles = template.Must(template.New("tiles").Parse(`<div style="display:flex;flex-wrap:wrap;gap:6px;` +
	`margin-bottom:10px;font:13px/1.3 system-ui,sans-serif;color:#222;background:#fff">
{{range .}}<figure style="margin:0;text-align:center"><img src="{{.Image}}" ` +
	`alt="{{with .Word}}where the model looks at {{.}}{{else}}the image as the encoder sees it{{end}}" ` +
	`style="border-radius:3px"><figcaption>{{.Word}}</figcaption></figure>
{{end}}</div>`))

// lookedAt shows the image and then each word with its overlay.
func lookedAt(seen image.Image, a captioning.Attention, side int) (template.HTML, error) {
	first, err := jpegURL(seen, side, side)
	if err != nil {
		return "", err
	}
	tiles := []wordTile{{"", first}}
	for i, word := range a.Words {
		heat, err := heatmap.Overlay(seen, a.Weights[i])
		if err != nil {
			return "", err
		}
		tile, err := jpegURL(heat, side, side)
		if err != nil {
			return "", err
		}
		tiles = append(tiles, wordTile{word, tile})
	}
	var out bytes.Buffer
	if err := wordTiles.Execute(&out, tiles); err != nil {
		return "", err
	}
	return template.HTML(out.String()), nil
}
