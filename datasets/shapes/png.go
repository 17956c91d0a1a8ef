package shapes

import (
	"encoding/binary"
	"hash/adler32"
	"hash/crc32"
)

// encodePNG returns the canvas as an RGB PNG with stored, uncompressed data (150 kB at 224 pixels). The standard
// library's encoder may change its output in another Go version, and with it the dataset's fingerprint; these bytes
// never change. Source: PNG specification (third edition) sections 5 and 11; RFC 1950; RFC 1951 section 3.2.4.
func encodePNG(c *canvas) []byte {
	rows := make([]byte, 0, c.size*(1+3*c.size))
	for y := range c.size {
		rows = append(rows, 0) // filter "none"
		rows = append(rows, c.pix[3*y*c.size:3*(y+1)*c.size]...)
	}

	header := binary.BigEndian.AppendUint32(nil, uint32(c.size))
	header = binary.BigEndian.AppendUint32(header, uint32(c.size))
	header = append(header, 8, 2, 0, 0, 0) // 8 bits per channel, RGB, deflate, standard filters, not interlaced

	out := make([]byte, 0, len(rows)+len(rows)/1000+128)
	out = append(out, "\x89PNG\r\n\x1a\n"...)
	out = appendChunk(out, "IHDR", header)
	out = appendChunk(out, "IDAT", store(rows))
	return appendChunk(out, "IEND", nil)
}

// store wraps data as a zlib stream of stored blocks.
func store(data []byte) []byte {
	const most = 65535 // bytes in a stored block
	out := make([]byte, 0, len(data)+5*(len(data)/most+1)+6)
	out = append(out, 0x78, 0x01)
	for rest := data; ; {
		block := rest[:min(len(rest), most)]
		rest = rest[len(block):]
		last := byte(0)
		if len(rest) == 0 {
			last = 1
		}
		out = append(out, last)
		out = binary.LittleEndian.AppendUint16(out, uint16(len(block)))
		out = binary.LittleEndian.AppendUint16(out, ^uint16(len(block)))
		out = append(out, block...)
		if last == 1 {
			return binary.BigEndian.AppendUint32(out, adler32.Checksum(data))
		}
	}
}

func appendChunk(out []byte, kind string, data []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	from := len(out)
	out = append(out, kind...)
	out = append(out, data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[from:]))
}
