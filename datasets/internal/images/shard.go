package images

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync"
	"time"
)

// Shard is a tar archive that is read in place.
type Shard struct {
	file    *os.File
	stat    File
	members map[string]section
	order   []string
	close   func() error
}

// section is the place of a member in the archive, in bytes.
type section struct {
	offset, size int64
	modified     time.Time
}

// OpenShard lists the members of a tar archive, which it closes when the shard is closed. what describes the archive's
// file. Fails for an archive that is damaged, compressed, or holds a file in pieces, or two of one name.
func OpenShard(f *os.File, what File) (*Shard, error) {
	s := &Shard{file: f, stat: what, members: make(map[string]section), close: sync.OnceValue(f.Close)}
	if err := s.list(f); err != nil {
		return nil, fmt.Errorf("%s: %w", what.Path, err)
	}
	return s, nil
}

// list reads the headers of all members. The tar reader reads whole headers and no further, so that the data of a
// member begins at the file's position after its header.
func (s *Shard) list(in io.ReadSeeker) error {
	var start [2]byte
	if _, err := io.ReadFull(in, start[:]); err == nil && start == [2]byte{0x1f, 0x8b} {
		return errors.New("it is compressed: decompress it with gunzip, since tar archives are read in place")
	}
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not a complete tar archive (%w): copy or download it again", err)
		}
		if h.Typeflag != tar.TypeReg {
			if h.Typeflag == tar.TypeGNUSparse {
				return fmt.Errorf("its member %q is stored in pieces: make the archive again without --sparse", h.Name)
			}
			continue
		}
		for key := range h.PAXRecords {
			if strings.HasPrefix(key, "GNU.sparse.") {
				return fmt.Errorf("its member %q is stored in pieces: make the archive again without --sparse", h.Name)
			}
		}
		offset, err := in.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		if h.Size > size-offset {
			return fmt.Errorf("its member %q claims %d bytes, more than follow: it is truncated; copy or download it "+
				"again", h.Name, h.Size)
		}
		if err := s.add(h, offset); err != nil {
			return err
		}
	}
}

func (s *Shard) add(h *tar.Header, offset int64) error {
	name := path.Clean(strings.TrimPrefix(h.Name, "./"))
	if strings.HasPrefix(path.Base(name), ".") {
		return nil // of a Mac
	}
	if _, double := s.members[name]; double {
		return fmt.Errorf("it holds %q twice: keep one of them", name)
	}
	s.members[name], s.order = section{offset, h.Size, h.ModTime}, append(s.order, name)
	return nil
}

// Names lists the members in their order.
func (s *Shard) Names() []string { return s.order }

// IsImage reports whether a member or file is an image, by its name.
func IsImage(name string) bool { return isImage(path.Base(name)) }

// Open opens a member of at most limit bytes.
func (s *Shard) Open(name string, limit int64) (io.ReadCloser, error) {
	m, ok := s.members[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("%s holds no %q", s.stat.Path, name)
	case m.size > limit:
		return nil, fmt.Errorf("%s: %s has %d bytes, more than the limit of %d", s.stat.Path, name, m.size, limit)
	}
	return io.NopCloser(io.NewSectionReader(s.file, m.offset, m.size)), nil
}

// OpenImage is Open with the limit for images.
func (s *Shard) OpenImage(name string) (io.ReadCloser, error) { return s.Open(name, maxImage) }

// File describes the archive when it was opened.
func (s *Shard) File(name string) (File, error) {
	if _, ok := s.members[name]; !ok {
		return File{}, fmt.Errorf("%s holds no %q", s.stat.Path, name)
	}
	return s.stat, nil
}

// Close closes the archive.
func (s *Shard) Close() error { return s.close() }
