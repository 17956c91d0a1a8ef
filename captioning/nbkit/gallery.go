package nbkit

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/jpeg"
	"io"

	"golang.org/x/image/draw"

	"captionlab/captioning/encoder"
)

// Card is one image of a gallery.
type Card struct {
	Title      string        // small line above the caption, for example the image's id; may be empty
	Image      template.URL  // from Thumbnail
	Caption    string        // generated
	References []string      // may be empty
	Note       template.HTML // below, may be empty
}

// Thumbnail decodes an image of a dataset and returns it as a JPEG in a data URL, at most side pixels wide and high.
func Thumbnail(r io.Reader, side int) (template.URL, error) {
	return thumbnail(r, side, encoder.ImageOptions{})
}

func thumbnail(r io.Reader, side int, o encoder.ImageOptions) (template.URL, error) {
	p, err := o.Decode(r)
	if err != nil {
		return "", err
	}
	scale := min(1, float64(side)/float64(max(p.Width, p.Height)))
	width, height := max(1, int(float64(p.Width)*scale)), max(1, int(float64(p.Height)*scale))
	return jpegURL(p.Image(), width, height)
}

// jpegURL is an image, scaled to width x height pixels, as a JPEG in a data URL.
func jpegURL(img image.Image, width, height int) (template.URL, error) {
	small := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: 82}); err != nil {
		return "", fmt.Errorf("thumbnail: %w", err)
	}
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(out.Bytes())), nil
}

var gallery = template.Must(template.New("gallery").Parse(`<div style="display:flex;flex-wrap:wrap;gap:14px">
{{range .}}<figure style="width:232px;margin:0;border:1px solid #ddd;border-radius:6px;padding:8px;background:#fff;` +
	`color:#222;font:14px/1.35 system-ui,sans-serif">
<img src="{{.Image}}" alt="{{or .Caption .Title}}" style="width:100%;border-radius:3px">
<figcaption>{{with .Title}}<div style="color:#777;font-size:12px">{{.}}</div>{{end}}` +
	`{{with .Caption}}<div style="font-weight:600;margin:4px 0">{{.}}</div>{{end}}
{{range .References}}<div style="color:#555;font-size:12px">{{.}}</div>{{end}}{{.Note}}</figcaption></figure>
{{end}}</div>`))

// Gallery returns the cards side by side.
func Gallery(cards []Card) (template.HTML, error) {
	var out bytes.Buffer
	if err := gallery.Execute(&out, cards); err != nil {
		return "", err
	}
	return template.HTML(out.String()), nil
}

// imageTag is an image element of at most width pixels; its alt text is the id.
func imageTag(image template.URL, id string, width int) template.HTML {
	var out bytes.Buffer
	if err := imageElement.Execute(&out, struct {
		Image template.URL
		ID    string
		Width int
	}{image, id, width}); err != nil {
		panic(err) // cannot happen, as in Table
	}
	return template.HTML(out.String())
}

var imageElement = template.Must(template.New("image").Parse(
	`<img src="{{.Image}}" alt="{{.ID}}" style="max-width:{{.Width}}px;border-radius:3px">`))
