package encoder

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"
)

// tiffEntry is an entry of an EXIF directory.
type tiffEntry struct {
	tag, kind uint16
	count     uint32
	value     []byte // 4 bytes
}

// exifOf builds EXIF data, in which a few other entries precede those given.
func exifOf(order binary.AppendByteOrder, entries ...tiffEntry) []byte {
	mark := "II"
	if order.AppendUint16(nil, 1)[0] == 0 {
		mark = "MM"
	}
	others := []tiffEntry{{0x010f, 2, 4, []byte("abc\x00")}, {0x0110, 2, 4, []byte("xyz\x00")}}
	entries = append(others, entries...)
	out := order.AppendUint16([]byte(mark), 42)
	out = order.AppendUint32(out, 12)
	out = append(out, "gap "...)
	out = order.AppendUint16(out, uint16(len(entries)))
	for _, e := range entries {
		out = order.AppendUint32(order.AppendUint16(order.AppendUint16(out, e.tag), e.kind), e.count)
		out = append(out, e.value...)
	}
	return order.AppendUint32(out, 0)
}

// turned is EXIF data with an orientation, as cameras write it.
func turned(order binary.AppendByteOrder, orientation int) []byte {
	value := append(order.AppendUint16(nil, uint16(orientation)), 0, 0)
	return exifOf(order, tiffEntry{0x0112, 3, 1, value})
}

// withEXIF adds EXIF data to a JPEG, PNG or simple WebP.
func withEXIF(file, exif []byte) []byte {
	switch {
	case begins(file, "\xff\xd8"):
		segment := append([]byte(exifHeader), exif...)
		head := binary.BigEndian.AppendUint16([]byte{0xff, markerAPP1}, uint16(2+len(segment)))
		return slices.Concat(file[:2], head, segment, file[2:])
	case begins(file, "\x89PNG"):
		chunk := append([]byte("eXIf"), exif...)
		out := binary.BigEndian.AppendUint32(nil, uint32(len(exif)))
		out = binary.BigEndian.AppendUint32(append(out, chunk...), crc32.ChecksumIEEE(chunk))
		return slices.Concat(file[:33], out, file[33:]) // behind the header chunk
	}
	p, err := Decode(bytes.NewReader(file))
	if err != nil {
		panic(err)
	}
	file = extendedWebP(slices.Clone(file), p.Width, p.Height)
	file[20] |= flagEXIF
	file = binary.LittleEndian.AppendUint32(append(file, "EXIF"...), uint32(len(exif)))
	file = append(file, exif...)
	file = append(file, make([]byte, len(exif)%2)...)
	binary.LittleEndian.PutUint32(file[4:], uint32(len(file)-8))
	return file
}

// drawn is an image of 3 x 2 fields in different shades of gray. Each is 16 pixels wide, so that JPEG keeps it.
const drawnField = 16

func drawn() image.Image {
	img := image.NewGray(image.Rect(0, 0, 3*drawnField, 2*drawnField))
	for i := range img.Pix {
		x, y := i%img.Stride/drawnField, i/img.Stride/drawnField
		img.Pix[i] = uint8(20 + 40*(x+3*y))
	}
	return img
}

// fields reads back a drawing as letters, A for the darkest field, with "/" between lines.
func fields(t *testing.T, p *Pixels) string {
	t.Helper()
	var out strings.Builder
	for y := range p.Height / drawnField {
		if y > 0 {
			out.WriteByte('/')
		}
		for x := range p.Width / drawnField {
			var letter byte
			for i := range drawnField * drawnField {
				at := (y*drawnField+i/drawnField)*p.Width + x*drawnField + i%drawnField
				here := byte('A' + int(p.RGB[3*at])/40)
				if i > 0 && here != letter {
					t.Fatalf("field %d, %d is not of one shade", x, y)
				}
				letter = here
			}
			out.WriteByte(letter)
		}
	}
	return out.String()
}

// uprights are the drawing ABC/DEF turned by each orientation, as in the figures of Exif 2.32, 4.6.4.
var uprights = []string{"", "ABC/DEF", "CBA/FED", "FED/CBA", "DEF/ABC", "AD/BE/CF", "DA/EB/FC", "FC/EB/DA", "CF/BE/AD"}

func drawnFiles(t testing.TB) map[string][]byte {
	t.Helper()
	var j, p bytes.Buffer
	if err := jpeg.Encode(&j, drawn(), &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&p, drawn()); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"jpg": j.Bytes(), "png": p.Bytes()}
}

