package flickr8k

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/datasets"
)

// TestDamagedMembers: a damaged member is named and does not stop the reading of the others.
func TestDamagedMembers(t *testing.T) {
	for _, c := range []struct {
		name   string
		method uint16
		offset int // in the directory's entry of a.jpg
		value  uint32
	}{
		{"checksum", zip.Store, 16, 1},
		{"cut short", zip.Deflate, 20, 3},
		{"other size", zip.Deflate, 24, 5},
		{"gigabytes", zip.Deflate, 24, 1 << 31},
		{"no header", zip.Store, 42, 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := release(t)
			archiveOf(t, dir, c.method, "x/a.jpg", "the first image", "x/b.jpg", "2", "x/c.jpg", "3", "x/d.jpg", "4")
			whole := fingerprint(t, opened(t, dir))
			file := filepath.Join(dir, zipFile)
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			entry := bytes.Index(data, []byte("PK\x01\x02"))
			binary.LittleEndian.PutUint32(data[entry+c.offset:], c.value)
			if err := os.WriteFile(file, data, 0o644); err != nil {
				t.Fatal(err)
			}
			ds := opened(t, dir)
			f, err := ds.OpenImage("a.jpg")
			if err == nil {
				_, err = io.ReadAll(f)
			}
			for _, want := range []string{zipFile, "x/a.jpg", "again"} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v lacks %q", err, want)
				}
			}
			if got := content(t, ds, "b.jpg"); got != "2" {
				t.Errorf("b.jpg holds %q", got)
			}
			if fingerprint(t, ds) == whole {
				t.Error("the fingerprint does not tell the damaged archive from the whole one")
			}
		})
	}
}

func fingerprint(t *testing.T, ds *Dataset) string {
	t.Helper()
	sum, err := datasets.Fingerprint(context.Background(), ds)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// TestConvertedImages: images that were saved in another format keep their ids.
func TestConvertedImages(t *testing.T) {
	dir := release(t)
	archiveOf(t, dir, zip.Store, "a.png", "A", "b.JPG", "B", "c.jpeg", "C", "d.webp", "D", "e.png", "E")
	ds := opened(t, dir)
	if got := content(t, ds, "a.jpg"); got != "A" {
		t.Errorf("a.jpg holds %q", got)
	}
	odd := strings.Join(ds.Oddities(), "\n")
	if !strings.Contains(odd, "images without a caption, skipped: 1 (e.png)") {
		t.Errorf("oddities %s", odd)
	}
}
