package archive

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
)

const name = "images/one.jpg"

// packed returns an archive of one member and the offset of the member's entry in the directory.
func packed(t *testing.T, method uint16, content []byte) (data []byte, entry int) {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	member, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := member.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), bytes.LastIndex(out.Bytes(), []byte("PK\x01\x02"))
}

func TestOpen(t *testing.T) {
	const crc, compressed, uncompressed = 16, 20, 24 // offsets in an entry of the directory
	put := func(at int, value uint32) func([]byte, int) {
		return func(data []byte, entry int) { binary.LittleEndian.PutUint32(data[entry+at:], value) }
	}
	text := []byte(strings.Repeat("a caption, ", 1000)) // 11,000 bytes
	for _, c := range []struct {
		name    string
		method  uint16
		content []byte
		spoil   func(data []byte, entry int)
		limit   int64
		want    string // part of the error of Open or of reading; empty if there is none
	}{
		{"deflated", zip.Deflate, text, nil, 11_000, ""},
		{"stored", zip.Store, text, nil, 1 << 30, ""},
		{"empty", zip.Deflate, nil, nil, 0, ""},
		{"the best ratio of deflate", zip.Deflate, make([]byte, 16<<20), nil, 16 << 20, ""},
		{"more than the limit", zip.Deflate, text, nil, 10_999, "unpacks to 11000 bytes, more than the limit of 10999"},
		{"a negative limit", zip.Store, text, nil, -1, "more than the limit"},
		{"an impossible claim", zip.Deflate, text, put(uncompressed, 1<<31), 1 << 40, "impossible"},
		{"a stored member that grows", zip.Store, text, put(uncompressed, 12_000), 1 << 30, "impossible"},
		{"more than claimed", zip.Deflate, text, put(uncompressed, 10_000), 1 << 30, "is damaged in the archive"},
		{"less than claimed", zip.Deflate, text, put(uncompressed, 12_000), 1 << 30, "is damaged in the archive"},
		{"another checksum", zip.Deflate, text, put(crc, 7), 1 << 30, "checksum"},
		{"cut short", zip.Deflate, text, put(compressed, 20), 1 << 30, "is damaged in the archive"},
		{"an unknown method", 99, text, nil, 1 << 30, "unsupported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			method := c.method
			if method == 99 {
				method = zip.Deflate
			}
			data, entry := packed(t, method, c.content)
			binary.LittleEndian.PutUint16(data[entry+10:], c.method)
			if c.spoil != nil {
				c.spoil(data, entry)
			}
			content, err := readAll(t, data, c.limit)
			switch {
			case c.want == "" && (err != nil || !bytes.Equal(content, c.content)):
				t.Errorf("%d bytes, error %v", len(content), err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) ||
				!strings.Contains(err.Error(), name)):
				t.Errorf("error %v, want one with %q and %q", err, c.want, name)
			}
			if int64(len(content)) > max(c.limit, 0) {
				t.Errorf("%d bytes were read, limit %d", len(content), c.limit)
			}
		})
	}
}

func readAll(t *testing.T, data []byte, limit int64) ([]byte, error) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(z.File[0], limit)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if errors.Is(err, io.EOF) {
		t.Errorf("the error %v counts as the end of the file", err)
	}
	return content, err
}
