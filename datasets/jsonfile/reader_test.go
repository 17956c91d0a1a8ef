package jsonfile

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReader(t *testing.T) {
	long := strings.Repeat("x", window-5) // the constant lies across the end of the first piece
	for _, c := range []struct{ name, data, want string }{
		{"plain", `{"a":[1,"b"]}`, `{"a":[1,"b"]}`},
		{"byte order mark", "\xef\xbb\xbf[1]", "[1]"},
		{"constants", `[NaN,-Infinity,Infinity,-1]`, `[null,null,null,-1]`},
		{"constants in strings", `["NaN","\"NaN","\\",NaN]`, `["NaN","\"NaN","\\",null]`},
		{"a constant between two pieces", `["` + long + `",-Infinity,1]`, `["` + long + `",null,1]`},
		{"a constant at the end", `NaN`, `null`},
		{"empty", ``, ``},
	} {
		for _, in := range []io.Reader{strings.NewReader(c.data), iotest.OneByteReader(strings.NewReader(c.data))} {
			got, err := io.ReadAll(NewReader(in))
			if err != nil || string(got) != c.want {
				t.Errorf("%s: %.99q, error %v, want %.99q", c.name, got, err, c.want)
			}
		}
	}
	for _, text := range []string{"\xff\xfe{\x00", "\xfe\xff\x00{", "{\x00\"\x00", "\x00["} {
		if _, err := io.ReadAll(NewReader(strings.NewReader(text))); err == nil ||
			!strings.Contains(err.Error(), "UTF-16: save it as UTF-8") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// endless is JSON that begins with start and goes on with more forever.
type endless struct{ start, more string }

func (e *endless) Read(p []byte) (int, error) {
	if e.start == "" {
		e.start = e.more
	}
	n := copy(p, e.start)
	e.start = e.start[n:]
	return n, nil
}

// Every endless file ends with an error, and so does a long value in a file of any shape.
func TestReaderLimits(t *testing.T) {
	defer func(v, f int64) { maxValue, maxFile = v, f }(maxValue, maxFile)
	maxValue, maxFile = 1<<20, 4<<20
	const tooLong, tooLarge = "has more than 1 MiB", "it has more than 4 MiB"
	for _, c := range []struct{ name, start, more, want string }{
		{"zeros", "", "\x00", tooLong},
		{"spaces", "", " ", tooLong},
		{"a string", `"`, "x", tooLong},
		{"a caption", `[{"caption":"`, "x", tooLong},
		{"a caption of an annotation file", `{"annotations":[{"caption":"`, `\"`, tooLong},
		{"a number", `[`, "1", tooLong},
		{"a name", `{"`, "x", tooLong},
		{"a list in an element", `{"images":[[`, "1,", tooLong},
		{"deep lists", ``, "[", tooLong},
		{"many elements", `[`, "1,", tooLarge},
		{"many entries", `{"annotations":[`, `{"image_id":1,"caption":"a"},`, tooLarge},
	} {
		_, err := io.Copy(io.Discard, NewReader(&endless{c.start, c.more}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	data := `[` + strings.Repeat(`{"caption":"`+strings.Repeat("x", 1000)+`"},`, 3000) + `{}]`
	if _, err := io.Copy(io.Discard, NewReader(strings.NewReader(data))); err != nil {
		t.Errorf("a file of %d bytes with short values: %v", len(data), err)
	}
}

func TestReadIsLimited(t *testing.T) {
	defer func(m int64) { maxRead = m }(maxRead)
	maxRead = 1 << 20
	text := `[` + strings.Repeat("1,", 600_000) + `1]`
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write([]byte(text))
	w.Close()
	path := filepath.Join(t.TempDir(), "file.json.gz")
	for _, data := range [][]byte{[]byte(text), packed.Bytes()} {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		var to []int
		if err := Read(path, &to); err == nil || !strings.Contains(err.Error(), "gz: it has more than 1 MiB") {
			t.Errorf("a file of %d bytes: error %v", len(data), err)
		}
	}
}

func TestElements(t *testing.T) {
	var got []string
	list := Elements[string]{Each: func(i int, s string) error {
		if s == "bad" {
			return io.ErrNoProgress
		}
		got = append(got, s)
		return nil
	}}
	for _, c := range []struct {
		data, want string
		elements   []string
	}{
		{`["a","b"]`, "", []string{"a", "b"}},
		{`[]`, "", nil},
		{`null`, "", nil},
		{`["a","bad","c"]`, "f: multiple Read calls", []string{"a"}},
		{`["a",1]`, "f: the value at /1 is a number, want a string", []string{"a"}},
		{`{"a":1}`, "f: the file is an object, want a list", nil},
		{`["a"`, "f:1: unexpected end", []string{"a"}},
		{``, "f:1: unexpected end", nil},
		{`["a",`, "f:1: unexpected end", []string{"a"}},
		{`["a" "b"]`, "f:1: not valid JSON", []string{"a"}},
	} {
		got, list.Count = nil, 0
		err := Decode("f", []byte(c.data), &list)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", c.data, err, c.want)
		}
		if !reflect.DeepEqual(got, c.elements) || list.Count != len(c.elements) {
			t.Errorf("%s: elements %q, want %q", c.data, got, c.elements)
		}
	}
}

// FuzzJSONFile compares both ways to read a file: as a whole, and in pieces.
func FuzzJSONFile(f *testing.F) {
	for _, seed := range []string{`{"id":NaN,"caption":"\"Infinity"}`, "\xef\xbb\xbf[]", "\xff\xfe[\x00", `["\\",NaN]`,
		`{"list":[-Infinity,[{"a":"\u00e9"}]]}`, "\x1f\x8b", `{"id":1}{`} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "file")
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<20 {
			t.Skip()
		}
		pieces, err := io.ReadAll(NewReader(iotest.HalfReader(bytes.NewReader(data))))
		if (err != nil) != isUTF16(data) {
			t.Fatalf("UTF-16: %v, error %v", isUTF16(data), err)
		}
		whole := withoutNaN(bytes.TrimPrefix(data, byteOrderMark))
		if err == nil && !bytes.Equal(pieces, whole) {
			t.Fatalf("in pieces %q, as a whole %q", pieces, whole)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		var fromFile, direct record
		readErr := Read(path, &fromFile)
		if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
			return
		}
		directErr := Decode("file", data, &direct)
		if (readErr == nil) != (directErr == nil) || readErr == nil && !reflect.DeepEqual(fromFile, direct) {
			t.Errorf("Read gives %+v, %v; Decode %+v, %v", fromFile, readErr, direct, directErr)
		}
	})
}
