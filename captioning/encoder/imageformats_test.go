package encoder

import (
	"bytes"
	"strings"
	"testing"
)

// TestOtherFormatsAreNamed: an image in a format that is not read is refused by name, with a way to convert it.
func TestOtherFormatsAreNamed(t *testing.T) {
	ftyp := func(brands ...string) string {
		return "\x00\x00\x00" + string(rune(12+4*len(brands)-4+4)) + "ftyp" + brands[0] + "\x00\x00\x00\x00" +
			strings.Join(brands[1:], "")
	}
	for _, c := range []struct{ data, format, tool string }{
		{ftyp("heic", "mif1", "heic"), "HEIF", "heif-convert"},
		{ftyp("mif1", "mif1", "heic"), "HEIF", "heif-convert"},
		{ftyp("mif1"), "HEIF", "heif-convert"},
		{ftyp("avif", "mif1"), "AVIF", "avifdec"},
		{ftyp("mif1", "mif1", "avif"), "AVIF", "avifdec"},
		{ftyp("crx ", "crx "), "Canon raw", "magick"},
		{"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL", "djxl"},
		{"\xff\x0a\x00", "JPEG XL", "djxl"},
		{"II*\x00\x08\x00", "TIFF", "magick"},
		{"MM\x00*\x00\x08", "TIFF", "magick"},
		{"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36", "BMP", "magick"},
		{"%PDF-1.7", "PDF", "pdftoppm"},
		{"<?xml version=\"1.0\"?>\n<svg xmlns=", "SVG", "rsvg-convert"},
		{"hello", "not an image in a supported format", `"hello`},
		{ftyp("isom", "mp42"), "not an image in a supported format", "ftyp"}, // a film
	} {
		for end := len(c.data); end <= len(c.data)+100; end += 100 {
			data := []byte(c.data + strings.Repeat("\x01", end-len(c.data)))
			_, err := Decode(bytes.NewReader(data))
			if err == nil || !strings.Contains(err.Error(), c.format) || !strings.Contains(err.Error(), c.tool) {
				t.Errorf("%.20q: error %v, want one that names %s and %s", data, err, c.format, c.tool)
			}
		}
	}
	for n := range 40 { // cut short anywhere
		data := []byte(ftyp("mif1", "mif1", "heic") + "0123456789abcdef")[:n]
		if _, err := Decode(bytes.NewReader(data)); err == nil {
			t.Errorf("%q was decoded", data)
		}
	}
}
