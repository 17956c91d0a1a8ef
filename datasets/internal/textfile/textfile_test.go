package textfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	defer func(l int64) { limit = l }(limit)
	limit = 1 << 20
	path := filepath.Join(t.TempDir(), "list.txt")
	for _, c := range []struct{ name, data, want, wantErr string }{
		{"plain", "a\r\nb", "a\r\nb", ""},
		{"empty", "", "", ""},
		{"byte order mark", "\xef\xbb\xbfa\n", "a\n", ""},
		{"other bytes", "caf\xe9", "caf\xe9", ""},
		{"UTF-16, little endian", "\xff\xfea\x00", "", "list.txt is encoded in UTF-16: save it as UTF-8"},
		{"UTF-16, big endian", "\xfe\xff\x00a", "", "UTF-16"},
		{"UTF-16 without a mark", "a\x00b\x00", "", "UTF-16"},
		{"too large", strings.Repeat("x", 1<<20+1), "", "list.txt has more than 1 MiB"},
	} {
		if err := os.WriteFile(path, []byte(c.data), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if got != c.want || (err != nil) != (c.wantErr != "") ||
			err != nil && !strings.Contains(err.Error(), c.wantErr) {
			t.Errorf("%s: %q, error %v", c.name, got, err)
		}
	}
	if _, err := Read("/dev/zero"); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a device: %v", err)
	}
}
