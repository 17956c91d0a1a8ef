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
	size := int64(0)
	if info, err := in.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	data, err := readAll(in, size)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return Decode(name, data, to)
}

// readAll reads a file. size is its length if that is known: memory for it is then reserved at once.
func readAll(in io.Reader, size int64) ([]byte, error) {
	buffered := bufio.NewReader(in)
	in = buffered
	if start, _ := buffered.Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("damaged gzip data: %w", err)
		}
		in = unpacked
	}
	var data bytes.Buffer
	data.Grow(int(min(size, maxRead)) + bytes.MinRead)
	_, err := data.ReadFrom(io.LimitReader(NewReader(in), maxRead+1))
	if err == nil && int64(data.Len()) > maxRead {
		err = fmt.Errorf("it has more than %d MiB", maxRead>>20)
	}
	return data.Bytes(), err
}
