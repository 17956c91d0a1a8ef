package encoder

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"iter"

	"golang.org/x/image/webp"
)

// estimateWebP checks the chunks of a WebP. The file must be as long as it says and hold one frame, and the frame must
// have the size in the header, which has been compared with the limit of pixels. A lossy frame is decoded to 1.5 bytes
// a pixel, then to RGB, and parts of the file are copied; a lossless one takes 4 bytes a pixel, as much again for a
// palette, a quarter for each of four transformations, and the codes. Of an animation, only the first frame counts.
//
// Reference: the WebP container specification; RFC 6386, section 9.1, for "VP8 "; the specification of the WebP
// lossless bitstream for "VP8L".
func estimateWebP(data []byte, s *estimate) error {
	if whole := 8 + int64(binary.LittleEndian.Uint32(data[4:])); whole > int64(len(data)) {
		return fmt.Errorf("the file is cut short: %d of %d bytes", len(data), whole)
	}
	hasEXIF, animated := false, false
	var lossless []byte
	for name, chunk := range chunksWebP(data) {
		w, h := s.width, s.height
		switch {
		case chunk == nil:
			return fmt.Errorf("chunk %q claims more bytes than the file holds", name)
		case name == "ANMF":
			if err := estimateAnimatedWebP(chunk, &animated, s); err != nil {
				return err
			}
		case name == "VP8X" && len(chunk) > 0:
			hasEXIF = chunk[0]&flagEXIF != 0
		case name == "EXIF" && hasEXIF && len(s.exif) == 0:
			s.exif = chunk
		case name == "VP8 " && len(chunk) >= 10:
			w, h = int(binary.LittleEndian.Uint16(chunk[6:])&0x3fff), int(binary.LittleEndian.Uint16(chunk[8:])&0x3fff)
			s.memory = max(s.memory, 5*s.pixels()+2*int64(len(chunk)))
		case name == "VP8L" && len(chunk) >= 5:
			bits := binary.LittleEndian.Uint32(chunk[1:])
			w, h = int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
			lossless = chunk
		}
		if w != s.width || h != s.height {
			return fmt.Errorf("the header says %d x %d pixels, but the frame %d x %d", s.width, s.height, w, h)
		}
	}
	if lossless == nil || animated {
		return nil
	}
	codes, err := losslessMemory(lossless, s.width, s.height, maxMemory)
	s.memory = max(s.memory, 9*s.pixels()+codes)
	return err
}

// Flags in the header chunk "VP8X".
const flagEXIF, flagAlpha = 1 << 3, 1 << 4

// chunksWebP yields the chunks of a WebP. The last content is nil if it is not all there.
func chunksWebP(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for rest := data[12:]; len(rest) >= 8; {
			name, size := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:]))
			rest = rest[8:]
			if size > int64(len(rest)) {
				yield(name, nil)
				return
			}
			if !yield(name, rest[:size:size]) {
				return
			}
			rest = rest[min(size+size%2, int64(len(rest))):]
		}
	}
}

// decodeWebP decodes a WebP. Lossy images get the colours and the upsampling of libwebp: the decoder of
// golang.org/x/image returns planes with the value range of television (16 to 235), which Go's own conversion mistakes
// for the full range of JPEG. Transparency is not decoded. Of an
// animation, it decodes the first frame. It changes data.
func decodeWebP(data []byte, width, height int) (rows, error) {
	if frame := animationWebP(data); frame != nil {
		return decodeAnimatedWebP(frame, width, height)
	}
	dropAlphaWebP(data)
	decoded, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if img, ok := decoded.(*image.YCbCr); ok {
		return fromVP8(img), nil
	}
	return rowsOf(decoded), nil
}

// dropAlphaWebP hides the transparency of a lossy image from the decoder, which takes more memory for it than for the
// colours.
func dropAlphaWebP(data []byte) {
	at := 12
	for name, chunk := range chunksWebP(data) {
		switch name {
		case "VP8X":
			if len(chunk) > 0 {
				chunk[0] &^= flagAlpha
			}
		case "ALPH":
			copy(data[at:], "skip")
		}
		at += 8 + len(chunk) + len(chunk)%2
	}
}

// fromVP8 converts the planes of a lossy frame.
func fromVP8(img *image.YCbCr) *Pixels {
	b := img.Bounds()
	p := &Pixels{Width: b.Dx(), Height: b.Dy(), RGB: make([]uint8, 3*b.Dx()*b.Dy())}
	cb, cr := make([]int32, p.Width), make([]int32, p.Width)
	stored := (p.Width + 1) / 2
	for y := range p.Height {
		near, far := y/2, y/2-1
		if y%2 == 1 {
			far = y/2 + 1
		}
		far = min(max(far, 0), (p.Height+1)/2-1)
		near, far = near*img.CStride, far*img.CStride
		spreadVP8(cb, img.Cb[near:near+stored], img.Cb[far:far+stored])
		spreadVP8(cr, img.Cr[near:near+stored], img.Cr[far:far+stored])
		out := p.RGB[3*y*p.Width:]
		for x, v := range img.Y[y*img.YStride : y*img.YStride+p.Width] {
			out[3*x], out[3*x+1], out[3*x+2] = toRGBVP8(int32(v), cb[x], cr[x])
		}
	}
	return p
}

// spreadVP8 doubles a row of chroma as libwebp's "fancy" upsampling does: each new sample is 9/16 of the nearest
// stored sample, 3/16 of each of its two neighbours and 1/16 of the one diagonally opposite, rounded in two steps.
// The ends use one column.
func spreadVP8(to []int32, near, far []uint8) {
	last := len(near) - 1
	end := func(x int) int32 { return (3*int32(near[x]) + int32(far[x]) + 2) >> 2 }
	to[0] = end(0)
	if len(to)%2 == 0 {
		to[len(to)-1] = end(last)
	}
	for x := 1; x <= last; x++ {
		n0, n1, f0, f1 := int32(near[x-1]), int32(near[x]), int32(far[x-1]), int32(far[x])
		sum := n0 + n1 + f0 + f1 + 8
		to[2*x-1] = ((sum+2*(n1+f0))>>3 + n0) >> 1
		to[2*x] = ((sum+2*(n0+f1))>>3 + n1) >> 1
	}
}

// toRGBVP8 is the ITU-R BT.601 conversion in libwebp's fixed point: factors of 14 bits, of which sums keep 6.
func toRGBVP8(y, cb, cr int32) (r, g, b uint8) {
	times := func(v, factor int32) int32 { return v * factor >> 8 }
	y = times(y, 19077)
	return clip8((y + times(cr, 26149) - 14234) >> 6),
		clip8((y - times(cb, 6419) - times(cr, 13320) + 8708) >> 6),
		clip8((y + times(cb, 33050) - 17685) >> 6)
}
