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

// imageNames are the images in the small release.
var imageNames = []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg", "loose.jpg", "mute.jpg"}

// release writes a small release with an image archive and returns its folder. Four images are in splits, loose.jpg is
// in none, and mute.jpg has no captions.
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
	var entries []string
	for _, name := range imageNames {
		entries = append(entries, "Flicker8k_Dataset/"+name, "bytes of "+name)
	}
	archiveOf(t, dir, zip.Store, entries...)
	return dir
}

// unpacked writes the small release with an image folder instead of the archive.
func unpacked(t *testing.T) string {
	t.Helper()
	dir := release(t)
	unpack(t, dir)
	return dir
}

// unpack replaces the archive by an image folder.
func unpack(t *testing.T, dir string) {
	t.Helper()
	for _, name := range imageNames {
		write(t, dir, "Flicker8k_Dataset/"+name, "bytes of "+name)
	}
	if err := os.Remove(filepath.Join(dir, zipFile)); err != nil {
		t.Fatal(err)
	}
}

// archiveOf writes the image archive. Entries are name and content alternately.
func archiveOf(t *testing.T, dir string, method uint16, entries ...string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, zipFile))
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	for i := 0; i < len(entries); i += 2 {
		entry, err := w.CreateHeader(&zip.FileHeader{Name: entries[i], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(entry, entries[i+1])
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func opened(t *testing.T, dir string) *Dataset {
	t.Helper()
	ds, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ds.Close() })
	return ds
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
	fromZip := opened(t, dir)
	if got := len(fromZip.Examples(datasets.Train)); got != 2 {
		t.Fatalf("%d training examples", got)
	}
	test := fromZip.Examples(datasets.Test)
	if len(test) != 1 || !slices.Equal(test[0].Captions, []string{"A dog runs .", "A black dog .", "A"}) {
		t.Fatalf("test split %+v", test)
	}
	odd := strings.Join(fromZip.Oddities(), "\n")
	for _, want := range []string{
		"gone.jpg.1",
		"in no split, skipped: 1 (loose.jpg)",
		"without a caption, skipped: 1 (mute.jpg)",
		"in a split: 1 (d.jpg#2)",
	} {
		if !strings.Contains(odd, want) {
			t.Errorf("oddities lack %q:\n%s", want, odd)
		}
	}
	before, err := datasets.Fingerprint(context.Background(), fromZip)
	if err != nil {
		t.Fatal(err)
	}

	unpack(t, dir)
	fromFolder := opened(t, dir)
	after, err := datasets.Fingerprint(context.Background(), fromFolder)
	if err != nil || after != before {
		t.Fatalf("fingerprints %s and %s, %v", before, after, err)
	}
	write(t, dir, "Flicker8k_Dataset/a.jpg", "other bytes")
	if changed, _ := datasets.Fingerprint(context.Background(), fromFolder); changed == before {
		t.Fatal("the image changed, but not the fingerprint")
	}
}

func TestBadReleases(t *testing.T) {
	const tokens, train = "Flickr8k_text/" + tokenFile, "Flickr8k_text/Flickr_8k.trainImages.txt"
	for _, c := range []struct {
		name, file, content string
		want                string // part of the message
		line                int    // of the *LineError; -1 for other errors
	}{
		{"no tab", tokens, "a.jpg#0 A dog\n", "has no tab", 1},
		{"no number", tokens, "a.jpg#0\tA dog\na.jpg\tA dog\n", `has no "#n"`, 2},
		{"number out of order", tokens, "a.jpg#0\tA dog\na.jpg#0\tA cat\n", "follows 1 captions", 2},
		{"empty caption", tokens, "a.jpg#0\t \n", "is empty", 1},
		{"not UTF-8", tokens, "a.jpg#0\tA \xff dog\n", "not UTF-8", 1},
		{"no captions at all", tokens, "\n", "contains no captions", 0},
		{"unknown image in a split", train, "a.jpg\nzebra.jpg\n", `"zebra.jpg" has no caption`, 2},
		{"image in two splits", train, "a.jpg\nc.jpg\n", "", 1}, // found in the dev file, which is read later
		{"caption without image in a split", train, "gone.jpg.1\n", "is not in", 1},
		{"empty split", train, "", "names no images", 0},
		{"truncated zip", zipFile, "PK\x03\x04 cut short", "not a complete zip archive", -1},
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
				t.Fatalf("error %v is not about line %d", err, c.line)
			}
		})
	}
	t.Run("wrong folder", func(t *testing.T) {
		if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "Flickr8k_text") {
			t.Fatalf("error %v", err)
		}
	})
	t.Run("no images", func(t *testing.T) {
		dir := release(t)
		os.Remove(filepath.Join(dir, zipFile))
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), zipFile) {
			t.Fatalf("error %v", err)
		}
	})
}

// TestRealRelease checks the counts in the release's own description.
func TestRealRelease(t *testing.T) {
	root := os.Getenv("CAPTIONLAB_DATA")
	if root == "" {
		t.Skip("SKIPPED, NOT PASSED: CAPTIONLAB_DATA does not name the folder that contains flickr8k/")
	}
	ds := opened(t, filepath.Join(root, "flickr8k"))
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
	for _, want := range []string{
		"captioned images without an image file, skipped: 1 (2258277193_586949ec62.jpg.1)",
		"captioned images in no split, skipped: 91 (",
		"captions of a single word, used if their image is in a split: 2 (",
		"kept: 2851198725_37b6027625.jpg (train), 3050606344_af711c726c.jpg (train)",
	} {
		if !strings.Contains(odd, want) {
			t.Errorf("oddities lack %q:\n%s", want, odd)
		}
	}
}
