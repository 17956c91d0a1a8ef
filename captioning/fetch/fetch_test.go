package fetch

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
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

// content is 300,000 bytes without a pattern.
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

// whole serves data as a proper server does: with ranges and an ETag.
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

// one is a collection of one file.
func one(url string, data []byte) Collection {
	return Collection{Name: "thing", Files: []File{{URL: url + "/thing.bin", Path: "sub/thing.bin", Size: int64(len(data)), SHA256: sum256(data)}}}
}

var quick = Options{Pause: time.Millisecond, Silence: 200 * time.Millisecond, Attempts: 3}

// wantWhole fails unless the file is there with its content, and nothing beside it.
func wantWhole(t *testing.T, dir string, data []byte) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(dir, "sub", "thing.bin"))
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes are there (%v), want %d", len(got), err, len(data))
	}
	if entries, _ := os.ReadDir(filepath.Join(dir, "sub")); len(entries) != 1 {
		t.Errorf("beside the file: %v", entries)
	}
}

// wantNothing fails when the file has its final name.
func wantNothing(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "sub", "thing.bin")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file has its final name (%v)", err)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v does not say %q", err, want)
	}
}

func TestFetchAndAgain(t *testing.T) {
	data, dir := content(), t.TempDir()
	requests := atomic.Int64{}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); whole(data)(w, r) })
	for i, want := range []string{"fetched, checksum right", "there already, checksum right"} {
		done, err := Get(context.Background(), one(url, data), dir, quick)
		if err != nil || len(done) != 1 || !strings.Contains(done[0], want) {
			t.Errorf("call %d: %v, %v; want %q", i+1, done, err, want)
		}
	}
	wantWhole(t, dir, data)
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests for a file that was there after the first", n)
	}
	// A file that is there and wrong is never written over.
	if err := os.WriteFile(filepath.Join(dir, "sub", "thing.bin"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Get(context.Background(), one(url, data), dir, quick)
	wantError(t, err, "move it away")
}

// A connection that breaks off every 70,000 bytes costs no byte twice.
func TestConnectionsThatBreakAreGoneOnWith(t *testing.T) {
	data, dir := content(), t.TempDir()
	sent := atomic.Int64{}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		whole(data)(&cutting{ResponseWriter: w, left: 70_000, sent: &sent}, r)
	})
	if _, err := Get(context.Background(), one(url, data), dir, quick); err != nil {
		t.Fatal(err)
	}
	wantWhole(t, dir, data)
	if n := sent.Load(); n != int64(len(data)) {
		t.Errorf("%d bytes were sent for a file of %d", n, len(data))
	}
}

// cutting breaks the connection after some bytes.
type cutting struct {
	http.ResponseWriter
	left int
	sent *atomic.Int64
}

