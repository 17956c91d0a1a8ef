// Package archive opens members of zip archives whose sizes are bounded: a small archive can unpack to gigabytes.
package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// largestRatio is the largest ratio of deflate, 1032:1 (zlib's Technical Details, "Maximum Compression Factor"),
// rounded up. slack is for members of a few bytes.
const largestRatio, slack = 1100, 1024

// MemberError reports a member that is damaged or too large. The other members of the archive may still be read.
type MemberError struct {
	Archive, Member string // Archive may be empty
	Err             error
}

// Error returns "ARCHIVE: MEMBER WHAT; what to do".
func (e *MemberError) Error() string {
	if e.Archive == "" {
		return fmt.Sprintf("%s %v", e.Member, e.Err)
	}
	return fmt.Sprintf("%s: %s %v", e.Archive, e.Member, e.Err)
}

// Unwrap returns the cause.
func (e *MemberError) Unwrap() error { return e.Err }

// Open is OpenIn for an archive without a name.
func Open(f *zip.File, limit int64) (io.ReadCloser, error) { return OpenIn("", f, limit) }

// OpenIn opens a member, of at most limit bytes, of the archive called name. Fails, before anything is unpacked, if the
// member claims more than limit bytes, or more than its compressed bytes can yield. Reading fails where the member
// yields more or fewer bytes than it claims, or does not match its checksum. Those errors are MemberErrors; others mean
// that the archive could not be read.
func OpenIn(name string, f *zip.File, limit int64) (io.ReadCloser, error) {
	m := &member{archive: name, file: f, left: f.UncompressedSize64}
	claim, packed := f.UncompressedSize64, f.CompressedSize64
	impossible := packed < (1<<63)/largestRatio && claim > largestRatio*packed+slack ||
		f.Method == zip.Store && claim != packed
	switch {
	case impossible:
		return nil, m.failed(fmt.Errorf("claims to unpack from %d to %d bytes, which is impossible: "+
			"the archive is damaged; copy or download it again", packed, claim))
	case claim > uint64(max(limit, 0)):
		return nil, m.failed(fmt.Errorf("unpacks to %d bytes, more than the limit of %d: "+
			"check that the archive is the right one", claim, limit))
	}
	unpacked, err := f.Open()
	if err != nil {
		return nil, m.damaged(err)
	}
	m.ReadCloser = unpacked
	return m, nil
}

// member reads a member.
type member struct {
	io.ReadCloser
	archive string
	file    *zip.File
	left    uint64 // bytes
}

// Stat returns what the archive's directory says about the member.
func (m *member) Stat() (fs.FileInfo, error) { return m.file.FileInfo(), nil }

func (m *member) Read(p []byte) (n int, err error) {
	n, err = m.ReadCloser.Read(p)
	if uint64(n) > m.left {
		return 0, m.damaged(errors.New("it unpacks to more bytes than it claims"))
	}
	m.left -= uint64(n)
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, m.damaged(err)
}

func (m *member) failed(err error) error { return &MemberError{m.archive, m.file.Name, err} }

// damaged explains an error of reading. An error of the file system says nothing about the member.
func (m *member) damaged(err error) error {
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return err
	}
	return m.failed(fmt.Errorf("is damaged in the archive (%w): copy or download the archive again", err))
}
