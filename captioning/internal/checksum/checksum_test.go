package checksum

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Sums of "abc" (FIPS 180-2, appendix B.1) and of "abd" (sha256sum).
const (
	sumABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	sumABD = "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"
)

// write writes a file that was last changed at a given time.
func write(t *testing.T, path, content string, changed time.Time) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, changed, changed); err != nil {
		t.Fatal(err)
	}
}

func wantSum(t *testing.T, path string, verify bool, want string) {
	t.Helper()
	if got, err := File(path, verify); err != nil || got != want {
		t.Errorf("sum %s, %v, want %s", got, err, want)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if data, got, err := ReadFile(path, verify); err != nil || got != want || string(data) != string(content) {
		t.Errorf("ReadFile: %q, sum %s, %v, want %q and %s", data, got, err, content, want)
	}
}

// memories lists the files in the memory.
func memories(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "sums", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFileRemembers(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CAPTIONLAB_CACHE", dir)
	path, old := filepath.Join(dir, "file"), time.Now().Add(-time.Hour)
	write(t, path, "abc", old)
	wantSum(t, path, false, sumABC)
	if files := memories(t, dir); len(files) != 1 {
		t.Fatalf("memory %v, want one file", files)
	}

	// A change that leaves size and time stamp alone goes unnoticed, which shows that the file was not read.
	write(t, path, "abd", old)
	wantSum(t, path, false, sumABC)
	wantSum(t, path, true, sumABD) // verify reads the file, and corrects the memory
	wantSum(t, path, false, sumABD)

	write(t, path, "abc", old.Add(time.Nanosecond))
	wantSum(t, path, false, sumABC)
	write(t, path, "ab", old.Add(time.Nanosecond))
	if sum, err := File(path, false); err != nil || sum == sumABC {
		t.Errorf("after a change of size: %s, %v", sum, err)
	}
	if files := memories(t, dir); len(files) != 1 {
		t.Errorf("memory %v, want one file", files)
	}
}

// TestFileThatJustChanged: a file that is written this moment may change again within one tick of its time stamp.
func TestFileThatJustChanged(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CAPTIONLAB_CACHE", dir)
	path, now := filepath.Join(dir, "file"), time.Now()
	write(t, path, "abc", now)
	wantSum(t, path, false, sumABC)
	write(t, path, "abd", now)
	wantSum(t, path, false, sumABD)
	write(t, path, "abc", now.Add(time.Hour)) // a time stamp of the future is not trusted either
	wantSum(t, path, false, sumABC)
	if files := memories(t, dir); len(files) != 0 {
		t.Errorf("memory %v, want none", files)
	}
}

func TestFileWithoutMemory(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	write(t, path, "abc", time.Now().Add(-time.Hour))
	t.Run("damaged", func(t *testing.T) {
		t.Setenv("CAPTIONLAB_CACHE", dir)
		wantSum(t, path, false, sumABC)
		place := memories(t, dir)[0]
		for _, content := range []string{"", "{", "[]", `{"sha256":"ab"}`, "\x00\x00"} {
			write(t, place, content, time.Now())
			wantSum(t, path, false, sumABC)
		}
		if data, err := os.ReadFile(place); err != nil || len(data) < 64 {
			t.Errorf("the memory was not repaired: %q, %v", data, err)
		}
	})
	t.Run("nowhere to write", func(t *testing.T) {
		t.Setenv("CAPTIONLAB_CACHE", path) // a file, so no folder can be created in it
		wantSum(t, path, false, sumABC)
	})
	t.Run("no cache folder", func(t *testing.T) {
		for _, name := range []string{"CAPTIONLAB_CACHE", "XDG_CACHE_HOME", "HOME"} {
			t.Setenv(name, "")
		}
		wantSum(t, path, false, sumABC)
	})
	if _, err := File(filepath.Join(dir, "none"), false); !os.IsNotExist(err) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := File(dir, false); err == nil {
		t.Error("a folder has a sum")
	}
}

func TestIsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if whole, err := IsWhole(path, sumABC); whole || err != nil {
		t.Errorf("a missing file: %v, %v", whole, err)
	}
	write(t, path, "abc", time.Now())
	if whole, err := IsWhole(path, sumABC); !whole || err != nil {
		t.Errorf("the whole file: %v, %v", whole, err)
	}
	if whole, err := IsWhole(path, sumABD); whole || err != nil {
		t.Errorf("another file: %v, %v", whole, err)
	}
}
