package fetch

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func archive(t *testing.T, members map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range members {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		if strings.HasPrefix(name, "link") {
			h.SetMode(os.ModeSymlink | 0o777)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, text)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUnpacking(t *testing.T) {
	for _, c := range []struct {
		name    string
		members map[string]string
		unpack  Unpacking
		files   []string // expected afterwards
		want    string   // part of the error, "" for success
	}{
		{"all members", map[string]string{"a/b.txt": "b", "c.txt": "c", "__MACOSX/c.txt": "x"},
			Unpacking{To: "text", Size: 100}, []string{"text/a/b.txt", "text/c.txt"}, ""},
		{"selected members of any folder", map[string]string{"deep/b.txt": "b", "../c.txt": "c"},
			Unpacking{Only: []string{"b.txt"}, Size: 100}, []string{"b.txt"}, ""},
		{"a member outside the folder", map[string]string{"../evil.txt": "x"},
			Unpacking{Size: 100}, nil, "would leave the target folder"},
		{"an absolute path", map[string]string{"/evil.txt": "x"},
			Unpacking{Size: 100}, nil, "would leave the target folder"},
		{"backslashes", map[string]string{`..\evil.txt`: "x"},
			Unpacking{Size: 100}, nil, "would leave the target folder"},
		{"a link", map[string]string{"link": "/etc/passwd"}, Unpacking{Size: 100}, nil, "is a link"},
		{"a bomb", map[string]string{"big.txt": strings.Repeat("0", 1<<20)},
			Unpacking{Size: 1 << 10}, nil, "more than 1.0 kB"},
		{"a missing member", map[string]string{"a.txt": "a"},
			Unpacking{Only: []string{"a.txt", "b.txt"}, Size: 100}, nil, "1 of the files"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, dir := archive(t, c.members), t.TempDir()
			what := one(serve(t, whole(data)), data)
			what.Files[0].Unpack = &c.unpack
			_, err := Get(context.Background(), what, dir, quick)
			if c.want != "" {
				wantError(t, err, c.want)
			} else if err != nil {
				t.Fatal(err)
			}
			for _, file := range c.files {
				if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
					t.Error(err)
				}
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "evil.txt")); err == nil {
				t.Error("a file was written outside the target folder")
			}
			if _, err := os.Stat(filepath.Join(dir, "big.txt")); err == nil {
				t.Error("a file larger than the limit has its final name")
			}
		})
	}
}
