package encoder

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color/palette"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
)

// TestBombs: what would take gigabytes or minutes is refused before it does; what the decoders skip is harmless.
func TestBombs(t *testing.T) {
	memory := []string{"MB of memory", "10000 x 10000", "make it smaller"}
	time := []string{"too many scans", "save it again"}
	spec := Spec{Resize: 32, Crop: 32}
	zip := append([]byte("name\x00\x00"), zeros(64<<20)...)
	for _, c := range []struct {
		name string
		data []byte
		want []string // parts of the error; none if the image is decoded
	}{
		{"5,000 scans", progressiveJPEG(10_000, 10_000, 1, 5000, false), time},
		{"scans of a small image", progressiveJPEG(1000, 1000, 1, 10_000, false), time},
		{"a million empty segments", slices.Concat([]byte{0xff, 0xd8},
			bytes.Repeat(segmentJPEG(0xfe), 1_000_000), small("444.jpg")[2:]), time},
		{"a few scans", progressiveJPEG(1000, 1000, 3, 12, true), nil},
		{"progressive CMYK", progressiveJPEG(10_000, 10_000, 4, 1, false), memory},
		{"progressive RGB", progressiveJPEG(10_000, 10_000, 3, 1, false), memory},
		{"interlaced PNG of 16 bits", pngOf(10_000, 10_000, pngKind{16, 6, 1}, 0), memory},
		{"interlaced gray PNG of 16 bits with transparency",
			pngOf(10_000, 10_000, pngKind{16, 0, 1}, 0, chunkPNG("tRNS", []byte{0, 1})), memory},
		{"PNG with zTXt", pngOf(8, 8, pngKind{8, 2, 0}, 8*25, chunkPNG("zTXt", zip)), nil},
		{"PNG with iCCP", pngOf(8, 8, pngKind{8, 2, 0}, 8*25, chunkPNG("iCCP", zip)), nil},
		{"PNG with too many rows", pngOf(8, 8, pngKind{8, 2, 0}, 64<<20), []string{"too much pixel data"}},
		{"GIF of 2,000 frames", manyFrames(2000, 20, 20), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			taken := allocated(func() { _, err = spec.Decode(bytes.NewReader(c.data)) })
			if (err == nil) != (c.want == nil) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not contain %q", err, part)
				}
			}
			if most := uint64(32<<20 + 4*len(c.data)); taken > most {
				t.Errorf("%d bytes were allocated, want at most %d", taken, most)
			}
		})
	}
}

// TestEstimates compares the estimates with what decoding allocates.
func TestEstimates(t *testing.T) {
	const width, height = 700, 400
	r := image.Rect(0, 0, width, height)
	var images []image.Image
	images = append(images, image.NewGray(r), image.NewGray16(r), image.NewRGBA(r), image.NewNRGBA(r),
		image.NewRGBA64(r), image.NewNRGBA64(r), image.NewPaletted(r, palette.Plan9))
	files := map[string][]byte{
		"progressive gray": progressiveJPEG(width, height, 1, 9, true),
		"progressive RGB":  progressiveJPEG(width, height, 3, 9, true),
		"progressive CMYK": progressiveJPEG(width, height, 4, 9, true),
		"GIF":              manyFrames(1, width, height),
	}
	for _, kind := range [][3]byte{{16, 6, 8}, {16, 0, 2}, {8, 2, 3}, {8, 3, 1}, {8, 4, 2}} {
		stored := width*height*int(kind[2]) + 2*height // each row begins with a byte for its filter
		var palette []byte
		if kind[1] == 3 {
			palette = chunkPNG("PLTE", make([]byte, 3))
		}
		name := "interlaced PNG of type " + string('0'+kind[1]) // cut short after most of its rows
		files[name] = pngOf(width, height, pngKind{kind[0], kind[1], 1}, stored-height/8, palette)
	}
	for _, img := range images {
		var j, p bytes.Buffer
		if err := errors.Join(jpeg.Encode(&j, img, nil), png.Encode(&p, img)); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%T", img)
		files[name+".jpg"], files[name+".png"] = j.Bytes(), p.Bytes()
	}
	for name := range imageGoldens() {
		files[name] = small(name)
	}
	for name, data := range files {
		f, err := formatOf(data)
		if err != nil {
			t.Fatal(name, err)
		}
		e, err := f.examine(data, MaxPixels)
		if err != nil {
			t.Fatal(name, err)
		}
		taken := allocated(func() { _, err = f.decode(data, e.width, e.height) })
		if err != nil && !strings.Contains(name, "interlaced") {
			t.Fatal(name, err)
		}
		const fixed = 200 << 10
		if int64(taken) > e.memory+fixed || e.memory > 2*int64(taken)+int64(len(data))+3*e.pixels()+fixed {
			t.Errorf("%s: decoding took %d bytes, estimate %d (error %v)", name, taken, e.memory, err)
		}
	}
}

