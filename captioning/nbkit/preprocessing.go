package nbkit

import (
	"bytes"
	"fmt"
	"html/template"
	"image/png"

	"captionlab/captioning/encoder"
	"captionlab/datasets/regular"
)

// Pixels returns the decoded image called id.
func (l *Lab) Pixels(id string) (*encoder.Pixels, error) {
	f, err := l.Dataset.OpenImage(id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := encoder.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", id, err)
	}
	return p, nil
}

// PixelsOfFile returns the decoded image in a file of your own, turned upright.
func PixelsOfFile(name string) (*encoder.Pixels, error) {
	f, err := regular.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%w: give the path of a JPEG, PNG, GIF or WebP, relative to the notebook's folder", err)
	}
	defer f.Close()
	p, err := encoder.ImageOptions{Upright: true}.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// SideBySide joins images from left to right. The result is as high as the lowest of them; the others lose their
// bottom.
func SideBySide(images ...*encoder.Pixels) *encoder.Pixels {
	out := new(encoder.Pixels)
	for i, p := range images {
		out.Width += p.Width
		if i == 0 || p.Height < out.Height {
			out.Height = p.Height
		}
	}
	for y := range out.Height {
		for _, p := range images {
			out.RGB = append(out.RGB, p.RGB[3*y*p.Width:3*(y+1)*p.Width]...)
		}
	}
	return out
}

// Preprocessing shows images unchanged and as each encoder receives them, on the same scale: scale screen pixels for
// 100 pixels of the image. Below is what one pixel becomes as a number.
func Preprocessing(scale int, images ...*encoder.Pixels) (template.HTML, error) {
	head := []string{"unchanged"}
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
	for _, p := range images {
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
			row = append(row, scaled(seen, scale)+
				Text("the middle pixel, red green blue %v, becomes%s", seen.RGB[at:at+3], numbers))
		}
		rows = append(rows, row)
	}
	return Table(head, rows), nil
}

// scaled is an image with scale screen pixels for 100 of its own, and its size below.
func scaled(p *encoder.Pixels, scale int) template.HTML {
	var out bytes.Buffer
	if err := png.Encode(&out, p.Image()); err != nil {
		panic(err) // cannot happen: a bytes.Buffer accepts all writes
	}
	side := max(1, max(p.Width, p.Height)*scale/100)
	image, err := Thumbnail(&out, side)
	if err != nil {
		panic(err) // cannot happen: the line above encoded it
	}
	return imageTag(image, "", side) + Text("%d x %d", p.Width, p.Height)
}