func TestOrientation(t *testing.T) {
	for kind, file := range drawnFiles(t) {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			for o := 1; o <= 8; o++ {
				t.Run(fmt.Sprint(kind, " ", order, " ", o), func(t *testing.T) {
					data := withEXIF(file, turned(order, o))
					p, err := ImageOptions{Upright: true}.Decode(bytes.NewReader(data))
					if err != nil {
						t.Fatal(err)
					}
					if got := fields(t, p); got != uprights[o] {
						t.Errorf("upright: %s, want %s", got, uprights[o])
					}
					if p, err = Decode(bytes.NewReader(data)); err != nil {
						t.Fatal(err)
					}
					if got := fields(t, p); got != uprights[1] {
						t.Errorf("as stored: %s", got)
					}
				})
			}
		}
	}
}

// TestOrientationWebP turns images that no encoder here could write, so that the stored pixels are the reference.
func TestOrientationWebP(t *testing.T) {
	for _, name := range []string{"lossless.webp", "lossy.webp"} {
		stored, err := Decode(bytes.NewReader(small(name)))
		if err != nil {
			t.Fatal(err)
		}
		for o := 1; o <= 8; o++ {
			data := withEXIF(small(name), turned(binary.BigEndian, o))
			p, err := ImageOptions{Upright: true}.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if want := upright(stored, o).(*Pixels); p.Width != want.Width || !bytes.Equal(p.RGB, want.RGB) {
				t.Errorf("%s, orientation %d: other pixels", name, o)
			}
			data[20] &^= flagEXIF // as libwebp, ignore a chunk that the header does not announce
			if p, err = (ImageOptions{Upright: true}).Decode(bytes.NewReader(data)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(p.RGB, stored.RGB) {
				t.Errorf("%s, orientation %d without the flag: other pixels", name, o)
			}
		}
	}
}

func TestOddEXIF(t *testing.T) {
	order := binary.LittleEndian
	six := []byte{6, 0, 0, 0}
	whole := turned(order, 6)
	for _, c := range []struct {
		name string
		exif []byte
		want int
	}{
		{"empty", nil, 1},
		{"header only", []byte("II*\x00"), 1},
		{"no entry", exifOf(order), 1},
		{"zero", turned(order, 0), 1},
		{"nine", turned(order, 9), 1},
		{"65535", turned(order, 65535), 1},
		{"as BYTE", exifOf(order, tiffEntry{0x0112, 1, 1, six}), 6},
		{"as LONG", exifOf(order, tiffEntry{0x0112, 4, 1, six}), 6},
		{"as text", exifOf(order, tiffEntry{0x0112, 2, 2, []byte("6\x00\x00\x00")}), 1},
		{"two values", exifOf(order, tiffEntry{0x0112, 3, 2, []byte{6, 0, 3, 0}}), 1},
		{"a second header", append([]byte(exifHeader), whole...), 6},
		{"unknown byte order", append([]byte("XX"), whole[2:]...), 1},
		{"directory beyond the end", slices.Concat(whole[:4], []byte{0xff, 0xff, 0xff, 0xff}, whole[8:]), 1},
		{"directory at the end", slices.Concat(whole[:4], []byte{byte(len(whole) - 1), 0, 0, 0}, whole[8:]), 1},
		{"more entries than bytes", slices.Concat(whole[:12], []byte{0xff, 0xff}, whole[14:]), 6},
		{"cut in the entry", whole[:len(whole)-5], 1},
		{"noise", bytes.Repeat([]byte{0xa5}, 200), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := orientation(c.exif); got != c.want {
				t.Errorf("orientation %d, want %d", got, c.want)
			}
			for kind, file := range drawnFiles(t) {
				p, err := ImageOptions{Upright: true}.Decode(bytes.NewReader(withEXIF(file, c.exif)))
				if err != nil {
					t.Fatal(kind, err)
				}
				if got := fields(t, p); got != uprights[c.want] {
					t.Errorf("%s: %s, want %s", kind, got, uprights[c.want])
				}
			}
		})
	}
	for n := range whole { // the last four bytes are no part of the entry
		if got, want := orientation(whole[:n]), 1+5*(n/(len(whole)-4)); got != want {
			t.Errorf("cut to %d of %d bytes: orientation %d", n, len(whole), got)
		}
	}
}

// TestUprightBeforeCrop: an image is turned before it is resized and cropped.
func TestUprightBeforeCrop(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 300, 500))
	for i := range 300 * 500 {
		img.SetRGBA(i%300, i/300, color.RGBA{uint8(i % 300 / 2), uint8(i / 600), uint8(i), 255})
	}
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	spec, err := Lookup("efficientnet-lite0")
	if err != nil {
		t.Fatal(err)
	}
	for o := 2; o <= 8; o++ {
		want, err := spec.Preprocess(upright(FromImage(img), o).(*Pixels))
		if err != nil {
			t.Fatal(err)
		}
		data := withEXIF(file.Bytes(), turned(binary.LittleEndian, o))
		got, err := spec.DecodeWith(bytes.NewReader(data), ImageOptions{Upright: true})
		if err != nil || !bytes.Equal(got.RGB, want.RGB) {
			t.Errorf("orientation %d: error %v, or other pixels", o, err)
		}
	}
}
