package encoder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// small returns a copy of a file in testdata/image_goldens.json.
func small(name string) []byte {
	p, ok := imageGoldens()[name]
	if !ok {
		panic("no image " + name)
	}
	return slices.Clone(p.File)
}

// allocated returns the number of bytes that f allocates on the heap in total.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// claimJPEG, claimPNG and claimGIF change the size in the header.
func claimJPEG(data []byte, width, height int) []byte {
	frame := bytes.Index(data, []byte{0xff, 0xc0, 0x00, 0x11}) // the start of a baseline frame of three components
	binary.BigEndian.PutUint16(data[frame+5:], uint16(height))
	binary.BigEndian.PutUint16(data[frame+7:], uint16(width))
	return data
}

func claimPNG(data []byte, width, height int) []byte {
	binary.BigEndian.PutUint32(data[16:], uint32(width))
	binary.BigEndian.PutUint32(data[20:], uint32(height))
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	return data
}

func claimGIF(data []byte, width, height int) []byte {
	binary.LittleEndian.PutUint16(data[6:], uint16(width))
	binary.LittleEndian.PutUint16(data[8:], uint16(height))
	return data
}

// extendedWebP adds a header chunk with another size to a simple WebP.
func extendedWebP(data []byte, width, height int) []byte {
	header := []byte{'V', 'P', '8', 'X', 10, 0, 0, 0, 0, 0, 0, 0,
		byte(width - 1), byte((width - 1) >> 8), byte((width - 1) >> 16),
		byte(height - 1), byte((height - 1) >> 8), byte((height - 1) >> 16)}
	out := slices.Concat(data[:12], header, data[12:])
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// losslessFrame changes the size in the frame of a lossless WebP.
func losslessFrame(data []byte, width, height int) []byte {
	at := bytes.Index(data, []byte("VP8L")) + 9
	bits := binary.LittleEndian.Uint32(data[at:])
	binary.LittleEndian.PutUint32(data[at:], bits&^(1<<28-1)|uint32(width-1)|uint32(height-1)<<14)
	return data
}

func TestBadImages(t *testing.T) {
	tooLarge := []string{"60000 x 60000", "100000000", "make it smaller"}
	noise := bytes.Repeat([]byte{0x5a}, 52)
	for _, c := range []struct {
		name string
		data []byte
		want []string // parts of the message
	}{
		{"zero bytes", nil, []string{"empty"}},
		{"one byte", []byte{0xff}, []string{"not an image", `"\xff"`}},
		{"text named .jpg", []byte("<!DOCTYPE html><title>404</title>"),
			[]string{"JPEG, PNG, GIF, WebP", `"<!DOCTYPE html>`}},
		{"JPEG of 60,000 x 60,000", claimJPEG(small("444.jpg"), 60_000, 60_000), tooLarge},
		{"PNG of 60,000 x 60,000", claimPNG(small("rgb.png"), 60_000, 60_000), tooLarge},
		{"GIF of 60,000 x 60,000", claimGIF(small("palette.gif"), 60_000, 60_000), tooLarge},
		{"WebP of 60,000 x 60,000", extendedWebP(small("lossy.webp"), 60_000, 60_000), tooLarge},
		{"lossless WebP of 16,384 x 16,384", losslessFrame(small("lossless.webp"), 16_384, 16_384),
			[]string{"16384 x 16384", "100000000", "make it smaller"}},
		{"PNG of 2^31 - 1 squared", claimPNG(small("rgb.png"), 1<<31-1, 1<<31-1), []string{""}},
		{"PNG of width 0", claimPNG(small("rgb.png"), 0, 9), []string{"damaged"}},
		{"JPEG of width 0", claimJPEG(small("444.jpg"), 0, 9), []string{"damaged", "0 x 9"}},
		{"WebP with a header smaller than its frame",
			losslessFrame(extendedWebP(small("lossless.webp"), 13, 9), 16_384, 16_384),
			[]string{"header says 13 x 9", "16384 x 16384"}},
		{"lossy WebP with a header larger than its frame", extendedWebP(small("lossy.webp"), 500, 9),
			[]string{"header says 500 x 9", "13 x 9"}},
		{"WebP without a frame", []byte("RIFF\x0c\x00\x00\x00WEBPVP8 \x00\x00\x00\x00"), []string{"cut short"}},
		{"WebP of noise",
			slices.Concat([]byte("RIFF\x40\x00\x00\x00WEBPVP8 \x34\x00\x00\x00"), noise), []string{"damaged"}},
		{"JPEG of markers only", []byte{0xff, 0xd8, 0xff, 0xd9}, []string{"damaged"}},
		{"PNG with a wrong checksum", flipped(small("rgb.png"), -20), []string{"damaged", "checksum"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			taken := allocated(func() { _, err = Decode(bytes.NewReader(c.data)) })
			if err == nil {
				t.Fatal("it was decoded")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not contain %q", err, part)
				}
			}
			if len(err.Error()) > 300 || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is not one short line: %q", err)
			}
			if taken > 1<<20 {
				t.Errorf("%d bytes were allocated", taken)
			}
		})
	}
}

