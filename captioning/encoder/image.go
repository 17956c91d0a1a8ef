package encoder

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // the formats that Decode knows
	_ "image/jpeg"
	_ "image/png"
	"io"
	"math"

	_ "golang.org/x/image/webp"
)

// MaxPixels is the largest picture that is decoded: a file header can claim any size, and memory follows it.
const MaxPixels = 100_000_000

// maxFileSize is the largest picture file that is read, in bytes.
const maxFileSize = 256 << 20

// Pixels is a picture as rows of red, green and blue bytes.
type Pixels struct {
	Width, Height int
	RGB           []uint8 // [height, width, 3]
}

// Decode reads one JPEG, PNG, GIF or WebP. Grayscale and CMYK become RGB; transparency is dropped, and the EXIF orientation
// ignored, as PIL's convert("RGB") and torchvision do. An empty, damaged, unknown or huge file is an error, found from
// the header before memory is taken.
func Decode(r io.Reader) (p *Pixels, err error) {
	defer func() {
		if problem := recover(); problem != nil { // a decoder's own bug must not end a run over thousands of files
			err = fmt.Errorf("the picture is damaged: %v", problem)
		}
	}()
	data, err := io.ReadAll(io.LimitReader(r, maxFileSize+1))
	if err != nil {
		return nil, err
	}
	switch {
	case len(data) == 0:
		return nil, errors.New("the file is empty")
	case len(data) > maxFileSize:
		return nil, fmt.Errorf("the file has more than %d MiB", maxFileSize>>20)
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("no picture that can be read (JPEG, PNG, GIF, WebP): %w", err)
	}
	if config.Width < 1 || config.Height < 1 || config.Width > MaxPixels/config.Height {
		return nil, fmt.Errorf("%d x %d pixels; at most %d million are read, make it smaller", config.Width, config.Height, MaxPixels/1_000_000)
	}
	decoded, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the picture is damaged: %w", err)
	}
	return FromImage(decoded), nil
}

// FromImage copies any image to RGB bytes, dropping transparency.
func FromImage(src image.Image) *Pixels {
	b := src.Bounds()
	p := &Pixels{Width: b.Dx(), Height: b.Dy(), RGB: make([]uint8, 3*b.Dx()*b.Dy())}
	switch img := src.(type) {
	case *image.YCbCr:
		p.fromYCbCr(img)
		return p
	case *image.Gray:
		for y := range p.Height {
			row := img.Pix[y*img.Stride : y*img.Stride+p.Width]
			for x, v := range row {
				i := 3 * (y*p.Width + x)
				p.RGB[i], p.RGB[i+1], p.RGB[i+2] = v, v, v
			}
		}
		return p
	}
	i := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := color.NRGBAModel.Convert(src.At(x, y)).(color.NRGBA)
			p.RGB[i], p.RGB[i+1], p.RGB[i+2] = c.R, c.G, c.B
			i += 3
		}
	}
	return p
}

// Image returns the picture as an image.Image of its own memory.
func (p *Pixels) Image() image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, p.Width, p.Height))
	for i := range p.Width * p.Height {
		img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], img.Pix[4*i+3] = p.RGB[3*i], p.RGB[3*i+1], p.RGB[3*i+2], 255
	}
	return img
}

// Preprocess brings the picture to the square that the encoder takes: shorter side to Resize, centre crop to Crop.
func (s Spec) Preprocess(p *Pixels) (*Pixels, error) {
	width, height := s.Resize, s.Resize
	if p.Width > p.Height {
		width = int(float64(s.Resize) * float64(p.Width) / float64(p.Height))
	} else {
		height = int(float64(s.Resize) * float64(p.Height) / float64(p.Width))
	}
	if width > MaxPixels/height {
		return nil, fmt.Errorf("%d x %d pixels are too long and narrow to be resized", p.Width, p.Height)
	}
	return p.resize(width, height).crop(s.Crop), nil
}

// crop cuts the centre square, rounding halves to even as Python does in torchvision's CenterCrop.
func (p *Pixels) crop(side int) *Pixels {
	if p.Width == side && p.Height == side {
		return p
	}
	left := int(math.RoundToEven(float64(p.Width-side) / 2))
	top := int(math.RoundToEven(float64(p.Height-side) / 2))
	out := &Pixels{Width: side, Height: side, RGB: make([]uint8, 3*side*side)}
	for y := range side {
		from := 3 * ((top+y)*p.Width + left)
		copy(out.RGB[3*y*side:3*(y+1)*side], p.RGB[from:from+3*side])
	}
	return out
}
