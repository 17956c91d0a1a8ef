package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// ReadMetadata returns the string metadata (never nil) of the file at path. It reads only the header, so it takes the
// same time for files of any size, and does not notice damage to the tensors. It fails for a file whose length is not
// the one that its header implies.
func ReadMetadata(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	metadata, err := readMetadata(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s is not a whole safetensors file: %w", path, err)
	}
	return metadata, nil
}

func readMetadata(r io.Reader, size int64) (map[string]string, error) {
	var length [8]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, fmt.Errorf("%d bytes are too few for a header", size)
	}
	headerLen := binary.LittleEndian.Uint64(length[:])
	if headerLen > maxHeader || headerLen > uint64(size-8) {
		return nil, fmt.Errorf("the header claims %d bytes, the file has %d", headerLen, size-8)
	}
	text := make([]byte, headerLen)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, err
	}
	entries, metadata, err := decodeHeader(text)
	if err != nil {
		return nil, err
	}
	var end int64
	for _, e := range entries {
		end = max(end, e.Offsets[1])
	}
	if want := 8 + int64(headerLen) + end; want != size {
		return nil, fmt.Errorf("its header implies %d bytes, it has %d", want, size)
	}
	return metadata, nil
}
