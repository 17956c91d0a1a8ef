package encoder

import (
	"bytes"
	"encoding/binary"
	"iter"
	"strings"
)

// Markers of a JPEG file (ITU-T T.81, table B.1).
const (
	markerSOF0, markerSOF1, markerSOF2 = 0xc0, 0xc1, 0xc2 // start of a frame: baseline, extended, progressive
	markerRST0, markerRST7             = 0xd0, 0xd7
	markerEOI                          = 0xd9
	markerSOS                          = 0xda // start of a scan
	markerAPP1, markerAPP14            = 0xe1, 0xee
)

// frameJPEG is the frame of a JPEG, as its header describes it.
type frameJPEG struct {
	blocks      map[byte]int64 // blocks of each component, padded as in the decoder
	progressive bool
	rgb         bool // components are called R, G and B
}

// estimateJPEG reads the markers of a JPEG. The decoder of the standard library keeps each component at its own size
// and, for a progressive file, its coefficients as int32; it copies CMYK and RGB to 4 bytes a pixel.
func estimateJPEG(data []byte, s *estimate) error {
	const visitsOfSegment = 100 // even a segment without a scan takes time
	var frame frameJPEG
	adobeRGB := false
	scans := 0
	for marker, segment := range segments(data) {
		s.visits += visitsOfSegment
		switch marker {
		case markerSOF0, markerSOF1, markerSOF2:
			if frame.blocks == nil {
				frame = newFrameJPEG(segment, s, marker == markerSOF2)
			}
		case markerSOS:
			scans++
			for i := 1; i+1 < len(segment) && i < 2*int(segment[0]); i += 2 {
				s.visits += frame.blocks[segment[i]]
			}
		case markerAPP1:
			if scans == 0 && len(s.exif) == 0 && bytes.HasPrefix(segment, []byte(exifHeader)) {
				s.exif = segment
			}
		case markerAPP14:
			if len(segment) >= 12 && bytes.HasPrefix(segment, []byte("Adobe")) && segment[11] == 0 {
				adobeRGB = true
			}
		}
	}
	for _, blocks := range frame.blocks {
		s.memory += 64 * blocks
		if frame.progressive {
			s.memory += 64 * 4 * blocks
		}
	}
	if n := len(frame.blocks); n == 4 || n == 3 && (frame.rgb || adobeRGB) {
		s.memory += 4 * s.pixels()
	}
	return nil
}

// newFrameJPEG reads the segment of a frame header. The decoder refuses what is not right in it.
func newFrameJPEG(segment []byte, s *estimate, progressive bool) frameJPEG {
	f := frameJPEG{blocks: make(map[byte]int64), progressive: progressive}
	var names strings.Builder
	var columns, lines int64 // of minimum coded units
	for i := 6; i+2 < len(segment); i += 3 {
		h, v := int64(segment[i+1]>>4), int64(segment[i+1]&15)
		if len(segment) == 9 { // the sampling factors of a single component mean nothing
			h, v = 1, 1
		}
		if i == 6 {
			columns = (int64(s.width)-1)/(8*max(h, 1)) + 1
			lines = (int64(s.height)-1)/(8*max(v, 1)) + 1
		}
		f.blocks[segment[i]] = columns * lines * h * v
		names.WriteByte(segment[i])
	}
	f.rgb = names.String() == "RGB"
	return f
}

// segments yields the marker and the content of each segment in a JPEG, and skips the image data between them, as the
// decoder does. It ends where the decoder ends or fails.
func segments(data []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for rest := data[2:]; ; {
			at := bytes.IndexByte(rest, 0xff)
			if at < 0 {
				return
			}
			for rest = rest[at:]; len(rest) > 0 && rest[0] == 0xff; { // any number of them may precede a marker
				rest = rest[1:]
			}
			if len(rest) == 0 || rest[0] == markerEOI {
				return
			}
			marker := rest[0]
			rest = rest[1:]
			if marker == 0 || marker >= markerRST0 && marker <= markerRST7 {
				continue
			}
			if len(rest) < 2 {
				return
			}
			size := int(binary.BigEndian.Uint16(rest))
			if size < 2 || size > len(rest) || !yield(marker, rest[2:size]) {
				return
			}
			rest = rest[size:]
		}
	}
}
