package encoder

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"runtime/debug"

	"golang.org/x/sync/semaphore"
)

// MaxPixels is the size of the largest image that is decoded, unless ImageOptions say otherwise: a file header can
// claim any size, and memory follows it.
const MaxPixels = 100_000_000

// The other limits of an image of up to MaxPixels.
const (
	maxFileSize = 256 << 20     // bytes
	maxMemory   = 1_000_000_000 // bytes, the file included
	// maxVisits is the number of blocks of 8 x 8 coefficients that all scans of a JPEG pass over together. An image of
	// 100 million pixels has up to 5 million blocks, and a progressive file about 10 scans, most of them of a part of
	// the blocks. A visit takes up to 0.15 microseconds besides the time for the bits in the file.
	maxVisits = 50_000_000
)

// limits are what an image may take.
type limits struct {
	pixels               int
	file, memory, visits int64
}

func (o ImageOptions) limits() limits {
	l := limits{MaxPixels, maxFileSize, maxMemory, maxVisits}
	if o.MaxPixels > 0 {
		l.pixels = min(o.MaxPixels, 1<<40)
	}
	if growth := float64(l.pixels) / MaxPixels; growth > 1 {
		l.file, l.memory, l.visits = int64(growth*maxFileSize), int64(growth*maxMemory), int64(growth*maxVisits)
	}
	return l
}

func (l limits) check(s *estimate) error {
	switch {
	case s.memory > l.memory:
		return fmt.Errorf("decoding the image, of %d x %d pixels, would take %d MB of memory, more than %d: "+
			"make it smaller, save it as a plain JPEG, or raise the limit of pixels",
			s.width, s.height, s.memory/1e6, l.memory/1e6)
	case s.visits > l.visits:
		return fmt.Errorf("the JPEG has too many scans for its %d x %d pixels and would take minutes to decode: "+
			"save it again, as a plain JPEG", s.width, s.height)
	}
	return nil
}

// files and memory bound what the images that are decoded at the same time take together, in bytes. Whoever holds a
// part of memory never waits for files, so nobody waits forever.
var (
	files  = semaphore.NewWeighted(maxFileSize)
	memory = semaphore.NewWeighted(maxMemory)
)

// hold waits until size bytes of the whole are free and takes them, or the whole if size is larger.
func hold(of *semaphore.Weighted, size, whole int64) (release func()) {
	size = min(size, whole)
	if of.Acquire(context.Background(), size) != nil {
		panic("cannot happen: the context has no end") // and size is at most the whole
	}
	return func() { of.Release(size) }
}

// reserve waits until an image may take size bytes of memory. The caller must call free.
func reserve(size int64) (free func()) {
	const large = 100_000_000
	release := hold(memory, size, maxMemory)
	if size < large {
		return release
	}
	return func() {
		debug.FreeOSMemory() // the next image must not add to what the garbage collector has not found yet
		release()
	}
}

// readFile reads a file of at most limit bytes. Small files are read at once. The sum of the others is bounded until
// they are released.
func readFile(r io.Reader, limit int64) (data []byte, release func(), err error) {
	const small = 1 << 20
	release = func() {}
	defer func() {
		if err != nil {
			release()
		}
	}()
	tooLarge := fmt.Errorf("the file has more than %d MiB", limit>>20)
	known := int64(0)
	if f, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if info, err := f.Stat(); err == nil {
			known = info.Size()
		}
	}
	if known > limit {
		return nil, release, tooLarge
	}
	first := max(known+1, small)
	if first > small {
		release = hold(files, first, maxFileSize)
	}
	var file bytes.Buffer
	file.Grow(int(known) + bytes.MinRead)
	if _, err := file.ReadFrom(io.LimitReader(r, first)); err != nil {
		return nil, release, err
	}
	if int64(file.Len()) == first { // there may be more
		release()
		release = hold(files, limit, maxFileSize)
		if _, err := file.ReadFrom(io.LimitReader(r, limit+1-first)); err != nil {
			return nil, release, err
		}
	}
	if int64(file.Len()) > limit {
		return nil, release, tooLarge
	}
	return file.Bytes(), release, nil
}
