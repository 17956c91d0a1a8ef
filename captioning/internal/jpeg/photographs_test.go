package jpeg

import (
	"archive/zip"
	"bytes"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// photographs returns every step-th image of Flickr8k.
func photographs(t testing.TB, step int) [][]byte {
	t.Helper()
	root := os.Getenv("CAPTIONLAB_DATA")
	if root == "" {
		t.Skip("SKIPPED, NOT PASSED: CAPTIONLAB_DATA does not name a folder that contains flickr8k")
	}
	archive, err := zip.OpenReader(filepath.Join(root, "flickr8k", "Flickr8k_Dataset.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	var all [][]byte
	at := 0
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, ".jpg") || strings.HasPrefix(f.Name, "__MACOSX") {
			continue
		}
		if at++; at%step != 0 {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
	}
	if len(all) < 8000/step {
		t.Fatalf("%d images, want %d", len(all), 8000/step)
	}
	return all
}

func TestPhotographs(t *testing.T) {
	for _, data := range photographs(t, 40) {
		check(t, data, false)
	}
}

// BenchmarkDecode compares this package with image/jpeg.
func BenchmarkDecode(b *testing.B) {
	drawing := encoded(b, drawn(640, 480, false), 75)
	for _, c := range []struct {
		name  string
		files func(b *testing.B) [][]byte
	}{
		{"drawing", func(*testing.B) [][]byte { return [][]byte{drawing} }},
		{"photographs", func(b *testing.B) [][]byte { return photographs(b, 400) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			files := c.files(b)
			b.Run("here", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					if _, err := Decode(files[i%len(files)]); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("image-jpeg", func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					if _, err := jpeg.Decode(bytes.NewReader(files[i%len(files)])); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
