package encoder

import "encoding/binary"

// estimatePNG reads the chunks of a PNG. The decoder of the standard library takes 1 to 8 bytes a pixel, and as many
// again for an interlaced file. It skips compressed texts and profiles without unpacking them.
//
// Reference: Portable Network Graphics specification (third edition), 5.3 (chunks), 11.2.1 (IHDR) and 11.3.4.5 (eXIf).
func estimatePNG(data []byte, s *estimate) error {
	const start, ends = 8, 12 // bytes of the signature, and of length, type and checksum of a chunk
	transparent := false
	for rest := data[start:]; len(rest) >= ends; {
		size, kind := int64(binary.BigEndian.Uint32(rest)), string(rest[4:8])
		if size > int64(len(rest)-ends) {
			break
		}
		switch {
		case kind == "tRNS":
			transparent = true
		case kind == "eXIf" && len(s.exif) == 0:
			s.exif = rest[8 : 8+size]
		}
		rest = rest[ends+size:]
	}
	depth, colour, interlaced := data[24], data[25], data[28] != 0 // there: the header was read
	const gray, palette = 0, 3
	bytes := int64(4)
	switch {
	case colour == palette || colour == gray && depth <= 8 && !transparent:
		bytes = 1
	case colour == gray && depth == 16 && !transparent:
		bytes = 2
	case depth == 16:
		bytes = 8
	}
	rows := 2 * 8 * int64(s.width)
	if interlaced {
		bytes, rows = 2*bytes, 3*rows
	}
	s.memory += bytes*s.pixels() + rows
	return nil
}
