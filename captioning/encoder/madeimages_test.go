package encoder

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color/palette"
	"image/gif"
	"slices"
)

// segmentJPEG builds a segment of a JPEG.
func segmentJPEG(marker byte, content ...byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(2+len(content))), content...)
}

// progressiveJPEG builds a progressive JPEG of some components, all at full size, in one tone: a scan of the DC
// coefficients, then scans of runs without AC coefficients. It holds the data of the scans only if whole is set.
func progressiveJPEG(width, height, components, scans int, whole bool) []byte {
	const dht, dqt = 0xc4, 0xdb
	frame := []byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), byte(components)}
	all := []byte{byte(components)}
	for i := range byte(components) {
		frame, all = append(frame, i, 0x11, 0), append(all, i, 0)
	}
	oneCode := append([]byte{1}, make([]byte, 15)...) // the code 0, of one bit
	out := slices.Concat([]byte{0xff, 0xd8}, segmentJPEG(markerAPP14, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")...),
		segmentJPEG(dqt, append([]byte{0}, slices.Repeat([]byte{1}, 64)...)...),
		segmentJPEG(markerSOF2, frame...),
		segmentJPEG(dht, slices.Concat([]byte{0}, oneCode, []byte{0})...),
		segmentJPEG(dht, slices.Concat([]byte{16}, oneCode, []byte{0xe0})...),
		segmentJPEG(markerSOS, append(all, 0, 0, 0)...))
	blocks := ((width + 7) / 8) * ((height + 7) / 8)
	if whole {
		out = append(out, make([]byte, components*blocks/8+1)...)
	}
	for range scans - 1 {
		out = append(out, segmentJPEG(markerSOS, 1, 0, 0, 1, 63, 0)...)
		if whole { // runs of 1 << 14 blocks: the code and 14 bits of 0
			out = append(out, make([]byte, (blocks>>14+1)*15/8+1)...)
		}
	}
	return append(out, 0xff, markerEOI)
}

// pngKind is the kind of a PNG, as in its header.
type pngKind struct{ depth, colour, interlace byte }

// pngOf builds a PNG with a header, some chunks, and rows of zeros of which the first bytes are stored.
func pngOf(width, height int, k pngKind, stored int, chunks ...[]byte) []byte {
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(width)), uint32(height))
	out := slices.Concat([]byte("\x89PNG\r\n\x1a\n"),
		chunkPNG("IHDR", append(header, k.depth, k.colour, 0, 0, k.interlace)), slices.Concat(chunks...))
	return slices.Concat(out, chunkPNG("IDAT", zeros(stored)), chunkPNG("IEND", nil))
}

func chunkPNG(kind string, content []byte) []byte {
	body := append([]byte(kind), content...)
	out := append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
}

// zeros is n compressed zeros.
func zeros(n int) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(make([]byte, n))
	w.Close()
	return out.Bytes()
}

// manyFrames is a GIF of n frames.
func manyFrames(n, width, height int) []byte {
	frame := image.NewPaletted(image.Rect(0, 0, width, height), palette.Plan9)
	g := &gif.GIF{Image: slices.Repeat([]*image.Paletted{frame}, n), Delay: make([]int, n)}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, g); err != nil {
		panic(err)
	}
	return out.Bytes()
}
