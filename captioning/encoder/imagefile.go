package encoder

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"

	fastjpeg "captionlab/captioning/internal/jpeg"
)

// ImageOptions change how an image is decoded. The zero value is for the images of datasets.
type ImageOptions struct {
	// Upright turns the image as its EXIF orientation says (JPEG, PNG, WebP), like PIL's ImageOps.exif_transpose: what
	// a person sees. Without it, pixels stay as they are stored, which is how PIL and torchvision read datasets and
	// how the pretrained networks have seen them. EXIF data that is damaged is ignored.
	Upright bool
	// MaxPixels is the size of the largest image that is decoded; 0 means the constant MaxPixels. A larger value
	// also raises the limits of memory, time and file size, by the same factor.
	MaxPixels int
}

// Decode reads one JPEG, PNG, GIF or WebP; see the function Decode.
func (o ImageOptions) Decode(r io.Reader) (*Pixels, error) {
	return o.read(r, true, func(src rows) (*Pixels, error) { return whole(src), nil })
}

// read decodes an image and converts its rows; all says that this takes a copy of all pixels. It waits while other
// images take the memory that this one needs.
func (o ImageOptions) read(r io.Reader, all bool, convert func(rows) (*Pixels, error)) (p *Pixels, err error) {
	limit := o.limits()
	data, release, err := readFile(r, limit.file)
	if err != nil {
		return nil, err
	}
	defer release()
	if len(data) == 0 {
		return nil, errors.New("the file is empty")
	}
	defer func() {
		if problem := recover(); problem != nil { // a bug in a decoder must not end a run over thousands of files
			p, err = nil, fmt.Errorf("the image is damaged: %v", problem)
		}
	}()
	f, err := formatOf(data)
	if err != nil {
		return nil, err
	}
	s, err := f.examine(data, limit.pixels)
	if err != nil {
		return nil, err
	}
	turn := 1
	if o.Upright {
		turn = orientation(s.exif)
	}
	if all || turn != 1 {
		s.memory += 3 * s.pixels()
	}
	if err := limit.check(s); err != nil {
		return nil, err
	}
	defer reserve(s.memory)()
	src, err := f.decode(data, s.width, s.height)
	if err != nil {
		return nil, damaged(err)
	}
	return convert(upright(src, turn))
}

// format is a supported file format.
type format struct {
	magic    string // how its files begin; "?" is any byte
	config   func(io.Reader) (image.Config, error)
	estimate func(data []byte, s *estimate) error
	decode   func(data []byte, width, height int) (rows, error) // may change data
}

// estimate is what the file of an image says about it before it is decoded.
type estimate struct {
	width, height int
	memory        int64  // bytes that reading and decoding takes, at most
	visits        int64  // how often the decoder passes over a block of a JPEG
	exif          []byte // EXIF data; may be empty
}

func (s *estimate) pixels() int64 { return int64(s.width) * int64(s.height) }

// formats lists the supported formats. The list of package image is not used, since its content depends on the other
// packages of a program.
var formats = []format{
	{"\xff\xd8", jpeg.DecodeConfig, estimateJPEG, decodeJPEG},
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, estimatePNG, decodePNG},
	{"GIF8?a", gif.DecodeConfig, estimateGIF, decodeGIF},
	{"RIFF????WEBPVP8", webp.DecodeConfig, estimateWebP, decodeWebP},
}

func formatOf(data []byte) (format, error) {
	for _, f := range formats {
		if begins(data, f.magic) {
			return f, nil
		}
	}
	if err := explainOther(data); err != nil {
		return format{}, err
	}
	return format{}, fmt.Errorf("not an image in a supported format (JPEG, PNG, GIF, WebP): it begins with %.24q",
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

// examine estimates what decoding an image takes, and fails if it has more than maxPixels pixels.
func (f format) examine(data []byte, maxPixels int) (*estimate, error) {
	config, err := f.config(bytes.NewReader(data))
	if err != nil {
		return nil, damaged(err)
	}
	s := &estimate{width: config.Width, height: config.Height}
	if s.width < 1 || s.height < 1 {
		return nil, fmt.Errorf("the image is damaged: it has %d x %d pixels", s.width, s.height)
	}
	if s.width > maxPixels/s.height {
		return nil, fmt.Errorf("the image has %d x %d pixels, more than %d: "+
			"make it smaller, or raise the limit of pixels", s.width, s.height, maxPixels)
	}
	if err := f.estimate(data, s); err != nil {
		return nil, damaged(err)
	}
	s.memory += int64(len(data))
	return s, nil
}

func decodeJPEG(data []byte, _, _ int) (rows, error) {
	decoded, err := fastjpeg.Decode(data)
	if err != nil {
		return nil, err
	}
	if gray, ok := decoded.(*image.Gray); ok {
		return grayRows{gray}, nil
	}
	return rowsOf(decoded), nil
}

func decodePNG(data []byte, _, _ int) (rows, error) {
	decoded, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return rowsOf(decoded), nil
}

// damaged explains a decoder's error.
func damaged(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("the image is cut short (%w); fetch it again", err)
	}
	return fmt.Errorf("the image is damaged, or of an unsupported kind: %w", err)
}
