// Package fetch downloads the datasets and weights that captionlab knows from their official addresses. A download that breaks
// off goes on where it stopped, by a range request; a file gets its final name only when its checksum is right; disk space is
// checked before anything starts. Nothing that is fetched is run.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// File is one file of a collection.
type File struct {
	URL  string
	Path string // below the collection's folder, with slashes
	// Size in bytes, as the publisher tells it, for the plan and the disk space. The checksum decides, not the size; but twice as
	// much is never read.
	Size int64
	// SHA256 in hex; or, where the publisher gives no more, its first digits, as torchvision does in its file names.
	SHA256 string
	// MD5 in hex, for publishers who give nothing better.
	MD5 string
	// Hosts that the address may redirect to, beside its own: names, or ".domain" for all below one.
	Hosts []string
	// Unpack, where it is not nil, takes these files out of the archive when it is there.
	Unpack *Unpacking
}

// Collection is what one call of captionlab fetch gets.
type Collection struct {
	Name  string
	About string
	Files []File
}

// Size is the number of bytes of all files, unpacked ones included.
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

// Options change how Get works. The zero value is right for most.
type Options struct {
	// Progress is told how far a file is; may be nil.
	Progress func(Progress)
	// Client makes the requests; nil takes one of its own. Its CheckRedirect is replaced.
	Client *http.Client
	// Attempts is how often in a row a connection may fail without bringing any byte; 0 means 5.
	Attempts int
	// Pause is the time before the second attempt, doubled for each further one; 0 means a second.
	Pause time.Duration
	// Silence is how long a connection may bring nothing before it counts as broken; 0 means a minute.
	Silence time.Duration
	// Free returns the free bytes of the file system of a folder; nil asks the system.
	Free func(dir string) (int64, error)
}

// Progress is how far a download is.
type Progress struct {
	File        File
	Done, Total int64 // bytes; Total is 0 where the server does not tell
	Rate        float64
	Remaining   time.Duration // 0 where Total is
	Step        string        // "fetching", "checking" or "unpacking"
}

// Get downloads the files of a collection into dir and returns what was done with each, in words. Files that are there and
// right are left alone. When ctx is done, or a connection stays broken, what has come stays in FILE.part, and the next call goes
// on. Fails too for too little disk space, an address that leads elsewhere, and a wrong checksum, after which nothing is kept.
func Get(ctx context.Context, c Collection, dir string, o Options) ([]string, error) {
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
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	lock := flock.New(filepath.Join(dir, ".lock"))
	if locked, err := lock.TryLock(); err != nil || !locked {
		return nil, fmt.Errorf("fetch: another process fetches into %s (%v): wait for it", dir, err)
	}
	defer lock.Unlock()
	if err := enoughSpace(c, dir, o); err != nil {
		return nil, err
	}
	var done []string
	for _, f := range c.Files {
		what, err := getFile(ctx, f, filepath.Join(dir, filepath.FromSlash(f.Path)), o)
		if err != nil {
			return done, fmt.Errorf("fetch: %s: %w", f.URL, err)
		}
		if f.Unpack != nil {
			n, err := f.Unpack.from(ctx, filepath.Join(dir, filepath.FromSlash(f.Path)), dir)
			if err != nil {
				return done, fmt.Errorf("fetch: unpacking %s: %w", f.Path, err)
			}
			what += fmt.Sprintf(", %d files unpacked", n)
		}
		done = append(done, f.Path+": "+what)
	}
	return done, nil
}

// enoughSpace compares what is still to come with what is free.
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
		return fmt.Errorf("fetch: %s needs %s more in %s, and %s are free: make room, or name a folder elsewhere", c.Name, Bytes(need), dir, Bytes(free))
	}
	return nil
}

// Bytes writes a number of bytes for people, as in "13.5 GB".
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

// getFile makes sure that one file is at path, and says what it did.
func getFile(ctx context.Context, f File, path string, o Options) (string, error) {
	if _, err := os.Stat(path); err == nil {
		ok, found, err := check(ctx, f, path, o)
		if err != nil {
			return "", err
		}
		if !ok {
			return "", fmt.Errorf("%s is there already, but its checksum is %s, not %s: move it away and fetch again", path, found, f.sum())
		}
		return "there already, checksum right", nil
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
		return "", errors.Join(fmt.Errorf("what came has checksum %s, not %s, and was deleted: try again; if it stays so, the file was changed or the connection is tampered with", found, f.sum()), err)
	}
	if err := finish(part, path); err != nil {
		return "", err
	}
	if resumed {
		return "fetched, going on with what was there; checksum right", nil
	}
	return "fetched, checksum right", nil
}

// finish gives a whole file its name for good.
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

// sum is what the checksum should be, in words.
func (f File) sum() string {
	switch {
	case len(f.SHA256) == 64:
		return "SHA-256 " + f.SHA256
	case f.SHA256 != "":
		return "SHA-256 " + f.SHA256 + "..."
	}
	return "MD5 " + strings.ToLower(f.MD5)
}
