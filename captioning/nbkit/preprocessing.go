package nbkit

import (
	"bytes"
	"fmt"
	"html/template"
	"image/png"
	"os"

	"captionlab/captioning/encoder"
)

// Pixels returns the decoded picture called id.
func (l *Lab) Pixels(id string) (*encoder.Pixels, error) {
	f, err := l.Dataset.OpenImage(id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := encoder.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("picture %s: %w", id, err)
	}
	return p, nil
}

// PixelsOfFile returns the decoded picture in a file of one's own.
func PixelsOfFile(name string) (*encoder.Pixels, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%w: give the path of a JPEG, PNG, GIF or WebP, relative to the notebook's folder", err)
	}
	defer f.Close()
	p, err := encoder.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// Beside puts pictures side by side, which makes a wide one, as high as the lowest of them: the others lose their bottom.
func Beside(pictures ...*encoder.Pixels) *encoder.Pixels {
	out := new(encoder.Pixels)
	for i, p := range pictures {
		out.Width += p.Width
		if i == 0 || p.Height < out.Height {
			out.Height = p.Height
		}
	}
	for y := range out.Height {
		for _, p := range pictures {
			out.RGB = append(out.RGB, p.RGB[3*y*p.Width:3*(y+1)*p.Width]...)
		}
	}
	return out
}

// Preprocessing shows pictures as they are and as each encoder takes them, on the same scale: scale screen pixels for 100 of
// the picture's. What a pixel becomes as a number is written below.
func Preprocessing(scale int, pictures ...*encoder.Pixels) (template.HTML, error) {
	head := []string{"as it is"}
	var specs []encoder.Spec
	for _, name := range encoder.Names() {
		s, err := encoder.Lookup(name)
		if err != nil {
			return "", err
		}
		specs = append(specs, s)
		head = append(head, fmt.Sprintf("%s: shorter side to %d, centre %d x %d", name, s.Resize, s.Crop, s.Crop))
	}
	var rows [][]template.HTML
	for _, p := range pictures {
		row := []template.HTML{scaled(p, scale)}
		for _, s := range specs {
			seen, err := s.Preprocess(p)
			if err != nil {
				return "", err
			}
			at := 3 * (s.Crop*s.Crop + s.Crop) / 2 // the middle
			numbers := ""
			for c := range 3 {
				numbers += fmt.Sprintf(" %+.2f", (float32(seen.RGB[at+c])-s.Mean[c])/s.Std[c])
			}
			row = append(row, scaled(seen, scale)+Text("the middle pixel, red green blue %v, enters as%s", seen.RGB[at:at+3], numbers))
		}
		rows = append(rows, row)
	}
	return Table(head, rows), nil
}

// scaled is a picture as it would look on a screen of scale pixels for 100 of its own, with its size below.
func scaled(p *encoder.Pixels, scale int) template.HTML {
	var out bytes.Buffer
	if err := png.Encode(&out, p.Image()); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	picture, err := Thumbnail(&out, max(1, max(p.Width, p.Height)*scale/100))
	if err != nil {
		panic(err) // it was written in the line above
	}
	return template.HTML(fmt.Sprintf(`<img src="%s">`, picture)) + Text("%d x %d", p.Width, p.Height)
}
