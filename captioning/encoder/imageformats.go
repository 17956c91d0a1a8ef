package encoder

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// otherFormat is a file format that is recognised, but not decoded.
type otherFormat struct{ name, command string }

// The formats that people's photographs come in, besides those that are decoded, each with a command that converts it
// to one that is.
//
// HEIC and AVIF are not decoded: the decoders for Go that need no C library (gen2brain/heic and gen2brain/avif) run
// libheif and libavif as WebAssembly, or load whatever library the machine has, and have no limit of memory or time
// that a caller could set. Small files can make them take gigabytes.
var (
	heic      = otherFormat{"HEIC (HEIF)", "heif-convert -q 95 photo.heic photo.jpg"}
	avif      = otherFormat{"AVIF", "avifdec photo.avif photo.png"}
	jpegXL    = otherFormat{"JPEG XL", "djxl photo.jxl photo.jpg"}
	jpeg2000  = otherFormat{"JPEG 2000", "magick photo.jp2 photo.jpg"}
	tiff      = otherFormat{"TIFF", "magick 'photo.tif[0]' photo.png"}
	bmp       = otherFormat{"BMP", "magick photo.bmp photo.png"}
	dng       = otherFormat{"camera raw (DNG)", "darktable-cli photo.dng photo.jpg"}
	cameraRaw = otherFormat{"camera raw", "darktable-cli photo.raw photo.jpg"}
	video     = otherFormat{"a video", "ffmpeg -i video.mov -frames:v 1 photo.jpg"}
	photoshop = otherFormat{"Photoshop", "magick 'photo.psd[0]' photo.png"}
	icon      = otherFormat{"a Windows icon", "magick 'icon.ico[0]' icon.png"}
	svg       = otherFormat{"SVG", "rsvg-convert drawing.svg -o drawing.png"}
	pdf       = otherFormat{"PDF", "pdftoppm -r 150 -jpeg pages.pdf pages"}
)

// otherMagics say how the files of most of these formats begin; "?" is any byte.
var otherMagics = []struct {
	magic  string
	format otherFormat
}{
	{"\xff\x0a", jpegXL}, // codestream
	{"\x00\x00\x00\x0cJXL \r\n\x87\n", jpegXL},
	{"\x00\x00\x00\x0cjP  \r\n\x87\n", jpeg2000},
	{"\xff\x4f\xff\x51", jpeg2000}, // codestream
	{"II*\x00????CR", cameraRaw},   // Canon CR2
	{"II\x1a\x00\x00\x00HEAPCCDR", cameraRaw},
	{"FUJIFILMCCD-RAW", cameraRaw},
	{"IIU\x00", cameraRaw},                                        // Panasonic and Leica
	{"IIRO", cameraRaw}, {"IIRS", cameraRaw}, {"MMOR", cameraRaw}, // Olympus
	{"FOVb", cameraRaw},    // Sigma
	{"\x00MRM", cameraRaw}, // Minolta
	{"II+\x00\x08", tiff},  // with offsets of 64 bits
	{"MM\x00+\x00\x08", tiff},
	{"8BPS", photoshop},
	{"\x00\x00\x01\x00?\x00", icon},
	{"%PDF-", pdf},
	{"<svg", svg},
	{"\x1aE\xdf\xa3", video}, // Matroska and WebM
	{"RIFF????AVI ", video},
}

// brands say what a file in the ISO base media format holds (ISO/IEC 14496-12, section 4.3; 23008-12 for HEIF; the AV1
// Image File Format, section 4, for AVIF).
var brands = map[string]otherFormat{
	"avif": avif, "avis": avif,
	"heic": heic, "heix": heic, "heim": heic, "heis": heic, "hevc": heic, "hevx": heic, "hevm": heic, "hevs": heic,
	"crx ": cameraRaw, // Canon CR3
	"qt  ": video, "isom": video, "iso2": video, "mp41": video, "mp42": video, "avc1": video, "M4V ": video,
	"3gp4": video, "3gp5": video,
}

// explainOther returns an error that names the format of data, and how to convert it, if it is recognised but not
// decoded.
func explainOther(data []byte) error {
	f, ok := recognise(data)
	if !ok {
		return nil
	}
	return fmt.Errorf("the file is %s, which is not read: convert it to JPEG or PNG, for example with  %s",
		f.name, f.command)
}

func recognise(data []byte) (f otherFormat, ok bool) {
	for _, m := range otherMagics {
		if begins(data, m.magic) {
			return m.format, true
		}
	}
	switch {
	case begins(data, "????ftyp"):
		return mediaFormat(data)
	case begins(data, "II*\x00"):
		return tiffFormat(data, binary.LittleEndian), true
	case begins(data, "MM\x00*"):
		return tiffFormat(data, binary.BigEndian), true
	case begins(data, "BM????\x00\x00\x00\x00"): // the two bytes alone are a common beginning of text
		return bmp, true
	case begins(data, "<?xml") && bytes.Contains(data[:min(len(data), 1024)], []byte("<svg")):
		return svg, true
	}
	return otherFormat{}, false
}

// mediaFormat finds out what a file in the ISO base media format holds: the first brand that is known, of the major and
// then the compatible ones. A file of which only the general brand of HEIF is known may hold any codec.
func mediaFormat(data []byte) (f otherFormat, ok bool) {
	const major, minor, most = 8, 12, 256
	end := min(int64(binary.BigEndian.Uint32(data)), int64(len(data)), most)
	general := false
	for at := int64(major); at+4 <= end; at += 4 {
		if at == minor { // a version, not a brand
			continue
		}
		brand := string(data[at : at+4])
		if f, ok := brands[brand]; ok {
			return f, true
		}
		general = general || brand == "mif1" || brand == "msf1"
	}
	return heic, general
}

// tiffFormat tells raw files of cameras, which build on TIFF, from other TIFF files. A DNG says so in its first
// directory. The others (NEF, ARW, PEF and more) have the camera's maker there and the raw image in a directory below.
//
// Reference: TIFF 6.0, section 2; TIFF/EP, ISO 12234-2; the DNG specification 1.7.
func tiffFormat(data []byte, order binary.ByteOrder) otherFormat {
	const maker, below, dngVersion = 271, 330, 50706
	if len(data) < 8 {
		return tiff
	}
	at := int64(order.Uint32(data[4:]))
	if at+2 > int64(len(data)) {
		return tiff
	}
	entries := int64(order.Uint16(data[at:]))
	found := make(map[uint16]bool)
	for entry := at + 2; entry+12 <= int64(len(data)) && entries > 0; entry, entries = entry+12, entries-1 {
		found[order.Uint16(data[entry:])] = true
	}
	switch {
	case found[dngVersion]:
		return dng
	case found[maker] && found[below]:
		return cameraRaw
	}
	return tiff
}