// flipped flips one bit in byte at; a negative index counts from the end.
func flipped(data []byte, at int) []byte {
	if at < 0 {
		at += len(data)
	}
	data[at] ^= 0x10
	return data
}

// TestCutImages cuts files at many places. The rest must be refused, unless only markers after the image data are
// missing and all pixels are right: half an image on a gray background is never returned. For PNG and baseline JPEG
// this also holds if other bytes replace the missing ones; the other formats cannot distinguish such bytes from image
// data.
func TestCutImages(t *testing.T) {
	images := make(map[string][]byte)
	for _, name := range slices.Sorted(maps.Keys(imageGoldens())) {
		images[name] = small(name)
	}
	for _, name := range []string{"wide.jpg", "square.jpg", "tall.png"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		images[name] = data
	}
	tails := map[string][]byte{
		"nothing":       nil,
		"an end marker": {0xff, 0xd9},
		"zeros":         make([]byte, 4096),
		"ones":          bytes.Repeat([]byte{0xff}, 4096),
	}
	for name, data := range images {
		t.Run(name, func(t *testing.T) {
			whole, err := Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			refused := 0
			for n := 0; n < len(data); n += 1 + len(data)/300 {
				for tail, added := range tails {
					kind := filepath.Ext(name)
					if tail != "nothing" && (kind == ".webp" || kind == ".gif" || name == "progressive.jpg") {
						continue
					}
					cut, err := Decode(bytes.NewReader(slices.Concat(data[:n], added)))
					switch {
					case err != nil:
						refused++
					case !bytes.Equal(cut.RGB, whole.RGB):
						t.Fatalf("cut to %d of %d bytes, followed by %s: decoded with wrong pixels", n, len(data), tail)
					}
				}
			}
			if refused == 0 {
				t.Error("no cut file was refused")
			}
		})
	}
}

// TestOtherFormats: formats that other packages register with package image are not used.
func TestOtherFormats(t *testing.T) {
	one := image.NewGray(image.Rect(0, 0, 1, 1))
	image.RegisterFormat("words", "words", func(io.Reader) (image.Image, error) { return one, nil },
		func(io.Reader) (image.Config, error) {
			return image.Config{ColorModel: color.GrayModel, Width: 1, Height: 1}, nil
		})
	if _, _, err := image.Decode(strings.NewReader("words")); err != nil {
		t.Fatal(err)
	}
	_, err := Decode(strings.NewReader("words"))
	if err == nil || !strings.Contains(err.Error(), "not an image in a supported format") {
		t.Errorf("error %v", err)
	}
}

func TestBrokenReader(t *testing.T) {
	broken := errors.New("the disk is broken")
	_, err := Decode(io.MultiReader(bytes.NewReader(small("rgb.png")), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

func TestOddShapes(t *testing.T) {
	spec, err := Lookup("efficientnet-lite0")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		from *Pixels
		want string // part of the message; empty if the image is accepted
	}{
		{"1 x 1", constant(1, 1, [3]uint8{1, 2, 3}), ""},
		{"2 x 800", constant(2, 800, [3]uint8{1, 2, 3}), ""},
		{"1 x 5,000", constant(1, 5000, [3]uint8{1, 2, 3}), "1 x 5000 pixels is too long and narrow"},
		{"5,000 x 1", constant(5000, 1, [3]uint8{1, 2, 3}), "5000 x 1 pixels is too long and narrow"},
		{"no pixels", &Pixels{}, "0 x 0"},
		{"negative", &Pixels{-2, -3, make([]uint8, 18)}, "-2 x -3"},
		{"too few bytes", &Pixels{4, 4, make([]uint8, 47)}, "47 bytes"},
		{"overflow", &Pixels{1 << 32, 1 << 32, nil}, "0 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p *Pixels
			var err error
			taken := allocated(func() { p, err = spec.Preprocess(c.from) })
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want == "" && (p.Width != spec.Crop || p.Height != spec.Crop):
				t.Errorf("%d x %d pixels", p.Width, p.Height)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want %q", err, c.want)
			}
			if taken > 256<<20 {
				t.Errorf("%d bytes were allocated", taken)
			}
		})
	}
}

// FuzzDecode: for any bytes there is no panic, memory is bounded by the limit of pixels, and a decoded image is whole.
func FuzzDecode(f *testing.F) {
	for name := range imageGoldens() {
		f.Add(small(name))
	}
	f.Add(claimJPEG(small("420.jpg"), 60_000, 60_000))
	f.Add(extendedWebP(small("lossless.webp"), 14, 9))
	const limit = 1 << 16
	f.Fuzz(func(t *testing.T, data []byte) {
		var p *Pixels
		var err error
		taken := allocated(func() {
			p, err = ImageOptions{MaxPixels: limit}.Decode(bytes.NewReader(data))
		})
		if most := uint64(64*limit + 72*len(data) + 1<<21); taken > most {
			t.Fatalf("%d bytes were allocated, want at most %d", taken, most)
		}
		if err != nil {
			if p != nil {
				t.Fatal("an image and an error")
			}
			return
		}
		if p.Width*p.Height > limit || p.check() != nil {
			t.Fatalf("%d x %d pixels, %v", p.Width, p.Height, p.check())
		}
	})
}
