package encoder

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
)

// Pixels is an image as rows of red, green and blue bytes.
type Pixels struct {
	Width, Height int
	RGB           []uint8 // [height, width, 3]
}

// Decode reads one JPEG, PNG, GIF or WebP, known by its content. Grayscale, palettes and CMYK become RGB, transparency
// is dropped, of an animation (GIF, APNG, WebP) the first frame is taken, and the EXIF orientation is ignored (see
// ImageOptions), as in PIL's convert("RGB") and torchvision. 16-bit colours keep their high byte. One deviation: so
// does 16-bit grayscale, while PIL turns every 16-bit gray above 255 into white.
//
// A file that is empty, damaged, cut short, huge or of an unknown format is an error. So is an image of more than
// MaxPixels, or one whose decoding would take more than a gigabyte or minutes. That is found out from the file before
// memory is allocated. HEIC, AVIF, JPEG XL, JPEG 2000, TIFF, BMP and the raw formats of cameras are recognised; the
// error names the format and a command that converts it. Several images may be decoded at the same time; large ones
// wait for each other, so that all together take little more than a gigabyte.
func Decode(r io.Reader) (*Pixels, error) { return ImageOptions{}.Decode(r) }

// FromImage copies an image to RGB bytes and drops transparency. 16-bit colours keep their high byte. YCbCr has the
// value range of JPEG.
func FromImage(src image.Image) *Pixels { return whole(rowsOf(src)) }

// pointwise is an image that is converted to RGB pixel by pixel.
type pointwise struct {
	bounds image.Rectangle
	at     func(x, y int) (r, g, b uint8)
}

func (p *pointwise) size() (width, height int) { return p.bounds.Dx(), p.bounds.Dy() }

func (p *pointwise) row(out line, y, from int) {
	for x := range out[0] {
		out[0][x], out[1][x], out[2][x] = p.at(p.bounds.Min.X+from+x, p.bounds.Min.Y+y)
	}
}

// rowsOf converts an image as FromImage does, without copying it.
func rowsOf(src image.Image) rows {
	var at func(x, y int) (r, g, b uint8)
	switch img := src.(type) {
	case *image.YCbCr:
		return newPlanes(img)
	case *image.NYCbCrA:
		return newPlanes(&img.YCbCr)
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
	return &pointwise{src.Bounds(), at}
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

// Decode decodes and preprocesses an image of a dataset, without computing the pixels that are cropped away.
func (s Spec) Decode(r io.Reader) (*Pixels, error) { return s.DecodeWith(r, ImageOptions{}) }

// DecodeWith is Decode with options.
func (s Spec) DecodeWith(r io.Reader, o ImageOptions) (*Pixels, error) {
	return o.read(r, false, s.square)
}

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
