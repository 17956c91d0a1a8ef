package safetensors

import "fmt"

// ReadMetadata returns the string metadata (never nil) of the file at path. It reads only the header, so it takes the
// same time for files of any size, and does not notice damage to the tensors. It fails for a file whose length is not
// the one that its header implies.
func ReadMetadata(path string) (map[string]string, error) {
	f, size, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h, err := readHeader(f, size)
	if err == nil {
		err = checkEntries(h.entries, h.body)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not a whole safetensors file: %w", path, err)
	}
	return h.metadata, nil
}
