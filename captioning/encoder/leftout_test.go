package encoder

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/datasets/flickr8k"
)

// smallRelease is a release of Flickr8k with images from testdata in its archive, of which some members are damaged.
func smallRelease(t *testing.T) *flickr8k.Dataset {
	t.Helper()
	dir := t.TempDir()
	names := []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	captions := ""
	for _, name := range names {
		member, err := w.CreateHeader(&zip.FileHeader{Name: "Flicker8k_Dataset/" + name, Method: zip.Deflate})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := member.Write(small("444.jpg")); err != nil {
			t.Fatal(err)
		}
		captions += name + "#0\tA dog runs .\n"
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data := out.Bytes()
	spoil := func(name string, offset int, value uint32) { // a field of the member's entry in the directory
		entry := bytes.LastIndex(data, []byte("Flicker8k_Dataset/"+name)) - 46
		binary.LittleEndian.PutUint32(data[entry+offset:], value)
	}
	spoil("b.jpg", 16, 12345)         // the checksum
	spoil("c.jpg", 20, 30)            // the compressed size
	spoil("d.jpg", 24, 3_000_000_000) // the size
	for name, content := range map[string]string{
		"Flickr8k.token.txt": captions, "Flickr8k_Dataset.zip": string(data),
		"Flickr_8k.trainImages.txt": "a.jpg\nb.jpg\nc.jpg\n", "Flickr_8k.devImages.txt": "d.jpg\n",
		"Flickr_8k.testImages.txt": "e.jpg\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ds, err := flickr8k.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ds.Close() })
	return ds
}

// TestDamagedMembersAreLeftOut: damaged members of an archive are listed by name; the other images get features.
func TestDamagedMembersAreLeftOut(t *testing.T) {
	ds := smallRelease(t)
	f, err := Build(context.Background(), open(t, meanColour(), ""), ds, t.TempDir(), eightAShard)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a.jpg", "e.jpg"} {
		if _, ok := f.Row(id); !ok {
			t.Errorf("no features of %s", id)
		}
	}
	skipped := fmt.Sprint(f.Manifest.Skipped)
	for _, want := range []string{"b.jpg", "c.jpg", "d.jpg", "Flickr8k_Dataset.zip: Flicker8k_Dataset/b.jpg",
		"checksum", "Flicker8k_Dataset/d.jpg claims to unpack from"} {
		if !strings.Contains(skipped, want) {
			t.Errorf("the list of skipped images lacks %q: %s", want, skipped)
		}
	}
	if len(f.Manifest.Skipped) != 3 {
		t.Errorf("%d images are skipped", len(f.Manifest.Skipped))
	}
}

// TestRaisedLimit: images that were too large are tried again with a higher limit, and only then.
func TestRaisedLimit(t *testing.T) {
	e, folder := open(t, meanColour(), ""), t.TempDir()
	ds, _, _ := fortyImages(t) // of 64 x 64 pixels
	for _, c := range []struct {
		limit, skipped int
		opened         int64
	}{
		{64*64 - 1, 40, 40}, // none fits
		{64*64 - 1, 40, 0},
		{64 * 64, 2, 40}, // 2 images are damaged
		{0, 2, 40},       // the limit is higher, though not for those
		{0, 2, 0},
		{100, 2, 0}, // there are features already
		{MaxPixels, 2, 40},
	} {
		o := eightAShard
		o.MaxPixels = c.limit
		ds.opened.Store(0)
		f, err := Build(context.Background(), e, ds, folder, o)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(f.Manifest.Skipped); n != c.skipped || f.Len() != 40-n || ds.opened.Load() > c.opened {
			t.Errorf("limit %d: %d skipped, %d with features, %d opened, want %d skipped, at most %d opened",
				c.limit, n, f.Len(), ds.opened.Load(), c.skipped, c.opened)
		}
		if c.opened == 40 && ds.opened.Load() == 0 {
			t.Errorf("limit %d: no image was tried again", c.limit)
		}
	}
}

// TestEncodeFilesUpright: options reach the decoder.
func TestEncodeFilesUpright(t *testing.T) {
	spec := meanColour()
	file := withEXIF(drawnFiles(t)["png"], turned(binary.BigEndian, 6))
	for _, o := range []ImageOptions{{}, {Upright: true}, {MaxPixels: 5}} {
		reader := func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }
		got, err := load(reader, spec, "x", o)
		want, wantErr := spec.DecodeWith(bytes.NewReader(file), o)
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got.RGB, want.RGB) {
			t.Errorf("%+v: error %v, want %v, or other pixels", o, err, wantErr)
		}
	}
}
