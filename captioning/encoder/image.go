package encoder

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/webp"
)

// MaxPixels is the size of the largest image that is decoded: a file header can claim any size, and memory follows it.
const MaxPixels = 100_000_000

// maxFileSize is the size of the largest image file that is read, in bytes.
const maxFileSize = 256 << 20

// Pixels is an image as rows of red, green and blue bytes.
type Pixels struct {
	Width, Height int
	RGB           []uint8 // [height, width, 3]
}

// Decode reads one JPEG, PNG, GIF or WebP. Grayscale and CMYK become RGB, transparency is dropped, and the EXIF
// orientation is ignored, as in PIL's convert("RGB") and torchvision. One deviation: 16-bit grayscale keeps its high
// byte, as 16-bit colours do in PIL, while PIL turns every 16-bit gray above 255 into white. A file that is empty,
// damaged, cut short, huge, of an unknown format or an animated WebP is an error. Too many pixels are detected in the
// header, before memory is allocated.
func Decode(r io.Reader) (*Pixels, error) {
	return read(r, MaxPixels, func(src rows) (*Pixels, error) { return whole(src), nil })
}

// read decodes an image of at most maxPixels pixels and converts its rows.
func read(r io.Reader, maxPixels int, convert func(rows) (*Pixels, error)) (p *Pixels, err error) {
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
	defer func() {
		if problem := recover(); problem != nil { // a bug in a decoder must not end a run over thousands of files
			p, err = nil, fmt.Errorf("the image is damaged: %v", problem)
		}
	}()
	src, err := decode(data, maxPixels)
	if err != nil {
		return nil, err
	}
	return convert(src)
}

// formats lists the supported formats and how their files begin ("?" is any byte). The list of package image is not
// used, since its content depends on the other packages of a program.
var formats = []struct {
	magic  string
	config func(io.Reader) (image.Config, error)
	decode func(data []byte, width, height int) (rows, error)
}{
	{"\xff\xd8", jpeg.DecodeConfig, decodeJPEG},
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, decodePNG},
	{"GIF8?a", gif.DecodeConfig, decodeGIF},
	{"RIFF????WEBPVP8", webp.DecodeConfig, decodeWebP},
}

// decode decodes an image file of a supported format.
func decode(data []byte, maxPixels int) (rows, error) {
	for _, f := range formats {
		if !begins(data, f.magic) {
			continue
		}
		config, err := f.config(bytes.NewReader(data))
		if err != nil {
			return nil, damaged(err)
		}
		if config.Width < 1 || config.Height < 1 {
			return nil, fmt.Errorf("the image is damaged: it has %d x %d pixels", config.Width, config.Height)
		}
		if config.Width > maxPixels/config.Height {
			return nil, fmt.Errorf("the image has %d x %d pixels, more than %d: make it smaller",
				config.Width, config.Height, maxPixels)
		}
		src, err := f.decode(data, config.Width, config.Height)
		if err != nil {
			return nil, damaged(err)
		}
		return src, nil
	}
	return nil, fmt.Errorf("not an image in a supported format (JPEG, PNG, GIF, WebP): it begins with %.24q",
		data[:min(len(data), 24)])
}

func begins(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != data[i] && magic[i] != '?' {
			return false
		}
	}
	return true
}

func decodeJPEG(data []byte, _, _ int) (rows, error) {
	decoded, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if img, ok := decoded.(*image.YCbCr); ok {
		return newPlanes(img), nil
	}
	return FromImage(decoded), nil
}

func decodePNG(data []byte, _, _ int) (rows, error) {
	decoded, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return FromImage(decoded), nil
}

// damaged explains a decoder's error.
func damaged(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("the image is cut short (%w); fetch it again", err)
	}
	return fmt.Errorf("the image is damaged, or of an unsupported kind: %w", err)
}

