package jpeg

import (
	"archive/zip"
	"bytes"
	"image"
	"image/jpeg"
	"io"
	"math"
	"math/rand/v2"
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

// grainy is an image of slow waves with fine grain, as hard to compress as a camera's.
func grainy(width, height int) image.Image {
	r := rand.New(rand.NewPCG(1, 1))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		x, y := float64(i%width), float64(i/width)
		grain := 14 * r.NormFloat64()
		for c := range 3 {
			wave := math.Sin(x*0.03+y*0.01*float64(c)) + math.Cos(y*0.05-x*0.02*float64(c))
			img.Pix[4*i+c] = uint8(min(max(128+40*wave+grain, 0), 255))
		}
		img.Pix[4*i+3] = 255
	}
	return img
}

// BenchmarkDecode compares this package with image/jpeg.
func BenchmarkDecode(b *testing.B) {
	drawing := encoded(b, grainy(640, 480), 90)
	b.Logf("the drawing takes %d kB", len(drawing)/1000)
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
