package fetch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// The suffix of an incomplete download, and the further suffix of the note next to it.
const (
	partSuffix = ".part"
	noteSuffix = ".json"
)

// note identifies the server's file of which a part has been downloaded.
type note struct {
	URL       string `json:"url"`
	Validator string `json:"validator"` // ETag or Last-Modified
}

func readNote(part string, n *note) error {
	text, err := os.ReadFile(part + noteSuffix)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, n)
}

func writeNote(part string, n note) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return os.WriteFile(part+noteSuffix, text, 0o644)
}

// sizeOf returns the size of a file in bytes, 0 if it does not exist.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// contentRange parses "bytes FROM-TO/WHOLE".
func contentRange(text string) (from, whole int64, err error) {
	var to int64
	if _, err := fmt.Sscanf(text, "bytes %d-%d/%d", &from, &to, &whole); err != nil {
		return 0, 0, fmt.Errorf("Content-Range %q", text)
	}
	return from, whole, nil
}

// validator returns the response header that identifies the file's current content. A weak ETag does not guarantee
// equal bytes.
func validator(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return h.Get("Last-Modified")
}
