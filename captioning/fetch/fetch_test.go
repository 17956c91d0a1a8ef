package fetch

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// content returns 300,000 pseudo-random bytes.
func content() []byte {
	random := rand.NewChaCha8([32]byte{1})
	data := make([]byte, 300_000)
	random.Read(data)
	return data
}

func sum256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// whole serves data with ranges and an ETag.
func whole(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+sum256(data)[:8]+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// one returns a collection of one file.
func one(url string, data []byte) Collection {
	return Collection{Name: "thing", Files: []File{{
		URL: url + "/thing.bin", Path: "sub/thing.bin", Size: int64(len(data)), SHA256: sum256(data),
	}}}
}

var quick = Options{Pause: time.Millisecond, Silence: 200 * time.Millisecond, Attempts: 3}

// wantWhole fails unless the file has its content and is the only one in its folder.
func wantWhole(t *testing.T, dir string, data []byte) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, "sub", "thing.bin"))
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("file has %d bytes (%v), want %d", len(got), err, len(data))
	}
	if entries, _ := os.ReadDir(filepath.Join(dir, "sub")); len(entries) != 1 {
		t.Errorf("the folder holds more than the file: %v", entries)
	}
}

// wantNothing fails if the file has its final name.
func wantNothing(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "sub", "thing.bin")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file has its final name although the download failed (%v)", err)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v does not contain %q", err, want)
	}
}

func TestFetchAndAgain(t *testing.T) {
	data, dir := content(), t.TempDir()
	requests := atomic.Int64{}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); whole(data)(w, r) })
	for i, want := range []string{"fetched, checksum right", "already complete, checksum right"} {
		done, err := Get(context.Background(), one(url, data), dir, quick)
		if err != nil || len(done) != 1 || !strings.Contains(done[0], want) {
			t.Errorf("call %d: %v, %v; want %q", i+1, done, err, want)
		}
	}
	wantWhole(t, dir, data)
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1: the second call found a complete file", n)
	}
	// An existing file with other content is never overwritten.
	if err := os.WriteFile(filepath.Join(dir, "sub", "thing.bin"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Get(context.Background(), one(url, data), dir, quick)
	wantError(t, err, "move it away")
}

func TestDiskSpaceIsCheckedFirst(t *testing.T) {
	data, dir := content(), t.TempDir()
	o := quick
	o.Free = func(string) (int64, error) { return int64(len(data)) - 1, nil }
	url := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	_, err := Get(context.Background(), one(url, data), dir, o)
	wantError(t, err, "make room")
	if free, err := freeBytes(dir); err != nil || free <= 0 {
		t.Errorf("freeBytes of an existing folder: %d, %v", free, err)
	}
}

func TestChecksums(t *testing.T) {
	data := content()
	sum := md5.Sum(data)
	for name, change := range map[string]func(f *File){
		"MD5":             func(f *File) { f.SHA256, f.MD5 = "", hex.EncodeToString(sum[:]) },
		"start of SHA256": func(f *File) { f.SHA256 = f.SHA256[:8] },
	} {
		good, bad := one(serve(t, whole(data)), data), one(serve(t, whole(data[1:])), data)
		change(&good.Files[0])
		change(&bad.Files[0])
		if _, err := Get(context.Background(), good, t.TempDir(), quick); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, err := Get(context.Background(), bad, t.TempDir(), quick)
		wantError(t, err, "was deleted")
	}
}
