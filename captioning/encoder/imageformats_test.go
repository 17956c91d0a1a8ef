package encoder

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"slices"
	"strings"
	"testing"
)

// tiffOf is a TIFF whose first directory has the tags.
func tiffOf(order binary.AppendByteOrder, tags ...uint16) []byte {
	mark := "II"
	if order.String() == binary.BigEndian.String() {
		mark = "MM"
	}
	out := order.AppendUint32(order.AppendUint16([]byte(mark), 42), 8)
	out = order.AppendUint16(out, uint16(len(tags)))
	for _, tag := range tags {
		out = append(order.AppendUint16(out, tag), make([]byte, 10)...)
	}
	return append(out, 0, 0, 0, 0)
}

// ftyp is the beginning of a file in the ISO base media format.
func ftyp(major string, compatible ...string) []byte {
	all := major + "\x00\x00\x00\x00" + strings.Join(compatible, "")
	return append(binary.BigEndian.AppendUint32(nil, uint32(8+len(all))), "ftyp"+all...)
}

// TestFormatsThatAreNotRead: the error names the format and a command. The brands are those of an iPhone's photograph,
// of files by avifenc 1.0 and ImageMagick 7, and of an iPhone's video.
func TestFormatsThatAreNotRead(t *testing.T) {
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"HEIC", "HEIC (HEIF), which is not read: convert it to JPEG or PNG, for example with  heif-convert",
			ftyp("heic", "mif1", "MiHE", "miaf", "heic")},
		{"HEIF, general brand first", "HEIC (HEIF)", ftyp("mif1", "mif1", "heic", "hevc")},
		{"HEIF, unknown codec", "HEIC (HEIF)", ftyp("mif1", "xxxx")},
		{"HEIF, version like a brand", "HEIC (HEIF)", []byte("\x00\x00\x00\x18ftypmif1avifheicmif1")},
		{"AVIF", "AVIF, which is not read: convert it to JPEG or PNG, for example with  avifdec",
			ftyp("avif", "avif", "mif1", "miaf")},
		{"AVIF, general brand first", "AVIF", ftyp("mif1", "avif", "miaf")},
		{"Canon CR3", "camera raw", ftyp("crx ", "crx ", "isom")},
		{"video", "a video", ftyp("qt  ", "qt  ")},
		{"JPEG XL codestream", "JPEG XL", []byte("\xff\x0a\xfa\x1f")},
		{"JPEG XL container", "JPEG XL", []byte("\x00\x00\x00\x0cJXL \r\n\x87\n\x00\x00")},
		{"JPEG 2000", "JPEG 2000", []byte("\x00\x00\x00\x0cjP  \r\n\x87\n")},
		{"TIFF, little-endian", "TIFF, which", tiffOf(binary.LittleEndian, 256, 257, 271)},
		{"TIFF, big-endian", "TIFF, which", tiffOf(binary.BigEndian, 256, 257)},
		{"TIFF, only the header", "TIFF, which", []byte("II*\x00\x08\x00\x00\x00")},
		{"TIFF, directory far away", "TIFF, which", []byte("MM\x00*\xff\xff\xff\xff")},
		{"TIFF of four bytes", "TIFF, which", []byte("MM\x00*")},
		{"BigTIFF", "TIFF, which", []byte("II+\x00\x08\x00\x00\x00")},
		{"DNG", "camera raw (DNG)", tiffOf(binary.LittleEndian, 254, 271, 330, 50706)},
		{"Nikon NEF", "camera raw, which", tiffOf(binary.BigEndian, 254, 271, 330)},
		{"Canon CR2", "camera raw, which", []byte("II*\x00\x10\x00\x00\x00CR\x02\x00")},
		{"Fujifilm RAF", "camera raw, which", []byte("FUJIFILMCCD-RAW 0201")},
		{"Panasonic RW2", "camera raw, which", []byte("IIU\x00\x18\x00\x00\x00")},
		{"Olympus ORF", "camera raw, which", []byte("IIRO\x08\x00\x00\x00")},
		{"BMP", "BMP, which", []byte("BM\x36\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00")},
		{"Photoshop", "Photoshop", []byte("8BPS\x00\x01")},
		{"SVG", "SVG", []byte(`<?xml version="1.0"?><svg width="3">`)},
		{"PDF", "PDF", []byte("%PDF-1.7\n")},
		{"text that begins like a BMP", "not an image in a supported format", []byte("BMW and other cars")},
		{"XML", "not an image in a supported format", []byte(`<?xml version="1.0"?><html>`)},
		{"unknown brand", "not an image in a supported format", ftyp("xxxx")},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Decode(bytes.NewReader(c.data))
			if err == nil || p != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			for n := range c.data { // whatever is missing, there is an error and no panic
				if _, err := Decode(bytes.NewReader(c.data[:n])); err == nil {
					t.Errorf("the first %d bytes were decoded", n)
				} else if strings.Contains(err.Error(), "damaged:") {
					t.Errorf("the first %d bytes: a panic became %v", n, err)
				}
			}
		})
	}
}

