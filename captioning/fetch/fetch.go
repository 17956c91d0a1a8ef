// Package fetch downloads the datasets and weights that captionlab knows from their official addresses. An
// interrupted download resumes with a range request. A file gets its final name only if its checksum is right. Get
// checks the disk space before it downloads anything. Downloaded files are never executed.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// File is one file of a collection.
type File struct {
	URL  string
	Path string // below the collection's folder, with slashes
	// Size in bytes, as published; used for the plan and the disk space. The checksum decides, not the size, but Get
	// never reads more than twice as much.
	Size int64
	// SHA256 in hex. A shorter value is its first digits, for publishers who give no more, as torchvision does in its
	// file names.
	SHA256 string
	// MD5 in hex, for publishers who give nothing better.
	MD5 string
	// Hosts that the address may redirect to, in addition to its own: names, or ".domain" for every host below a
	// domain.
	Hosts []string
	// Unpack says which files to extract from the archive after the download; nil extracts nothing.
	Unpack *Unpacking
}

// Collection is what one call of Get downloads.
type Collection struct {
	Name  string
	About string
	Files []File
}

// Size returns the number of bytes of all files, unpacked ones included.
func (c Collection) Size() int64 {
	total := int64(0)
	for _, f := range c.Files {
		total += f.Size
		if f.Unpack != nil {
			total += f.Unpack.Size
		}
	}
	return total
}

// Options change how Get works. The zero value suits most callers.
type Options struct {
	// Progress is called as a file advances; may be nil.
	Progress func(Progress)
	// Client makes the requests; nil means a default client. Get replaces its CheckRedirect.
	Client *http.Client
	// Attempts is how many connections in a row may fail without delivering a byte; 0 means 5.
	Attempts int
	// Pause is the time before the second attempt; it doubles before each further one. 0 means one second.
	Pause time.Duration
	// Silence is how long a connection may deliver nothing before it counts as broken; 0 means one minute.
	Silence time.Duration
	// Free returns the free bytes of a folder's file system; nil asks the operating system.
	Free func(dir string) (int64, error)
}

// withDefaults replaces zero values.
func (o Options) withDefaults() Options {
	if o.Attempts == 0 {
		o.Attempts = 5
	}
	if o.Pause == 0 {
		o.Pause = time.Second
	}
	if o.Silence == 0 {
		o.Silence = time.Minute
	}
	if o.Free == nil {
		o.Free = freeBytes
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return o
}

// Progress reports how far a file is.
type Progress struct {
	File        File
	Done, Total int64         // bytes; Total is 0 if the server does not report it
	Rate        float64       // bytes per second
	Remaining   time.Duration // 0 if Total is 0
	Step        string        // "fetching" or "checking"
}

// Get downloads the files of a collection into dir and returns a line for each that says what was done. It skips
// files that are complete and correct. If ctx is cancelled or a connection stays broken, the data received so far
// stays in FILE.part, and the next call resumes there. Get also fails if disk space is short, if an address redirects
// to another host, and if a checksum is wrong, in which case it deletes the download.
func Get(ctx context.Context, c Collection, dir string, o Options) ([]string, error) {
	o = o.withDefaults()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	lock := flock.New(filepath.Join(dir, ".lock"))
	if locked, err := lock.TryLock(); err != nil || !locked {
		return nil, fmt.Errorf("fetch: another process is fetching into %s (%v): wait until it ends", dir, err)
	}
	defer lock.Unlock()
	if err := enoughSpace(c, dir, o); err != nil {
		return nil, err
	}
	var done []string
	for _, f := range c.Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		what, err := getFile(ctx, f, path, o)
		if err != nil {
			return done, fmt.Errorf("fetch: %s: %w", f.URL, err)
		}
		if f.Unpack != nil {
			n, err := f.Unpack.from(ctx, path, dir)
			if err != nil {
				return done, fmt.Errorf("fetch: unpacking %s: %w", f.Path, err)
			}
			what += fmt.Sprintf(", %d files unpacked", n)
		}
		done = append(done, f.Path+": "+what)
	}
	return done, nil
}

// enoughSpace compares the bytes that are still missing with the free space.
func enoughSpace(c Collection, dir string, o Options) error {
	need := int64(0)
	for _, f := range c.Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		if _, err := os.Stat(path); err != nil {
			need += max(0, f.Size-sizeOf(path+partSuffix))
		}
		if f.Unpack != nil {
			need += f.Unpack.Size
		}
	}
	free, err := o.Free(dir)
	if err != nil {
		return fmt.Errorf("fetch: free space of %s: %w", dir, err)
	}
	if need > free {
		return fmt.Errorf("fetch: %s needs %s more in %s, but only %s are free: make room, or choose another folder",
			c.Name, Bytes(need), dir, Bytes(free))
	}
	return nil
}

// Bytes formats a number of bytes for people, as in "13.5 GB".
func Bytes(n int64) string {
	for _, unit := range []struct {
		name string
		size int64
	}{{"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if n >= unit.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.size), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// getFile downloads one file to path unless it is complete, and says what it did.
func getFile(ctx context.Context, f File, path string, o Options) (string, error) {
	if _, err := os.Stat(path); err == nil {
		ok, found, err := check(ctx, f, path, o)
		if err != nil {
			return "", err
		}
		if !ok {
			return "", fmt.Errorf("%s exists, but its checksum is %s, not %s: move it away and fetch again",
				path, found, f.sum())
		}
		return "already complete, checksum right", nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	part := path + partSuffix
	resumed, err := download(ctx, f, part, o)
	if err != nil {
		return "", err
	}
	ok, found, err := check(ctx, f, part, o)
	if err != nil {
		return "", err
	}
	if !ok {
		err := errors.Join(os.Remove(part), ignoreAbsent(os.Remove(part+noteSuffix)))
		return "", errors.Join(fmt.Errorf("the download has checksum %s, not %s, and was deleted: try again; if this "+
			"repeats, the publisher changed the file or someone tampers with the connection", found, f.sum()), err)
	}
	if err := finish(part, path); err != nil {
		return "", err
	}
	if resumed {
		return "fetched, resuming an earlier download; checksum right", nil
	}
	return "fetched, checksum right", nil
}

// finish syncs a complete download to disk and gives it its final name.
func finish(part, path string) error {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	if err := ignoreAbsent(os.Remove(part + noteSuffix)); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
