package encoder

import (
	"bytes"
	"fmt"
	"strings"
)

// otherFormat is a format of images that is not read, with a command that converts it.
type otherFormat struct{ name, convert string }

const byMagick = "magick IN OUT.jpg (ImageMagick 7; convert in version 6)"

var (
	heif = otherFormat{"HEIF (HEIC), the format of iPhones", "heif-convert IN OUT.jpg (libheif-examples), or set the " +
		"phone's camera to \"Most Compatible\""}
	avif = otherFormat{"AVIF", "avifdec IN OUT.png (libavif-bin)"}
	jxl  = otherFormat{"JPEG XL", "djxl IN OUT.png (libjxl-tools)"}
)

// otherFormats maps the beginnings of files to formats that are not read; "?" is any byte. HEIF and AVIF are left out
// because the decoders in Go and WebAssembly that were found bound neither memory nor time on damaged files.
var otherFormats = []struct {
	magic string
	otherFormat
}{
	{"\x00\x00\x00\x0cJXL \r\n\x87\n", jxl},
	{"\xff\x0a", jxl},
	{"II*\x00", otherFormat{"TIFF, or a camera's raw format", byMagick}},
	{"MM\x00*", otherFormat{"TIFF, or a camera's raw format", byMagick}},
	{"II+\x00", otherFormat{"BigTIFF", byMagick}},
	{"IIRO", otherFormat{"Olympus raw", byMagick}},
	{"IIU\x00", otherFormat{"Panasonic raw", byMagick}},
	{"FUJIFILMCCD-RAW", otherFormat{"Fujifilm raw", byMagick}},
	{"BM????\x00\x00\x00\x00", otherFormat{"BMP", byMagick}},
	{"8BPS", otherFormat{"Photoshop", byMagick}},
	{"\x00\x00\x00\x0cjP  ", otherFormat{"JPEG 2000", byMagick}},
	{"\xff\x4f\xff\x51", otherFormat{"JPEG 2000", byMagick}},
	{"\x00\x00\x01\x00", otherFormat{"ICO", byMagick}},
	{"%PDF-", otherFormat{"PDF", "pdftoppm -png IN OUT (poppler-utils)"}},
}

// brands maps the brands of ISO media files (ISO 14496-12, box ftyp) to formats.
var brands = map[string]otherFormat{
	"heic": heif, "heix": heif, "heim": heif, "heis": heif, "hevc": heif, "hevx": heif, "mif1": heif, "msf1": heif,
	"avif": avif, "avis": avif,
	"crx ": {"Canon raw (CR3)", byMagick},
}

// unsupported is the error for data that begins like no supported format. It names the format if it is known.
func unsupported(data []byte) error {
	for _, f := range otherFormats {
		if begins(data, f.magic) {
			return f.refused()
		}
	}
	if len(data) >= 12 && string(data[4:8]) == "ftyp" {
		if f, ok := brands[brand(data)]; ok {
			return f.refused()
		}
	}
	if text := bytes.TrimSpace(data[:min(len(data), 256)]); bytes.HasPrefix(text, []byte("<svg")) ||
		bytes.HasPrefix(text, []byte("<?xml")) && bytes.Contains(text, []byte("<svg")) {
		return otherFormat{"SVG", "rsvg-convert IN -o OUT.png (librsvg2-bin)"}.refused()
	}
	return fmt.Errorf("not an image in a supported format (JPEG, PNG, GIF, WebP): it begins with %.24q",
		data[:min(len(data), 24)])
}

// brand returns the major brand of an ISO media file or, if that is general, the first compatible one that is known.
func brand(data []byte) string {
	size := int(data[0])<<24 | int(data[1])<<16 | int(data[2])<<8 | int(data[3])
	major := string(data[8:12])
	if major != "mif1" && major != "msf1" {
		return major
	}
	for at := 16; at+4 <= min(size, len(data), 256); at += 4 {
		if b := string(data[at : at+4]); strings.HasPrefix(b, "avi") || strings.HasPrefix(b, "he") {
			return b
		}
	}
	return major
}

func (f otherFormat) refused() error {
	return fmt.Errorf("the image is %s, which is not read: convert it to JPEG or PNG, for instance with %s", f.name,
		f.convert)
}
