package encoder

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"os"
	"path"
	"slices"
	"sync"
	"testing"
)

// smallPictures are made by testdata/make_image_goldens.py with Pillow 13.0.0: files of every kind and what
// Image.open(...).convert("RGB") makes of them.
var smallPictures = sync.OnceValue(func() map[string]smallPicture {
	data, err := os.ReadFile("testdata/image_goldens.json")
	if err != nil {
		panic(err)
	}
	var g struct{ Pictures map[string]smallPicture }
	if err := json.Unmarshal(data, &g); err != nil {
		panic(err)
	}
	return g.Pictures
})

type smallPicture struct {
	Width, Height int
	File, RGB     []byte
}

// TestDecodeIsPIL compares every kind of file with Pillow: exactly, but for JPEG, where the two inverse cosine transforms
// round differently. A picture that EXIF calls turned stays as it is stored.
func TestDecodeIsPIL(t *testing.T) {
	if len(smallPictures()) != 32 {
		t.Fatalf("%d pictures, want 32", len(smallPictures()))
	}
	for name, want := range smallPictures() {
		if name == "animated.webp" || name == "gray-16-bit.png" {
			continue // deviations, see TestBadPictures and TestGray16
		}
		t.Run(name, func(t *testing.T) {
			p, err := Decode(bytes.NewReader(want.File))
			if err != nil {
				t.Fatal(err)
			}
			if p.Width != want.Width || p.Height != want.Height {
				t.Fatalf("%d x %d pixels, want %d x %d", p.Width, p.Height, want.Width, want.Height)
			}
			allowed := 0
			if path.Ext(name) == ".jpg" {
				allowed = 2
			}
			if worst := largestDifference(p.RGB, want.RGB); worst > allowed {
				t.Errorf("bytes differ by up to %d, want at most %d", worst, allowed)
			}
		})
	}
}

func largestDifference(a, b []byte) int {
	if len(a) != len(b) {
		return 256
	}
	worst := 0
	for i := range a {
		worst = max(worst, int(a[i])-int(b[i]), int(b[i])-int(a[i]))
	}
	return worst
}

// TestGray16 is the deviation from Pillow 13.0.0, which makes (255, 255, 255) of every value above 255 here. The high byte
// is what Pillow keeps of 16-bit colours: both files are of the same drawing, whose first channel this is.
func TestGray16(t *testing.T) {
	gray, err := Decode(bytes.NewReader(smallPictures()["gray-16-bit.png"].File))
	if err != nil {
		t.Fatal(err)
	}
	colour := smallPictures()["rgb-16-bit.png"].RGB
	for i, v := range gray.RGB {
		if want := colour[i-i%3]; v != want {
			t.Fatalf("byte %d is %d, want %d", i, v, want)
		}
	}
}

// TestFromImage covers kinds that no decoder here returns, or whose transparency loses colours on the way through
// color.NRGBAModel. Expected values: by hand; of CMYK by Pillow 13.0.0, Image.frombytes("CMYK", (1, 1), ...).convert("RGB").
func TestFromImage(t *testing.T) {
	one := image.Rect(0, 0, 1, 1)
	cmyk := func(c, m, y, k uint8) image.Image {
		img := image.NewCMYK(one)
		img.SetCMYK(0, 0, color.CMYK{C: c, M: m, Y: y, K: k})
		return img
	}
	faint := image.NewNRGBA64(one)
	faint.SetNRGBA64(0, 0, color.NRGBA64{R: 0x1234, G: 0xabff, B: 0xffff, A: 0})
	hidden := image.NewNRGBA(one)
	hidden.SetNRGBA(0, 0, color.NRGBA{R: 10, G: 20, B: 30, A: 0})
	corner := image.NewGray(image.Rect(0, 0, 3, 3))
	corner.SetGray(2, 2, color.Gray{Y: 77})
	planes := image.NewNYCbCrA(one, image.YCbCrSubsampleRatio444)
	planes.Y[0], planes.Cb[0], planes.Cr[0] = 90, 128, 128
	for _, c := range []struct {
		name string
		from image.Image
		want []uint8
	}{
		{"CMYK, no ink", cmyk(0, 0, 0, 0), []uint8{255, 255, 255}},
		{"CMYK, black", cmyk(9, 99, 200, 255), []uint8{0, 0, 0}},
		{"CMYK, mixed", cmyk(10, 100, 200, 50), []uint8{197, 125, 44}},
		{"CMYK, odd", cmyk(127, 128, 1, 3), []uint8{126, 126, 251}},
		{"16 bits, transparent", faint, []uint8{0x12, 0xab, 0xff}},
		{"8 bits, transparent", hidden, []uint8{10, 20, 30}},
		{"part of a larger picture", corner.SubImage(image.Rect(2, 2, 3, 3)), []uint8{77, 77, 77}},
		{"planes, transparent", planes, []uint8{90, 90, 90}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if p := FromImage(c.from); p.Width != 1 || p.Height != 1 || !slices.Equal(p.RGB, c.want) {
				t.Errorf("%d x %d, %v, want %v", p.Width, p.Height, p.RGB, c.want)
			}
		})
	}
}

func TestImageRoundTrip(t *testing.T) {
	p, err := Decode(bytes.NewReader(smallPictures()["rgb.png"].File))
	if err != nil {
		t.Fatal(err)
	}
	if again := FromImage(p.Image()); !slices.Equal(again.RGB, p.RGB) {
		t.Error("Image and FromImage change the bytes")
	}
}