func TestMaxPixels(t *testing.T) {
	data := small("rgb.png")
	p, err := Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	n := p.Width * p.Height
	if _, err := (ImageOptions{MaxPixels: n}).Decode(bytes.NewReader(data)); err != nil {
		t.Error(err)
	}
	_, err = ImageOptions{MaxPixels: n - 1}.Decode(bytes.NewReader(data))
	if err == nil || !strings.Contains(err.Error(), "raise the limit of pixels") {
		t.Errorf("error %v", err)
	}
	// 200 million pixels, in a file that is cut short, need a higher limit, which also raises the one of memory.
	data = claimJPEG(small("444.jpg"), 20_000, 10_000)
	if _, err := Decode(bytes.NewReader(data)); err == nil || !strings.Contains(err.Error(), "more than 100000000") {
		t.Errorf("error %v", err)
	}
	f, err := formatOf(data)
	if err != nil {
		t.Fatal(err)
	}
	e, err := f.examine(data, 200_000_000)
	if err != nil {
		t.Fatal(err)
	}
	e.memory = 2 * maxMemory
	if err := (ImageOptions{MaxPixels: 200_000_000}).limits().check(e); err != nil {
		t.Error(err)
	}
	if err := (ImageOptions{MaxPixels: 190_000_000}).limits().check(e); err == nil {
		t.Error("no error for a lower limit")
	}
	most := ImageOptions{MaxPixels: math.MaxInt}.limits()
	if most.memory < maxMemory || most.file < maxFileSize {
		t.Errorf("limits %+v", most)
	}
}

// TestDecodedTogether: large images wait for each other.
func TestDecodedTogether(t *testing.T) {
	var taken atomic.Int64
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			size := int64(maxMemory) / int64(1+i%5)
			free := reserve(size)
			if sum := taken.Add(size); sum > maxMemory {
				t.Errorf("%d bytes are taken at once", sum)
			}
			taken.Add(-size)
			free()
		})
	}
	wg.Wait()
	_, err := ImageOptions{}.read(bytes.NewReader(small("rgb.png")), true, func(src rows) (*Pixels, error) {
		if memory.TryAcquire(maxMemory) {
			t.Error("an image that is being decoded takes no memory")
			memory.Release(maxMemory)
		}
		return whole(src), nil
	})
	if err != nil {
		t.Error(err)
	}
	reserve(2 * maxMemory)() // does not wait for more than there is
}

// announced is a reader that knows its size, like a file.
type announced struct {
	io.Reader
	size int64
}

func (a announced) Stat() (fs.FileInfo, error) { return sized{size: a.size}, nil }

type sized struct {
	fs.FileInfo
	size int64
}

func (s sized) Size() int64 { return s.size }

func TestReadFile(t *testing.T) {
	content := bytes.Repeat([]byte("photograph "), 300_000) // 3.3 MB
	limit := int64(len(content))
	broken := errors.New("the disk is broken")
	reader := func() io.Reader { return bytes.NewReader(content) }
	for _, c := range []struct {
		name string
		from io.Reader
		max  int64
		want string // part of the error; empty if there is none
	}{
		{"of unknown size", reader(), limit, ""},
		{"of known size", announced{reader(), limit}, limit, ""},
		{"larger than announced", announced{reader(), 100}, limit, ""},
		{"smaller than announced", announced{reader(), limit + 99}, limit + 99, ""},
		{"in small pieces", iotest.HalfReader(reader()), limit, ""},
		{"too large", reader(), limit - 1, "more than 3 MiB"},
		{"announced as too large", announced{iotest.ErrReader(broken), limit}, limit - 1, "more than 3 MiB"},
		{"larger than announced and too large", announced{reader(), 100}, limit - 1, "more than 3 MiB"},
		{"broken", io.MultiReader(reader(), iotest.ErrReader(broken)), limit + 1, "the disk is broken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, release, err := readFile(c.from, c.max)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want %q", err, c.want)
				}
			} else {
				if err != nil || !bytes.Equal(data, content) {
					t.Errorf("%d bytes, error %v", len(data), err)
				}
				release()
			}
			hold(files, maxFileSize, maxFileSize)() // would wait forever if something was not released
		})
	}
}
