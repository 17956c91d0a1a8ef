package encoder

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path"

	"captionlab/captioning/internal/pickle"
)

// maxDirectory is more than the list of the storages of any network takes, in bytes.
const maxDirectory = 4 << 20

// readTorchZip reads the dictionary of the zip format: data.pkl holds it, and each storage is a file of its own.
func readTorchZip(f io.ReaderAt, size int64) (any, error) {
	if err := checkRecords(f, size); err != nil {
		return nil, err
	}
	limited := &limitedReaderAt{f, maxDirectory}
	archive, err := zip.NewReader(limited, size)
	switch {
	case errors.Is(err, errDirectory):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("it is not a whole zip archive and may be cut short (%w)", err)
	}
	limited.left = math.MaxInt64
	files := make(map[string]*zip.File)
	for _, entry := range archive.File {
		if entry.CompressedSize64 > uint64(size) {
			return nil, fmt.Errorf("member %s claims %d bytes, the archive has %d",
				pickle.Quote(entry.Name), entry.CompressedSize64, size)
		}
		files[path.Base(entry.Name)] = entry
	}
	main := files["data.pkl"]
	if main == nil || files["constants.pkl"] != nil {
		return nil, errors.New("it is not a PyTorch state dict (no data.pkl, or TorchScript)")
	}
	if order := files["byteorder"]; order != nil {
		if text, err := readMember(order, 16); err != nil || string(text) == "big" {
			return nil, fmt.Errorf("its numbers are big-endian (%q, %v)", text, err)
		}
	}
	content, err := readMember(main, maxPickle)
	if err != nil {
		return nil, err
	}
	storages := make(storages)
	object, _, err := torchReader(func(s storage) (*storage, error) {
		if files[s.key] == nil {
			return nil, fmt.Errorf("storage %s is missing in the archive", pickle.Quote(s.key))
		}
		if have := files[s.key].UncompressedSize64; have != uint64(s.bytes()) {
			return nil, fmt.Errorf("storage %s claims %d bytes, the archive holds %d",
				pickle.Quote(s.key), s.bytes(), have)
		}
		s.load = func() ([]byte, error) { return readMember(files[s.key], maxWeights) }
		return storages.add(s)
	}).Read(content)
	return object, err
}

// checkRecords refuses an archive that claims more members than fit in a list of maxDirectory bytes, since package zip
// reserves memory for as many as a file of its size can hold. Only the 64-bit form of the claim can be that large.
func checkRecords(f io.ReaderAt, size int64) error {
	const locator, record = "PK\x06\x07", "PK\x06\x06"
	const minRecord = 46 // bytes of a member in the list
	tail := make([]byte, min(size, 65<<10+64))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
		return err
	}
	for {
		i := bytes.Index(tail, []byte(locator))
		if i < 0 || len(tail)-i < 16 {
			return nil
		}
		var end [56]byte
		at := int64(binary.LittleEndian.Uint64(tail[i+8:]))
		_, err := f.ReadAt(end[:], max(0, at))
		members := binary.LittleEndian.Uint64(end[32:])
		if err == nil && string(end[:4]) == record && members > maxDirectory/minRecord {
			return errDirectory
		}
		tail = tail[i+len(locator):]
	}
}

// readMember returns the content of a file of an archive, at most limit bytes. The archive's checksum is compared.
func readMember(entry *zip.File, limit uint64) ([]byte, error) {
	name := pickle.Quote(entry.Name)
	size := entry.UncompressedSize64
	switch {
	case size > limit:
		return nil, fmt.Errorf("member %s claims %d bytes, at most %d are read", name, size, limit)
	case entry.Method == zip.Store && size != entry.CompressedSize64:
		return nil, fmt.Errorf("member %s is damaged: it claims %d bytes, %d are stored", name, size,
			entry.CompressedSize64)
	case entry.Method != zip.Store && size > maxExpansion+entry.CompressedSize64:
		return nil, fmt.Errorf("member %s claims to grow from %d to %d bytes", name, entry.CompressedSize64, size)
	}
	in, err := entry.Open()
	if err != nil {
		return nil, fmt.Errorf("member %s is damaged: %w", name, err)
	}
	defer in.Close()
	data := make([]byte, size)
	if n, err := io.ReadFull(in, data); err != nil {
		return nil, fmt.Errorf("member %s is damaged: %d of %d bytes, %w", name, n, size, err)
	}
	_, err = io.ReadFull(in, make([]byte, 1)) // the checksum is compared at the end
	switch {
	case err == nil:
		return nil, fmt.Errorf("member %s is damaged: it is longer than its %d bytes", name, size)
	case err != io.EOF:
		return nil, fmt.Errorf("member %s of %d bytes is damaged: %w", name, size, err)
	}
	return data, nil
}

var errDirectory = fmt.Errorf("its list of members is longer than %d MB", maxDirectory>>20)

// limitedReaderAt fails once more than left bytes have been read.
type limitedReaderAt struct {
	r    io.ReaderAt
	left int64
}

func (l *limitedReaderAt) ReadAt(p []byte, at int64) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, errDirectory
	}
	return l.r.ReadAt(p, at)
}
