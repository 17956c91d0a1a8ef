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

// archiveOf replaces the release's archive by one of these entries, name and content in turn.
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

func TestSameBytesAreReported(t *testing.T) {
	dir := release(t)
	archiveOf(t, dir, zip.Store, "Flicker8k_Dataset/a.jpg", "one", "Flicker8k_Dataset/b.jpg", "two", "Flicker8k_Dataset/c.jpg", "two",
		"Flicker8k_Dataset/d.jpg", "six", "Flicker8k_Dataset/loose.jpg", "one")
	ds, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	odd := strings.Join(ds.Oddities(), "\n")
	for _, want := range []string{
		"2 images have the same size and checksum and are kept: a.jpg (train), loose.jpg (no split)",
		"2 images have the same size and checksum and are kept: b.jpg (train), c.jpg (val)",
		"6 pictures have more or fewer than five captions",
	} {
		if !strings.Contains(odd, want) {
			t.Errorf("oddities lack %q:\n%s", want, odd)
		}
	}
}

// TestDeflatedArchiveAndOtherNames reads what repacked releases look like: compressed, macOS leftovers, text files and
// pictures under other folder names.
func TestDeflatedArchiveAndOtherNames(t *testing.T) {
	dir := release(t)
	archiveOf(t, dir, zip.Deflate, "Images/a.jpg", "A", "Images/b.jpg", "B", "Images/c.jpg", "C", "Images/d.jpg", "D",
		"__MACOSX/Images/._a.jpg", "-", "__MACOSX/Images/a.jpg", "-", "Images/readme.txt", "-")
	for _, name := range []string{tokenFile, "Flickr_8k.trainImages.txt", "Flickr_8k.devImages.txt", "Flickr_8k.testImages.txt"} {
		if err := os.Rename(filepath.Join(dir, "Flickr8k_text", name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	ds, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	if got := content(t, ds, "a.jpg"); got != "A" {
		t.Errorf("a.jpg holds %q", got)
	}

	for _, name := range imageFolders {
		unpacked := release(t)
		if err := os.Remove(filepath.Join(unpacked, zipFile)); err != nil {
			t.Fatal(err)
		}
		for _, picture := range []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg"} {
			write(t, unpacked, name+"/"+picture, "in "+name)
		}
		ds, err := Open(unpacked)
		if err != nil {
			t.Fatal(err)
		}
		if got := content(t, ds, "d.jpg"); got != "in "+name {
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

func TestPicturesAreReadConcurrently(t *testing.T) {
	ds, err := Open(release(t))
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
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

// TestCutArchive cuts a whole archive at many places, as an interrupted copy leaves it.
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
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "again") {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(whole), err)
		}
	}
}

// TestDamagedPicture changes one byte of a stored picture: the archive's checksum finds it when the picture is read.
func TestDamagedPicture(t *testing.T) {
	dir := release(t)
	file := filepath.Join(dir, zipFile)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(whole), "bytes of a.jpg", "bites of a.jpg", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	ds, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ds.Close()
	f, err := ds.OpenImage("a.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.ReadAll(f); !errors.Is(err, zip.ErrChecksum) {
		t.Errorf("reading the damaged picture: %v", err)
	}
}

func TestBadReleaseMessages(t *testing.T) {
	t.Run("picture twice in the archive", func(t *testing.T) {
		dir := release(t)
		archiveOf(t, dir, zip.Store, "x/a.jpg", "1", "y/a.jpg", "2")
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), `"a.jpg" twice, as x/a.jpg and y/a.jpg`) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("listed picture missing in the archive", func(t *testing.T) {
		dir := release(t)
		archiveOf(t, dir, zip.Store, "x/a.jpg", "1")
		var line *LineError
		if _, err := Open(dir); !errors.As(err, &line) || line.Line != 2 || !strings.Contains(err.Error(), `trainImages.txt:2: picture "b.jpg" is not in`) {
			t.Errorf("error %v", err)
		}
	})
	for _, split := range datasets.Splits {
		t.Run("no file of split "+string(split), func(t *testing.T) {
			dir := release(t)
			os.Remove(filepath.Join(dir, "Flickr8k_text", splitFiles[split]))
			_, err := Open(dir)
			if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), splitFiles[split]) || !strings.Contains(err.Error(), "copy the file from the release") {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("names both splits of a picture", func(t *testing.T) {
		dir := release(t)
		write(t, dir, "Flickr8k_text/Flickr_8k.testImages.txt", "d.jpg\na.jpg\n")
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), `testImages.txt:2: picture "a.jpg" is in the train split already; mend the line`) {
			t.Errorf("error %v", err)
		}
	})
}
