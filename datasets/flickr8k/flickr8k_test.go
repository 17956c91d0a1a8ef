package flickr8k

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"captionlab/datasets"
)

// release writes a small release with four pictures in splits and one in none, and returns its folder.
func release(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var captions strings.Builder
	for _, name := range []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg", "loose.jpg", "gone.jpg.1"} {
		captions.WriteString(name + "#0\tA dog runs .\n" + name + "#1\tA black dog .\n")
	}
	captions.WriteString("d.jpg#2\tA\n")
	write(t, dir, "Flickr8k_text/"+tokenFile, captions.String())
	write(t, dir, "Flickr8k_text/Flickr_8k.trainImages.txt", "a.jpg\nb.jpg\n")
	write(t, dir, "Flickr8k_text/Flickr_8k.devImages.txt", "c.jpg\r\n")
	write(t, dir, "Flickr8k_text/Flickr_8k.testImages.txt", "d.jpg\n\n")
	f, err := os.Create(filepath.Join(dir, zipFile))
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	for _, name := range []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg", "loose.jpg", "mute.jpg"} {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: "Flicker8k_Dataset/" + name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(entry, "bytes of "+name)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestOpenFromArchiveAndFromFolder(t *testing.T) {
	dir := release(t)
	fromZip, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer fromZip.Close()
	if got := len(fromZip.Examples(datasets.Train)); got != 2 {
		t.Fatalf("%d training examples", got)
	}
	test := fromZip.Examples(datasets.Test)
	if len(test) != 1 || !slices.Equal(test[0].Captions, []string{"A dog runs .", "A black dog .", "A"}) {
		t.Fatalf("test split %+v", test)
	}
	odd := strings.Join(fromZip.Oddities(), "\n")
	for _, want := range []string{"gone.jpg.1", "no split and are left out: loose.jpg", "no caption and are left out: mute.jpg", "in a split: d.jpg#2"} {
		if !strings.Contains(odd, want) {
			t.Errorf("oddities lack %q:\n%s", want, odd)
		}
	}
	before, err := datasets.Fingerprint(context.Background(), fromZip)
	if err != nil {
		t.Fatal(err)
	}

	for _, name := range []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg", "loose.jpg", "mute.jpg"} {
		write(t, dir, "Flicker8k_Dataset/"+name, "bytes of "+name)
	}
	os.Remove(filepath.Join(dir, zipFile))
	fromFolder, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	after, err := datasets.Fingerprint(context.Background(), fromFolder)
	if err != nil || after != before {
		t.Fatalf("fingerprints %s and %s, %v", before, after, err)
	}
	write(t, dir, "Flicker8k_Dataset/a.jpg", "other bytes")
	if changed, _ := datasets.Fingerprint(context.Background(), fromFolder); changed == before {
		t.Fatal("another picture, the same fingerprint")
	}
}

func TestBadReleases(t *testing.T) {
	const tokens, train = "Flickr8k_text/" + tokenFile, "Flickr8k_text/Flickr_8k.trainImages.txt"
	for _, c := range []struct {
		name, file, content string
		want                string // part of the message
		line                int    // of the *LineError; -1 for another error
	}{
		{"no tab", tokens, "a.jpg#0 A dog\n", "has no tab", 1},
		{"no number", tokens, "a.jpg#0\tA dog\na.jpg\tA dog\n", `has no "#n"`, 2},
		{"number out of order", tokens, "a.jpg#0\tA dog\na.jpg#0\tA cat\n", "follows 1 captions", 2},
		{"empty caption", tokens, "a.jpg#0\t \n", "is empty", 1},
		{"not UTF-8", tokens, "a.jpg#0\tA \xff dog\n", "not UTF-8", 1},
		{"no captions at all", tokens, "\n", "holds no caption", 0},
		{"unknown picture in a split", train, "a.jpg\nzebra.jpg\n", `"zebra.jpg" has no caption`, 2},
		{"picture in two splits", train, "a.jpg\nc.jpg\n", "", 1}, // found in the dev file, which is read after
		{"caption without picture in a split", train, "gone.jpg.1\n", "is not in", 1},
		{"empty split", train, "", "names no picture", 0},
		{"truncated zip", zipFile, "PK\x03\x04 cut short", "no whole zip archive", -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := release(t)
			write(t, dir, c.file, c.content)
			_, err := Open(dir)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
			var line *LineError
			if errors.As(err, &line) != (c.line >= 0) || (line != nil && line.Line != c.line) {
				t.Fatalf("error %v does not tell line %d", err, c.line)
			}
		})
	}
	t.Run("wrong folder", func(t *testing.T) {
		if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "Flickr8k_text") {
			t.Fatalf("error %v", err)
		}
	})
	t.Run("no pictures", func(t *testing.T) {
		dir := release(t)
		os.Remove(filepath.Join(dir, zipFile))
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), zipFile) {
			t.Fatalf("error %v", err)
		}
	})
}

// TestRealRelease checks the counts that the release's own description gives.
func TestRealRelease(t *testing.T) {
	root := os.Getenv("CAPTIONLAB_DATA")
	if root == "" {
		t.Skip("SKIPPED, NOT PASSED: set CAPTIONLAB_DATA to the folder that holds flickr8k/ to check the real release")
	}
	ds, err := Open(filepath.Join(root, "flickr8k"))
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	for split, want := range map[datasets.Split]int{datasets.Train: 6000, datasets.Val: 1000, datasets.Test: 1000} {
		examples := ds.Examples(split)
		if len(examples) != want {
			t.Errorf("%s has %d examples, want %d", split, len(examples), want)
		}
		for _, ex := range examples {
			if len(ex.Captions) != 5 {
				t.Errorf("%s has %d captions", ex.ID, len(ex.Captions))
			}
		}
	}
	odd := strings.Join(ds.Oddities(), "\n")
	for _, want := range []string{"1 captioned pictures are not among the images and are left out: 2258277193_586949ec62.jpg.1",
		"91 pictures with captions are in no split", "2 captions are a single word",
		"2 images have the same size and checksum and are kept: 2851198725_37b6027625.jpg (train), 3050606344_af711c726c.jpg (train)"} {
		if !strings.Contains(odd, want) {
			t.Errorf("oddities lack %q:\n%s", want, odd)
		}
	}
}
