// Package textfile reads small text files that people may have edited: lists of names, numbers and captions.
package textfile

import (
	"fmt"
	"io"
	"strings"

	"captionlab/datasets/regular"
)

// limit is the size of the largest list read, in bytes; tests make it smaller.
var limit int64 = 64 << 20

// Read returns the text of a file in UTF-8, without a byte order mark. It does not check the text further. It fails for
// UTF-16, for a file of more than 64 MiB, and for anything but a regular file.
func Read(path string) (string, error) {
	f, err := regular.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return From(path, f, limit)
}

// From is Read for an open file of at most limit bytes. name is the file's name for errors.
func From(name string, in io.Reader, limit int64) (string, error) {
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	text := string(data)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", name, err)
	case int64(len(data)) > limit:
		return "", fmt.Errorf("%s has more than %d MiB, too much for a list", name, limit>>20)
	case IsUTF16(text):
		return "", fmt.Errorf("%s is encoded in UTF-16: save it as UTF-8", name)
	}
	return strings.TrimPrefix(text, "\ufeff"), nil
}

// IsUTF16 reports whether a text begins with a byte order mark of UTF-16, or with an ASCII character of two bytes.
func IsUTF16(text string) bool {
	if len(text) < 2 {
		return false
	}
	start := text[:2]
	return start == "\xff\xfe" || start == "\xfe\xff" || (start[0] == 0) != (start[1] == 0)
}