func (c *cutting) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	c.sent.Add(int64(n))
	if c.left -= n; c.left == 0 {
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

func TestStoppedDownloadGoesOn(t *testing.T) {
	data, dir := content(), t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") == "" { // the first one hangs after a third
			w.Header().Set("ETag", `"a"`)
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			w.Write(data[:100_000])
			w.(http.Flusher).Flush()
			time.AfterFunc(50*time.Millisecond, stop)
			<-r.Context().Done()
			return
		}
		w.Header().Set("ETag", `"a"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	})
	o := quick
	o.Silence = time.Minute
	_, err := Get(ctx, one(url, data), dir, o)
	wantError(t, err, "fetch again to go on")
	wantNothing(t, dir)
	done, err := Get(context.Background(), one(url, data), dir, quick)
	if err != nil || !strings.Contains(done[0], "going on") {
		t.Fatalf("%v, %v", done, err)
	}
	wantWhole(t, dir, data)
}

// What was here of another version of the file is not mixed with the new one.
func TestChangedFileStartsAnew(t *testing.T) {
	data, dir := content(), t.TempDir()
	part := filepath.Join(dir, "sub", "thing.bin"+partSuffix)
	os.MkdirAll(filepath.Dir(part), 0o755)
	os.WriteFile(part, []byte("old beginning"), 0o644)
	url := serve(t, whole(data))
	if err := writeNote(part, note{url + "/thing.bin", `"old"`}); err != nil {
		t.Fatal(err)
	}
	if _, err := Get(context.Background(), one(url, data), dir, quick); err != nil {
		t.Fatal(err)
	}
	wantWhole(t, dir, data)
}

// Killed after the last byte, before the file got its name.
func TestWholePartIsNotFetchedAgain(t *testing.T) {
	data, dir := content(), t.TempDir()
	sent := atomic.Int64{}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		whole(data)(&cutting{ResponseWriter: w, left: 1 << 30, sent: &sent}, r)
	})
	part := filepath.Join(dir, "sub", "thing.bin"+partSuffix)
	os.MkdirAll(filepath.Dir(part), 0o755)
	os.WriteFile(part, data, 0o644)
	if err := writeNote(part, note{url + "/thing.bin", `"` + sum256(data)[:8] + `"`}); err != nil {
		t.Fatal(err)
	}
	if _, err := Get(context.Background(), one(url, data), dir, quick); err != nil {
		t.Fatal(err)
	}
	wantWhole(t, dir, data)
	if sent.Load() > 1000 {
		t.Errorf("%d bytes were sent of a file that was here", sent.Load())
	}
}

func TestServersThatLie(t *testing.T) {
	data := content()
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		want  string
	}{
		{"wrong bytes", whole(append(bytes.Clone(data[:len(data)-1]), 7)), "was deleted"},
		{"a longer file announced", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(1<<40))
			w.Write(data)
		}, "another file"},
		{"no length, and no end", func(w http.ResponseWriter, r *http.Request) {
			for range 100 {
				if _, err := w.Write(data); err != nil {
					return
				}
			}
		}, "goes on"},
		{"more announced than comes", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)+10))
			w.Write(data)
		}, "attempts in a row"},
		{"another range than asked for", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"a"`)
			if r.Header.Get("Range") == "" {
				whole(data)(&cutting{ResponseWriter: w, left: 1000, sent: new(atomic.Int64)}, r)
				return
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(data)-1, len(data)))
			w.WriteHeader(http.StatusPartialContent)
			w.Write(data)
		}, "was tried 3 times"},
		{"nothing comes", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "sends nothing"},
		{"not found", http.NotFound, "404"},
		{"out of order", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, "attempts in a row"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := Get(context.Background(), one(serve(t, c.serve), data), dir, quick)
			wantError(t, err, c.want)
			wantNothing(t, dir)
		})
	}
}

func TestRedirects(t *testing.T) {
	data := content()
	plain := serve(t, whole(data))
	encrypted := httptest.NewTLSServer(whole(data))
	defer encrypted.Close()
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	downgrading := httptest.NewTLSServer(redirect(plain + "/thing.bin"))
	defer downgrading.Close()
	o := quick
	o.Client = encrypted.Client() // trusts both test servers
	for _, c := range []struct {
		name, url string
		hosts     []string
		want      string // "" works
	}{
		{"to a host that is named", serve(t, redirect(encrypted.URL)), []string{strings.TrimPrefix(encrypted.URL, "https://")}, ""},
		{"to below a domain that is named", serve(t, redirect(encrypted.URL)), []string{"." + strings.TrimPrefix(encrypted.URL, "https://127.0.0.")}, ""},
		{"to another host", serve(t, redirect(encrypted.URL)), nil, "another host"},
		{"from encrypted to plain", downgrading.URL, []string{strings.TrimPrefix(plain, "http://")}, "not encrypted"},
		{"to a file on this machine", serve(t, redirect("file:///etc/passwd")), []string{""}, "not encrypted"},
		{"in a circle", serve(t, redirect("/round")), nil, "five redirects"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			what := one(c.url, data)
			what.Files[0].Hosts = c.hosts
			_, err := Get(context.Background(), what, dir, o)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				wantWhole(t, dir, data)
				return
			}
			wantError(t, err, c.want)
			wantNothing(t, dir)
		})
	}
}

