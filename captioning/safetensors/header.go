package safetensors

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"captionlab/datasets/jsonfile"
	"captionlab/datasets/regular"
)

const (
	// maxHeader is the size of the largest header that is read, in bytes. A tensor takes about 100 bytes.
	maxHeader = 32 << 20
	// maxMembers is the most members and numbers that a header may have, 5 to 10 for a tensor.
	maxMembers = 1 << 16
	// maxName is the length of the longest name of a tensor, in bytes.
	maxName = 1000
	// maxDims is the most dimensions of a tensor.
	maxDims = 64
)

// open opens a file and returns its size. Pipes and devices, which may block or never end, are errors.
func open(path string) (*os.File, int64, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

type header struct {
	entries  map[string]entry
	metadata map[string]string // never nil
	body     int64             // bytes after the header
}

// readHeader reads the header of a file of the given size.
func readHeader(r io.Reader, size int64) (header, error) {
	var length [8]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return header{}, fmt.Errorf("%d bytes are too short for a header", size)
	}
	n := binary.LittleEndian.Uint64(length[:])
	switch {
	case n > uint64(size-8):
		return header{}, fmt.Errorf("the header claims %d bytes, the file has %d", n, size-8)
	case n > maxHeader:
		return header{}, fmt.Errorf("the header has %d bytes, at most %d are read", n, maxHeader)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return header{}, err
	}
	entries, metadata, err := decodeHeader(text)
	return header{entries, metadata, size - 8 - int64(n)}, err
}

// decodeHeader decodes the JSON header: the entries of the tensors and the string metadata (never nil).
func decodeHeader(text []byte) (entries map[string]entry, metadata map[string]string, err error) {
	if commas(text) > maxMembers {
		return nil, nil, fmt.Errorf("the header has more than %d members", maxMembers)
	}
	var raw map[string]json.RawMessage
	if err := jsonfile.Decode("header", text, &raw); err != nil {
		return nil, nil, fmt.Errorf("the header is not JSON: %w", shortened{err})
	}
	entries, metadata = make(map[string]entry, len(raw)), map[string]string{}
	for name, message := range raw {
		if len(name) > maxName {
			return nil, nil, fmt.Errorf("a tensor has a name of %d bytes, longer than %d", len(name), maxName)
		}
		if name == "__metadata__" {
			if err := jsonfile.Decode("metadata", message, &metadata); err != nil {
				return nil, nil, fmt.Errorf("the metadata is not a map of strings: %w", shortened{err})
			}
			continue
		}
		var e entry
		if err := jsonfile.Decode("entry", message, &e); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, shortened{err})
		}
		entries[name] = e
	}
	if metadata == nil {
		metadata = map[string]string{}
	}
	return entries, metadata, nil
}

// commas counts the commas outside of strings.
func commas(text []byte) int {
	n, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			inString = !inString
		case inString && text[i] == '\\':
			i++
		case !inString && text[i] == ',':
			n++
		}
	}
	return n
}

// shortened is an error that may quote a long name.
type shortened struct{ error }

func (s shortened) Error() string { return fmt.Sprintf("%.300s", s.error.Error()) }

func (s shortened) Unwrap() error { return s.error }

// checkEntries checks that the tensors cover the body, which has the given number of bytes, each byte once.
func checkEntries(entries map[string]entry, body int64) error {
	type named struct {
		entry
		name string
	}
	sorted := make([]named, 0, len(entries))
	for name, e := range entries {
		sorted = append(sorted, named{e, name})
	}
	slices.SortFunc(sorted, func(a, b named) int {
		return cmp.Or(slices.Compare(a.Offsets[:], b.Offsets[:]), cmp.Compare(a.name, b.name))
	})
	var covered int64
	for _, e := range sorted {
		name := e.name
		if len(e.Shape) > maxDims {
			return fmt.Errorf("tensor %q has %d dimensions, at most %d are read", name, len(e.Shape), maxDims)
		}
		size, err := byteSize(e.DType, e.Shape)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		begin, end := e.Offsets[0], e.Offsets[1]
		switch {
		case begin < 0 || end < begin || end > body:
			return fmt.Errorf("tensor %q has bytes %d to %d of %d: the file is cut short or damaged",
				name, begin, end, body)
		case end-begin != size:
			return fmt.Errorf("tensor %q of %s%v needs %d bytes, its offsets span %d",
				name, e.DType, e.Shape, size, end-begin)
		case size > 0 && begin != covered:
			return fmt.Errorf("tensor %q begins at byte %d, the one before it ends at %d", name, begin, covered)
		}
		covered += size
	}
	if covered != body {
		return fmt.Errorf("the tensors cover %d bytes, the file holds %d", covered, body)
	}
	return nil
}