// FromImage copies an image to RGB bytes and drops transparency. 16-bit colours keep their high byte. YCbCr has the
// value range of JPEG.
func FromImage(src image.Image) *Pixels {
	b := src.Bounds()
	var at func(x, y int) (r, g, b uint8)
	switch img := src.(type) {
	case *image.YCbCr:
		return whole(newPlanes(img))
	case *image.NYCbCrA:
		return whole(newPlanes(&img.YCbCr))
	case *image.Gray:
		at = func(x, y int) (r, g, b uint8) { v := img.GrayAt(x, y).Y; return v, v, v }
	case *image.Paletted:
		colours := make([]color.NRGBA, len(img.Palette))
		for i, c := range img.Palette {
			colours[i] = color.NRGBAModel.Convert(c).(color.NRGBA)
		}
		at = func(x, y int) (r, g, b uint8) { c := colours[img.ColorIndexAt(x, y)]; return c.R, c.G, c.B }
	case *image.NRGBA:
		at = func(x, y int) (r, g, b uint8) { c := img.NRGBAAt(x, y); return c.R, c.G, c.B }
	case *image.RGBA:
		at = func(x, y int) (r, g, b uint8) {
			c := img.RGBAAt(x, y)
			if c.A == 255 {
				return c.R, c.G, c.B
			}
			n := color.NRGBAModel.Convert(c).(color.NRGBA)
			return n.R, n.G, n.B
		}
	case *image.CMYK:
		at = func(x, y int) (r, g, b uint8) { return fromCMYK(img.CMYKAt(x, y)) }
	case *image.NRGBA64: // color.NRGBAModel would round colours by their transparency
		at = func(x, y int) (r, g, b uint8) {
			c := img.NRGBA64At(x, y)
			return uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8)
		}
	default:
		at = func(x, y int) (r, g, b uint8) {
			c := color.NRGBAModel.Convert(src.At(x, y)).(color.NRGBA)
			return c.R, c.G, c.B
		}
	}
	p := &Pixels{Width: b.Dx(), Height: b.Dy(), RGB: make([]uint8, 3*b.Dx()*b.Dy())}
	i := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			p.RGB[i], p.RGB[i+1], p.RGB[i+2] = at(x, y)
			i += 3
		}
	}
	return p
}

// fromCMYK subtracts the inks from white: each colour is (255-K) minus its ink's share of that, rounded as in PIL.
func fromCMYK(c color.CMYK) (r, g, b uint8) {
	white := 255 - int32(c.K)
	less := func(ink uint8) uint8 {
		product := int32(ink)*white + 128
		return clip8(white - (product>>8+product)>>8)
	}
	return less(c.C), less(c.M), less(c.Y)
}

// check reports a number of bytes that does not fit the size.
func (p *Pixels) check() error {
	if p.Width < 1 || p.Height < 1 || p.Width > math.MaxInt/3/p.Height || len(p.RGB) != 3*p.Width*p.Height {
		return fmt.Errorf("an image of %d x %d pixels cannot have %d bytes", p.Width, p.Height, len(p.RGB))
	}
	return nil
}

// Image returns a copy as an image.Image.
func (p *Pixels) Image() image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, p.Width, p.Height))
	for i := range p.Width * p.Height {
		img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], img.Pix[4*i+3] = p.RGB[3*i], p.RGB[3*i+1], p.RGB[3*i+2], 255
	}
	return img
}

// Preprocess returns the square that the encoder takes: the shorter side scaled to Resize, then the centre cropped to
// Crop. Fails for an image so long and narrow that it would have more than MaxPixels when resized, and for one whose
// bytes do not fit its size.
func (s Spec) Preprocess(p *Pixels) (*Pixels, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	return s.square(p)
}

// Decode decodes and preprocesses an image, without computing the pixels that are cropped away.
func (s Spec) Decode(r io.Reader) (*Pixels, error) { return read(r, MaxPixels, s.square) }

// square preprocesses src. The offset of the crop is rounded half to even, as Python does in torchvision's CenterCrop.
func (s Spec) square(src rows) (*Pixels, error) {
	fromWidth, fromHeight := src.size()
	width, height := s.Resize, s.Resize
	if fromWidth > fromHeight {
		width = int(float64(s.Resize) * float64(fromWidth) / float64(fromHeight))
	} else {
		height = int(float64(s.Resize) * float64(fromHeight) / float64(fromWidth))
	}
	if width > MaxPixels/height {
		return nil, fmt.Errorf("an image of %d x %d pixels is too long and narrow: it would be resized to %d x %d, "+
			"more than %d pixels; crop it", fromWidth, fromHeight, width, height, MaxPixels)
	}
	if width == fromWidth && width == s.Crop && height == fromHeight && height == s.Crop {
		return whole(src), nil
	}
	left := int(math.RoundToEven(float64(width-s.Crop) / 2))
	top := int(math.RoundToEven(float64(height-s.Crop) / 2))
	columns, lines := windows(fromWidth, width, left, left+s.Crop), windows(fromHeight, height, top, top+s.Crop)
	return resample(src, columns, lines), nil
}
