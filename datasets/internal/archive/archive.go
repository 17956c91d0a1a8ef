// Package archive opens members of zip archives whose sizes are bounded: a small archive can unpack to gigabytes.
package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
)

// largestRatio is the largest ratio of deflate, 1032:1 (zlib's Technical Details, "Maximum Compression Factor"),
// rounded up. slack is for members of a few bytes.
const largestRatio, slack = 1100, 1024

// Open opens a member of at most limit bytes. Fails, before anything is unpacked, if the member claims more than limit
// bytes, or more than its compressed bytes can yield. Reading fails where the member yields more or less than it
// claims, or does not match its checksum. All errors name the member, but not the archive.
func Open(f *zip.File, limit int64) (io.ReadCloser, error) {
	claim, packed := f.UncompressedSize64, f.CompressedSize64
	impossible := packed < (1<<63)/largestRatio && claim > largestRatio*packed+slack ||
		f.Method == zip.Store && claim != packed
	switch {
	case impossible:
		return nil, fmt.Errorf("%s claims to unpack from %d to %d bytes, which is impossible: "+
			"the archive is damaged; copy or download it again", f.Name, packed, claim)
	case claim > uint64(max(limit, 0)):
		return nil, fmt.Errorf("%s unpacks to %d bytes, more than the limit of %d: "+
			"check that the archive is the right one", f.Name, claim, limit)
	}
	unpacked, err := f.Open()
	if err != nil {
		return nil, damaged(f.Name, err)
	}
	return &member{unpacked, f.Name, int64(claim)}, nil
}

// member reads a member.
type member struct {
	io.ReadCloser
	name string
	left int64 // bytes
}

func (m *member) Read(p []byte) (n int, err error) {
	n, err = m.ReadCloser.Read(p)
	if m.left -= int64(n); m.left < 0 {
		return 0, damaged(m.name, errors.New("it unpacks to more bytes than it claims"))
	}
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, damaged(m.name, err)
}

func damaged(name string, err error) error {
	return fmt.Errorf("%s is damaged in the archive (%w): copy or download the archive again", name, err)
}
