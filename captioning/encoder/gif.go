package encoder

import (
	"bytes"
	"image"
	"image/gif"
)

// estimateGIF counts what decodeGIF takes: the frame, a copy of it if it is interlaced, and the screen.
func estimateGIF(_ []byte, s *estimate) error {
	s.memory += 3 * s.pixels()
	return nil
}

// decodeGIF decodes the first frame of a GIF whose screen has width x height pixels. Like PIL, it keeps the colour of
// transparent pixels, and fills the part of the screen outside the frame with the transparent colour or, without one,
// with the first colour. It changes data.
func decodeGIF(data []byte, width, height int) (rows, error) {
	fill := makeOpaque(data)
	decoded, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	frame, ok := decoded.(*image.Paletted)
	if !ok || frame.Bounds() == image.Rect(0, 0, width, height) {
		return rowsOf(decoded), nil
	}
	screen := image.NewPaletted(image.Rect(0, 0, width, height), frame.Palette)
	for i := range screen.Pix {
		screen.Pix[i] = uint8(min(fill, len(frame.Palette)-1))
	}
	b := frame.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		at := frame.PixOffset(b.Min.X, y)
		copy(screen.Pix[screen.PixOffset(b.Min.X, y):], frame.Pix[at:at+b.Dx()])
	}
	return rowsOf(screen), nil
}

// makeOpaque removes the transparency of the first frame, because Go's decoder loses the colour of transparent
// pixels. It returns the index of the transparent colour, 0 if there is none. It ignores a file that ends early; the
// decoder reports it.
//
// Reference: GIF89a specification, sections 18 (logical screen), 23 (graphic control extension) and 15 (sub-blocks).
func makeOpaque(data []byte) (transparent int) {
	const screenEnd, extension, graphicControl = 13, 0x21, 0xf9
	if len(data) < screenEnd {
		return 0
	}
	at := screenEnd
	if flags := data[10]; flags&0x80 != 0 {
		at += 3 << (flags&7 + 1)
	}
	for at+7 < len(data) && data[at] == extension {
		if data[at+1] == graphicControl && data[at+2] == 4 {
			transparent = 0
			if data[at+3]&1 != 0 {
				transparent = int(data[at+6])
				data[at+3] &^= 1
			}
		}
		for at += 2; at < len(data) && data[at] != 0; {
			at += 1 + int(data[at])
		}
		at++
	}
	return transparent
}
