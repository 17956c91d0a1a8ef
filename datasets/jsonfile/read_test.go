package jsonfile

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write([]byte(`{"id":3}`))
	w.Close()
	for name, data := range map[string][]byte{
		"plain.json": []byte(`{"id":3}`), "packed.json.gz": packed.Bytes(), "cut.gz": packed.Bytes()[:packed.Len()-6],
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil { // nobody ever writes into it
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "plain.json"), ""},
		{filepath.Join(dir, "packed.json.gz"), ""},
		{filepath.Join(dir, "cut.gz"), "cut.gz: unexpected EOF"},
		{filepath.Join(dir, "pipe"), "pipe is not a regular file"},
		{"/dev/zero", "/dev/zero is not a regular file"},
		{dir, "is not a regular file"},
		{filepath.Join(dir, "nosuch"), "no such file"},
	} {
		var got record
		err := Read(c.path, &got)
		switch {
		case c.want == "" && (err != nil || got.ID == nil || *got.ID != 3):
			t.Errorf("%s: %+v, error %v", c.path, got, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want %q", c.path, err, c.want)
		}
	}
}
