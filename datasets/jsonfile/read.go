package jsonfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"captionlab/datasets/regular"
)

// maxRead is the largest file that Read accepts, in bytes after decompression: it is in memory as a whole. Tests make
// it smaller.
var maxRead int64 = 512 << 20

// Read decodes the JSON file at path into to; see Decode. The path "-" is standard input. Data compressed with gzip is
// decompressed, whatever the file's name. Read fails for anything but a regular file, since pipes and devices may block
// or never end, for a file of more than 512 MiB after decompression, and for a value that a [Reader] refuses.
func Read(path string, to any) error {
	name, in := "standard input", os.Stdin
	if path != "-" {
		f, err := regular.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		name, in = path, f
	}
	data, err := readAll(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return Decode(name, data, to)
}

func readAll(in io.Reader) ([]byte, error) {
	buffered := bufio.NewReader(in)
	in = buffered
	if start, _ := buffered.Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("damaged gzip data: %w", err)
		}
		in = unpacked
	}
	data, err := io.ReadAll(io.LimitReader(NewReader(in), maxRead+1))
	if err == nil && int64(len(data)) > maxRead {
		err = fmt.Errorf("it has more than %d MiB", maxRead>>20)
	}
	return data, err
}
