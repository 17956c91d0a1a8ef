package flickr8k

import (
	"archive/zip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"captionlab/datasets"
)

func stamp(t *testing.T, ds datasets.Dataset) string {
	t.Helper()
	s, ok, err := datasets.Stamp(ds)
	if err != nil || !ok || len(s) != 64 {
		t.Fatalf("stamp %q, %v, %v", s, ok, err)
	}
	return s
}

// TestStampReadsNoImage opens and stamps 20,000 images that are links to their folder: any attempt to read one fails.
func TestStampReadsNoImage(t *testing.T) {
	const count = 20_000
	dir := t.TempDir()
	folder := filepath.Join(dir, "Images")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	var tokens strings.Builder
	lists := make(map[datasets.Split]string)
	for i := range count {
		name := fmt.Sprintf("%05d.jpg", i)
		if err := linkToFolder(folder, name); err != nil {
			t.Skipf("SKIPPED, NOT PASSED: no symbolic links: %v", err)
		}
		tokens.WriteString(name + "#0\tA dog .\n")
		lists[datasets.Splits[i%3]] += name + "\n"
	}
	write(t, dir, tokenFile, tokens.String())
	for split, list := range lists {
		write(t, dir, splitFiles[split], list)
	}
	ds := opened(t, dir)
	if a, b := stamp(t, ds), stamp(t, ds); a != b {
		t.Errorf("stamps %s and %s of the same images", a, b)
	}
	if _, err := datasets.Fingerprint(context.Background(), ds); err == nil {
		t.Error("the images can be read: the test shows nothing")
	}
}

// linkToFolder makes a symbolic link to the folder itself: a hard link to an earlier one if the system allows it, which
// is faster.
func linkToFolder(folder, name string) error {
	first := filepath.Join(folder, "00000.jpg")
	if err := os.Link(first, filepath.Join(folder, name)); err == nil {
		return nil
	}
	return os.Symlink(".", filepath.Join(folder, name))
}

// TestStampSeesChanges opens a release, changes it and opens it again.
func TestStampSeesChanges(t *testing.T) {
	later := time.Now().Add(time.Nanosecond)
	touch := func(t *testing.T, dir, name string) {
		if err := os.Chtimes(filepath.Join(dir, name), later, later); err != nil {
			t.Fatal(err)
		}
	}
	const tokens, train = "Flickr8k_text/" + tokenFile, "Flickr8k_text/Flickr_8k.trainImages.txt"
	for _, c := range []struct {
		name    string
		release func(*testing.T) string
		change  func(t *testing.T, dir string)
		differs bool
	}{
		{"nothing in a folder", unpacked, func(*testing.T, string) {}, false},
		{"nothing in an archive", release, func(*testing.T, string) {}, false},
		{"an image's time", unpacked, func(t *testing.T, dir string) {
			touch(t, dir, "Flicker8k_Dataset/d.jpg")
		}, true},
		{"an image's size", unpacked, func(t *testing.T, dir string) {
			file := filepath.Join(dir, "Flicker8k_Dataset/a.jpg")
			before, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, "Flicker8k_Dataset/a.jpg", "other bytes")
			if err := os.Chtimes(file, before.ModTime(), before.ModTime()); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"an image of no split", unpacked, func(t *testing.T, dir string) {
			touch(t, dir, "Flicker8k_Dataset/loose.jpg")
			write(t, dir, "Flicker8k_Dataset/mute.jpg", "other bytes")
		}, false},
		{"the archive's time", release, func(t *testing.T, dir string) { touch(t, dir, zipFile) }, true},
		{"the archive", release, func(t *testing.T, dir string) {
			archiveOf(t, dir, zip.Store, "a.jpg", "1", "b.jpg", "2", "c.jpg", "3", "d.jpg", "4")
		}, true},
		{"unpacking", release, unpack, true},
		{"a caption", unpacked, func(t *testing.T, dir string) {
			text, err := os.ReadFile(filepath.Join(dir, tokens))
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, tokens, strings.Replace(string(text), "black", "brown", 1))
		}, true},
		{"the order of a split", unpacked, func(t *testing.T, dir string) {
			write(t, dir, train, "b.jpg\na.jpg\n")
		}, true},
		{"the time of text files", unpacked, func(t *testing.T, dir string) {
			touch(t, dir, tokens)
			touch(t, dir, train)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := c.release(t)
			before := stamp(t, opened(t, dir))
			c.change(t, dir)
			if after := stamp(t, opened(t, dir)); (after != before) != c.differs {
				t.Errorf("stamps %s and %s, want different: %v", before, after, c.differs)
			}
		})
	}
}

// TestStampOfOpenDataset changes files while the dataset is open. The stamp covers what OpenImage reads: the present
// image file in a folder, but the archive as opened.
func TestStampOfOpenDataset(t *testing.T) {
	fromFolder := opened(t, unpacked(t))
	before := stamp(t, fromFolder)
	image := filepath.Join(fromFolder.images.Place(), "a.jpg")
	if err := os.WriteFile(image, []byte("other bytes"), 0o644); err != nil {
		t.Fatal(err)
	}
	if stamp(t, fromFolder) == before {
		t.Error("an image of the folder changed, but not the stamp")
	}
	if err := os.Remove(image); err != nil {
		t.Fatal(err)
	}
	if _, _, err := datasets.Stamp(fromFolder); err == nil || !strings.Contains(err.Error(), image) {
		t.Errorf("stamp without an image: %v", err)
	}

	dir := release(t)
	fromZip := opened(t, dir)
	before = stamp(t, fromZip)
	if err := os.Rename(filepath.Join(dir, zipFile), filepath.Join(dir, "old.zip")); err != nil {
		t.Fatal(err)
	}
	archiveOf(t, dir, zip.Store, "a.jpg", "1", "b.jpg", "2", "c.jpg", "3", "d.jpg", "4")
	if stamp(t, fromZip) != before || content(t, fromZip, "a.jpg") != "bytes of a.jpg" {
		t.Error("the open dataset follows an archive that replaced its own")
	}
}

// TestStampOfPath opens a release by a relative path, from two folders.
func TestStampOfPath(t *testing.T) {
	dir := unpacked(t)
	want := stamp(t, opened(t, dir))
	t.Chdir(dir)
	if got := stamp(t, opened(t, ".")); got != want {
		t.Errorf("the relative path has stamp %s, the absolute one %s", got, want)
	}
	ds := opened(t, ".")
	t.Chdir(t.TempDir())
	if got := stamp(t, ds); got != want || content(t, ds, "a.jpg") != "bytes of a.jpg" {
		t.Errorf("after a change of the working folder the stamp is %s, want %s", got, want)
	}
}

func TestCloseTwice(t *testing.T) {
	for _, dir := range []string{release(t), unpacked(t)} {
		ds := opened(t, dir)
		part := datasets.Subset(ds, 1, 1, 1)
		for _, d := range []datasets.Dataset{part, ds, part} {
			if err := datasets.Close(d); err != nil {
				t.Errorf("closing %s: %v", d.Name(), err)
			}
		}
		f, err := ds.OpenImage("a.jpg")
		if err == nil {
			f.Close()
		}
		if packed := strings.HasSuffix(ds.images.Place(), ".zip"); packed && err == nil {
			t.Error("the archive is still open")
		}
	}
}
