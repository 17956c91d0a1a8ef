package fetch

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A connection that breaks every 70,000 bytes never transfers a byte twice.
func TestBrokenConnectionsResume(t *testing.T) {
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
		t.Errorf("%d bytes were sent for a file of %d bytes", n, len(data))
	}
}

// cutting breaks the connection after left bytes.
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

func TestStoppedDownloadResumes(t *testing.T) {
	data, dir := content(), t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") == "" { // the first request hangs after a third of the file
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
	wantError(t, err, "fetch again to resume")
	wantNothing(t, dir)
	done, err := Get(context.Background(), one(url, data), dir, quick)
	if err != nil || !strings.Contains(done[0], "resuming") {
		t.Fatalf("%v, %v", done, err)
	}
	wantWhole(t, dir, data)
}

// A partial download of an older version is not mixed with the new one.
func TestChangedFileRestarts(t *testing.T) {
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

// A process killed after the last byte leaves a complete partial file.
func TestCompletePartIsNotFetchedAgain(t *testing.T) {
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
		t.Errorf("%d bytes were sent although the partial file was complete", sent.Load())
	}
}

func TestMisbehavingServers(t *testing.T) {
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
		{"no length and no end", func(w http.ResponseWriter, r *http.Request) {
			for range 100 {
				if _, err := w.Write(data); err != nil {
					return
				}
			}
		}, "continues"},
		{"more announced than sent", func(w http.ResponseWriter, r *http.Request) {
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
		{"nothing sent", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "sends nothing"},
		{"not found", http.NotFound, "404"},
		{"unavailable", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "attempts in a row"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := Get(context.Background(), one(serve(t, c.serve), data), dir, quick)
			wantError(t, err, c.want)
			wantNothing(t, dir)
		})
	}
}
