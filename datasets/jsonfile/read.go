package jsonfile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"captionlab/datasets/internal/regular"
)

// maxSize is the largest file that Read accepts, in bytes, compressed or not.
const maxSize = 2 << 30

// Read decodes the JSON file at path into to; see Decode. The path "-" is standard input. A file that is compressed
// with gzip is decompressed, whatever its name. It fails for anything but a regular file, since pipes and devices may
// block or never end, and for a file of more than 2 GiB.
func Read(path string, to any) error {
	data, err := readAll(path)
	if err != nil {
		return err
	}
	return Decode(path, data, to)
}

func readAll(path string) ([]byte, error) {
	if path == "-" {
		return limited("standard input", os.Stdin)
	}
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := limited(path, f)
	if err != nil || !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: damaged gzip data: %w", path, err)
	}
	return limited(path, unpacked)
}

// limited reads all of r, but no more than maxSize.
func limited(name string, r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(data) > maxSize:
		return nil, fmt.Errorf("%s has more than %d bytes", name, maxSize)
	}
	return data, nil
}