func TestDiskSpaceIsCheckedBeforeAnythingStarts(t *testing.T) {
	data, dir := content(), t.TempDir()
	o := quick
	o.Free = func(string) (int64, error) { return int64(len(data)) - 1, nil }
	url := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	_, err := Get(context.Background(), one(url, data), dir, o)
	wantError(t, err, "make room")
	if free, err := freeBytes(dir); err != nil || free <= 0 {
		t.Errorf("free bytes of a real folder: %d, %v", free, err)
	}
}

func TestChecksumsOfEveryKind(t *testing.T) {
	data := content()
	sum := md5.Sum(data)
	for name, change := range map[string]func(f *File){
		"MD5":                 func(f *File) { f.SHA256, f.MD5 = "", hex.EncodeToString(sum[:]) },
		"beginning of SHA256": func(f *File) { f.SHA256 = f.SHA256[:8] },
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

func archive(t *testing.T, members map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range members {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		if strings.HasPrefix(name, "link") {
			h.SetMode(os.ModeSymlink | 0o777)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, text)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUnpacking(t *testing.T) {
	for _, c := range []struct {
		name    string
		members map[string]string
		unpack  Unpacking
		files   []string // that must be there
		want    string
	}{
		{"all", map[string]string{"a/b.txt": "b", "c.txt": "c", "__MACOSX/c.txt": "x"}, Unpacking{To: "text", Size: 100}, []string{"text/a/b.txt", "text/c.txt"}, ""},
		{"some, whatever their folder", map[string]string{"deep/b.txt": "b", "../c.txt": "c"}, Unpacking{Only: []string{"b.txt"}, Size: 100}, []string{"b.txt"}, ""},
		{"out of the folder", map[string]string{"../evil.txt": "x"}, Unpacking{Size: 100}, nil, "leaves the target folder"},
		{"to an absolute place", map[string]string{"/evil.txt": "x"}, Unpacking{Size: 100}, nil, "leaves the target folder"},
		{"with backslashes", map[string]string{`..\evil.txt`: "x"}, Unpacking{Size: 100}, nil, "leaves the target folder"},
		{"a link", map[string]string{"link": "/etc/passwd"}, Unpacking{Size: 100}, nil, "is a link"},
		{"a bomb", map[string]string{"big.txt": strings.Repeat("0", 1<<20)}, Unpacking{Size: 1 << 10}, nil, "more than 1.0 kB"},
		{"something missing", map[string]string{"a.txt": "a"}, Unpacking{Only: []string{"a.txt", "b.txt"}, Size: 100}, nil, "1 of the files"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, dir := archive(t, c.members), t.TempDir()
			what := one(serve(t, whole(data)), data)
			what.Files[0].Unpack = &c.unpack
			_, err := Get(context.Background(), what, dir, quick)
			if c.want != "" {
				wantError(t, err, c.want)
			} else if err != nil {
				t.Fatal(err)
			}
			for _, file := range c.files {
				if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
					t.Error(err)
				}
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "evil.txt")); err == nil {
				t.Error("a file was written outside of the target folder")
			}
			if _, err := os.Stat(filepath.Join(dir, "big.txt")); err == nil {
				t.Error("a file beyond the limit has its name")
			}
		})
	}
}

// What is known is complete: an encrypted address, a checksum, a size, a place below the folder.
func TestKnownCollections(t *testing.T) {
	for _, c := range Known() {
		for _, f := range c.Files {
			if !strings.HasPrefix(f.URL, "https://") || f.Size <= 0 || !filepath.IsLocal(f.Path) || len(f.SHA256) < 8 && len(f.MD5) != 32 {
				t.Errorf("%s: %+v", c.Name, f)
			}
		}
	}
	if _, err := Lookup("nosuch"); err == nil || !strings.Contains(err.Error(), "flickr8k") {
		t.Errorf("error %v does not list what there is", err)
	}
}
