package encoder

import (
	"bytes"
	"encoding/binary"
	"path"
	"testing"
)

// The fuzz targets of images decode files of any bytes, as photographs. There is no panic, in decoders or here; memory
// stays within the estimate that is made before decoding; and an image is whole.

func FuzzJPEG(f *testing.F) {
	f.Add(progressiveJPEG(20, 20, 1, 3, true))
	f.Add(progressiveJPEG(20, 20, 3, 2, true))
	f.Add(progressiveJPEG(20, 20, 4, 2, true))
	f.Add(claimJPEG(small("420.jpg"), 200, 300))
	fuzzImages(f, ".jpg")
}

func FuzzPNG(f *testing.F) {
	for _, depth := range []byte{1, 2, 4, 8, 16} {
		f.Add(pngOf(10, 10, pngKind{depth, 0, 1}, 10*3*int(depth), chunkPNG("tRNS", []byte{0, 0})))
		f.Add(pngOf(10, 10, pngKind{depth, 3, 0}, 10*3*int(depth), chunkPNG("PLTE", make([]byte, 6))))
		f.Add(pngOf(10, 10, pngKind{depth, 6, 1}, 10*8*int(depth)))
	}
	fuzzImages(f, ".png")
}

func FuzzGIF(f *testing.F) {
	f.Add(manyFrames(3, 4, 5))
	f.Add(claimGIF(small("palette.gif"), 200, 200))
	fuzzImages(f, ".gif")
}

func FuzzWebP(f *testing.F) {
	f.Add(extendedWebP(small("lossless.webp"), 13, 9))
	f.Add(losslessFrame(small("lossless.webp"), 200, 200))
	fuzzImages(f, ".webp")
}

// fuzzImages fuzzes with the goldens of one kind, with and without EXIF data, as seeds.
func fuzzImages(f *testing.F, kind string) {
	for name := range imageGoldens() {
		if path.Ext(name) != kind {
			continue
		}
		f.Add(small(name))
		if kind != ".gif" && (kind != ".webp" || begins(small(name), "RIFF????WEBPVP8 ")) {
			f.Add(withEXIF(small(name), turned(binary.BigEndian, 6)))
			f.Add(withEXIF(small(name), turned(binary.LittleEndian, 3)))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit, fixed = 1 << 16, 1 << 21
		o := ImageOptions{Upright: true, MaxPixels: limit}
		most := int64(fixed + 10*len(data))
		if format, err := formatOf(data); err == nil {
			if e, err := format.examine(data, limit); err == nil {
				most += e.memory + 6*e.pixels()
				orientation(e.exif)
			}
		}
		var p *Pixels
		var err error
		if taken := allocated(func() { p, err = o.Decode(bytes.NewReader(data)) }); int64(taken) > most {
			t.Fatalf("%d bytes were allocated, want at most %d", taken, most)
		}
		switch {
		case err != nil && p != nil:
			t.Fatal("an image and an error")
		case err == nil && (p.Width*p.Height > limit || p.check() != nil):
			t.Fatalf("%d x %d pixels, %v", p.Width, p.Height, p.check())
		}
	})
}

func FuzzOrientation(f *testing.F) {
	for o := range 10 {
		f.Add(turned(binary.LittleEndian, o))
		f.Add(append([]byte(exifHeader), turned(binary.BigEndian, o)...))
	}
	f.Add(exifOf(binary.LittleEndian, tiffEntry{0x0112, 4, 1, []byte{6, 0, 0, 0}}))
	stored := FromImage(drawn())
	f.Fuzz(func(t *testing.T, exif []byte) {
		o := orientation(exif)
		if o < 1 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
		if got := fields(t, whole(upright(stored, o))); got != uprights[o] {
			t.Fatalf("orientation %d: %s", o, got)
		}
	})
}