// TestFirstFrameOfGIF and the next tests: of an animation, the first frame is taken, as PIL does.
func TestFirstFrameOfGIF(t *testing.T) {
	frame := func(c color.Color) *image.Paletted {
		return image.NewPaletted(image.Rect(0, 0, 5, 4), color.Palette{c})
	}
	var file bytes.Buffer
	err := gif.EncodeAll(&file, &gif.GIF{Image: []*image.Paletted{frame(color.NRGBA{10, 20, 30, 255}),
		frame(color.NRGBA{200, 0, 0, 255})}, Delay: []int{1, 1}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Decode(&file)
	if err != nil || !bytes.Equal(p.RGB, bytes.Repeat([]byte{10, 20, 30}, 20)) {
		t.Errorf("%v, %+v", err, p)
	}
}

func TestFirstFrameOfAPNG(t *testing.T) {
	still := small("rgb.png")
	four := func(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
	control := func(sequence uint32) []byte {
		return chunkPNG("fcTL", slices.Concat(four(sequence), four(13), four(9), make([]byte, 14)))
	}
	const afterHeader, end = 8 + 25, 12
	file := slices.Concat(still[:afterHeader], chunkPNG("acTL", append(four(2), four(0)...)), control(0),
		still[afterHeader:len(still)-end], control(1), chunkPNG("fdAT", append(four(2), zeros(9*(1+3*13))...)),
		still[len(still)-end:])
	p, err := Decode(bytes.NewReader(file))
	if err != nil || !bytes.Equal(p.RGB, imageGoldens()["rgb.png"].RGB) {
		t.Errorf("%v, not the first frame", err)
	}
}

// animation is a WebP on a canvas of 20 x 15 pixels with two frames: the image chunk of a still WebP at (x, y), and one
// of noise.
func animation(still []byte, x, y int) []byte {
	three := func(v int) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16)} }
	chunk := func(name string, content []byte) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte(name), uint32(len(content))), content...)
	}
	place := slices.Concat(three(x/2), three(y/2), three(13-1), three(9-1), three(100), []byte{0})
	out := slices.Concat([]byte("RIFF????WEBP"),
		chunk("VP8X", slices.Concat([]byte{2, 0, 0, 0}, three(20-1), three(15-1))), chunk("ANIM", make([]byte, 6)),
		chunk("ANMF", append(place, still[12:]...)), chunk("ANMF", bytes.Repeat([]byte{0x5a}, 40)))
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// TestFirstFrameOfWebP places frames on a larger canvas. Pillow 13.0.0, too, leaves the rest of it black. The golden
// animated.webp, with a frame that fills the canvas, is part of TestDecodeIsPIL.
func TestFirstFrameOfWebP(t *testing.T) {
	for _, name := range []string{"lossy.webp", "lossless.webp"} {
		p, err := Decode(bytes.NewReader(animation(small(name), 4, 2)))
		if err != nil {
			t.Fatal(err)
		}
		want := make([]byte, 3*20*15)
		for y := range 9 {
			copy(want[3*(20*(y+2)+4):], imageGoldens()[name].RGB[3*13*y:3*13*(y+1)])
		}
		if p.Width != 20 || p.Height != 15 || !bytes.Equal(p.RGB, want) {
			t.Errorf("%s: %d x %d pixels, or the frame is not where it belongs", name, p.Width, p.Height)
		}
	}
	whole := animation(small("lossless.webp"), 4, 2)
	frame := bytes.Index(whole, []byte("ANMF"))
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"outside the canvas", "at 8, 2, does not fit its 20 x 15 pixels", animation(small("lossy.webp"), 8, 2)},
		{"another size than it says", "header says 13 x 9 pixels, but the frame 90 x 9",
			animation(losslessFrame(small("lossless.webp"), 90, 9), 4, 2)},
		{"no image", "holds no image", bytes.Replace(whole, []byte("VP8L"), []byte("none"), 1)},
		{"huge", "header says 13 x 9 pixels, but the frame 16384 x 16384",
			animation(losslessFrame(small("lossless.webp"), 16384, 16384), 4, 2)},
		{"short", "cut short", slices.Concat(whole[:frame+4], []byte{4, 0, 0, 0}, whole[frame+8:])},
	} {
		var err error
		taken := allocated(func() { _, err = Decode(bytes.NewReader(c.data)) })
		if err == nil || !strings.Contains(err.Error(), c.want) || taken > 1<<20 {
			t.Errorf("%s: error %v after %d bytes, want %q", c.name, err, taken, c.want)
		}
	}
}

// FuzzOtherFormats: whatever the bytes are, recognising them does not panic.
func FuzzOtherFormats(f *testing.F) {
	f.Add(ftyp("heic", "mif1"))
	f.Add(tiffOf(binary.LittleEndian, 271, 330))
	f.Add(tiffOf(binary.BigEndian, 50706))
	f.Fuzz(func(t *testing.T, data []byte) {
		if format, ok := recognise(data); ok && (format.name == "" || format.command == "") {
			t.Errorf("%q has no name or no command", data)
		}
	})
}
