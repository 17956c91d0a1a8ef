package flickr8k

import (
	"archive/zip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"captionlab/datasets"
)

func TestSameBytesAreReported(t *testing.T) {
	dir := release(t)
	archiveOf(t, dir, zip.Store, "Flicker8k_Dataset/a.jpg", "one", "Flicker8k_Dataset/b.jpg", "two",
		"Flicker8k_Dataset/c.jpg", "two", "Flicker8k_Dataset/d.jpg", "six", "Flicker8k_Dataset/loose.jpg", "one")
	odd := strings.Join(opened(t, dir).Oddities(), "\n")
	for _, want := range []string{
		"images with the same size and checksum, kept: a.jpg (train), loose.jpg (no split)",
		"images with the same size and checksum, kept: b.jpg (train), c.jpg (val)",
		"images with more or fewer than five captions, all of which are used: 6 (",
	} {
		if !strings.Contains(odd, want) {
			t.Errorf("oddities lack %q:\n%s", want, odd)
		}
	}
}

// TestDeflatedArchiveAndOtherNames opens repacked releases: compressed, with macOS and text files, and with images in
// folders of other names.
func TestDeflatedArchiveAndOtherNames(t *testing.T) {
	dir := release(t)
	archiveOf(t, dir, zip.Deflate,
		"Images/a.jpg", "A", "Images/b.jpg", "B", "Images/c.jpg", "C", "Images/d.jpg", "D",
		"__MACOSX/Images/._a.jpg", "-", "__MACOSX/Images/a.jpg", "-", "Images/readme.txt", "-")
	texts := []string{tokenFile, "Flickr_8k.trainImages.txt", "Flickr_8k.devImages.txt", "Flickr_8k.testImages.txt"}
	for _, name := range texts {
		if err := os.Rename(filepath.Join(dir, "Flickr8k_text", name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := content(t, opened(t, dir), "a.jpg"); got != "A" {
		t.Errorf("a.jpg holds %q", got)
	}

	for _, name := range imageFolders {
		unpacked := release(t)
		if err := os.Remove(filepath.Join(unpacked, zipFile)); err != nil {
			t.Fatal(err)
		}
		for _, image := range []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg"} {
			write(t, unpacked, name+"/"+image, "in "+name)
		}
		if got := content(t, opened(t, unpacked), "d.jpg"); got != "in "+name {
			t.Errorf("d.jpg holds %q", got)
		}
	}
}

func content(t *testing.T, ds *Dataset, id string) string {
	t.Helper()
	f, err := ds.OpenImage(id)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestImagesAreReadConcurrently(t *testing.T) {
	ds := opened(t, release(t))
	var wg sync.WaitGroup
	for range 8 {
		for _, id := range []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg"} {
			wg.Go(func() {
				f, err := ds.OpenImage(id)
				if err != nil {
					t.Error(err)
					return
				}
				defer f.Close()
				if b, err := io.ReadAll(f); err != nil || string(b) != "bytes of "+id {
					t.Errorf("%s holds %q, %v", id, b, err)
				}
			})
		}
	}
	wg.Wait()
	for _, id := range []string{"nobody.jpg", "", "../Flickr8k_text/" + tokenFile} {
		if _, err := ds.OpenImage(id); err == nil {
			t.Errorf("opened %q", id)
		}
	}
}

// TestCutArchive truncates an archive at many places, like an interrupted copy.
func TestCutArchive(t *testing.T) {
	dir := release(t)
	file := filepath.Join(dir, zipFile)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(whole); n += 7 {
		if err := os.WriteFile(file, whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir)
		if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "again") {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(whole), err)
		}
	}
}

// TestDamagedImage changes one byte of a stored image. The archive's checksum detects it when the image is read.
func TestDamagedImage(t *testing.T) {
	dir := release(t)
	file := filepath.Join(dir, zipFile)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged := strings.Replace(string(whole), "bytes of a.jpg", "bites of a.jpg", 1)
	if err := os.WriteFile(file, []byte(damaged), 0o644); err != nil {
		t.Fatal(err)
	}
	ds := opened(t, dir)
	f, err := ds.OpenImage("a.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.ReadAll(f); !errors.Is(err, zip.ErrChecksum) {
		t.Errorf("reading the damaged image: %v", err)
	}
}

func TestBadReleaseMessages(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  string
	}{
		{"image twice in the archive", func(t *testing.T, dir string) {
			archiveOf(t, dir, zip.Store, "x/a.jpg", "1", "y/a.jpg", "2")
		}, `"a.jpg" twice, as x/a.jpg and y/a.jpg`},
		{"listed image missing in the archive", func(t *testing.T, dir string) {
			archiveOf(t, dir, zip.Store, "x/a.jpg", "1")
		}, `trainImages.txt:2: image "b.jpg" is not in`},
		{"image in two splits", func(t *testing.T, dir string) {
			write(t, dir, "Flickr8k_text/Flickr_8k.testImages.txt", "d.jpg\na.jpg\n")
		}, `testImages.txt:2: image "a.jpg" is already in the train split; fix the line`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := release(t)
			c.spoil(t, dir)
			if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	for _, split := range datasets.Splits {
		t.Run("no file of split "+string(split), func(t *testing.T) {
			dir := release(t)
			os.Remove(filepath.Join(dir, "Flickr8k_text", splitFiles[split]))
			_, err := Open(dir)
			if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), splitFiles[split]) ||
				!strings.Contains(err.Error(), "copy the file from the release") {
				t.Errorf("error %v", err)
			}
		})
	}
}
