package nbkit

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFilesAreUpright: a photograph of your own is turned as its EXIF tag says.
func TestFilesAreUpright(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 64, 32)) // black on the left, white on the right
	for i := range img.Pix {
		if i%64 >= 32 {
			img.Pix[i] = 255
		}
	}
	var out bytes.Buffer
	must(t, jpeg.Encode(&out, img, nil))
	const exif = "\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06" +
		"\x00\x00\x00\x00\x00\x00"
	file := filepath.Join(t.TempDir(), "turned.jpg")
	must(t, os.WriteFile(file, []byte("\xff\xd8"+exif+out.String()[2:]), 0o644))
	p, err := PixelsOfFile(file)
	must(t, err)
	if p.Width != 32 || p.Height != 64 || p.RGB[0] > 50 || p.RGB[len(p.RGB)-1] < 200 {
		t.Errorf("%d x %d pixels, from %d to %d", p.Width, p.Height, p.RGB[0], p.RGB[len(p.RGB)-1])
	}
	url, err := FileThumbnail(file, 16)
	must(t, err)
	data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(url), "data:image/jpeg;base64,"))
	must(t, err)
	small, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil || small.Width != 8 || small.Height != 16 {
		t.Errorf("a thumbnail of %d x %d pixels, error %v", small.Width, small.Height, err)
	}
	stored, err := Thumbnail(bytes.NewReader([]byte("\xff\xd8"+exif+out.String()[2:])), 16)
	if err != nil || stored == url {
		t.Errorf("the thumbnail of a dataset's image is turned (error %v)", err)
	}
}

func TestPhotographOfPretrained(t *testing.T) {
	path, err := Photograph("camera.jpg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(path)) })
	if url, err := FileThumbnail(path, 64); err != nil || !strings.HasPrefix(string(url), "data:image/") {
		t.Errorf("thumbnail %.40q, error %v", url, err)
	}
	if _, err := Photograph("nosuch.jpg"); err == nil || !strings.Contains(err.Error(), "a file of your own") {
		t.Errorf("error %v", err)
	}
}
