package custom

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"captionlab/datasets/internal/annotations"
	"captionlab/datasets/internal/images"
)

// fuzzed is the content of a folder with two images, and what reads a file of it.
type fuzzed struct {
	dir  string
	tree *images.Tree
}

func newFuzzed(f *testing.F) fuzzed {
	dir := f.TempDir()
	for _, name := range []string{"a.jpg", "train/a.jpg"} {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			f.Fatal(err)
		}
		if err := os.WriteFile(at, nil, 0o644); err != nil {
			f.Fatal(err)
		}
	}
	tree, err := images.OpenTree(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { tree.Close() })
	return fuzzed{dir, tree}
}

// try reads data with read and checks what came out. Errors name the file.
func (z fuzzed) try(t *testing.T, data []byte, read func(c *content, o *origin) error) {
	c := newContent(z.tree)
	o := &origin{annotations.File{Name: "file", In: bytes.NewReader(data)}, row{file: "file"}}
	if err := read(c, o); err != nil && !strings.HasPrefix(err.Error(), "file") {
		t.Errorf("error %v", err)
	}
	c.check(t)
}

// check fails for entries that lead to no image of the folder, are twice there, or have captions that are not text.
func (c *content) check(t *testing.T) {
	c.dropUncaptioned()
	c.nameUniquely()
	ids := make(map[string]bool)
	for _, e := range c.entries {
		if c.tree != nil && e.place.name != "a.jpg" && e.place.name != "train/a.jpg" {
			t.Errorf("image %q is not in the folder", e.place.name)
		}
		if ids[e.id] {
			t.Errorf("id %q is there twice", e.id)
		}
		ids[e.id] = true
		for _, caption := range e.captions {
			if strings.TrimSpace(caption) == "" || !utf8.ValidString(caption) || strings.ContainsAny(caption, "\r\n") {
				t.Errorf("caption %q", caption)
			}
		}
	}
	for _, p := range c.problems {
		if p.Kind == "" || p.String() == "" {
			t.Errorf("problem %+v", p)
		}
	}
}

// FuzzOwnCOCO reads files in COCO's format. (The name must differ from those of other packages' targets.)
func FuzzOwnCOCO(f *testing.F) {
	for _, seed := range []string{
		`{"images":[{"id":1,"file_name":"a.jpg"},{"id":"x","file_name":"train/a.jpg"}],` +
			`"annotations":[{"image_id":1.0,"caption":"A dog."},{"image_id":"x","caption":"A\ncat."}]}`,
		`{"annotations":[{"image_id":7,"caption":""}],"images":[{"id":7,"file_name":"../a.jpg"},{"id":null},5]}`,
		"\xef\xbb\xbf{\"images\":[{\"id\":1e3}]", "\xff\xfe{\x00", `[{}]`, `{"images":[NaN`, ``,
	} {
		f.Add([]byte(seed))
	}
	z := newFuzzed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		annotations.KindOf(bytes.NewReader(data))
		z.try(t, data, (*content).readCOCO)
	})
}

// FuzzOwnKarpathy reads files in Karpathy's format.
func FuzzOwnKarpathy(f *testing.F) {
	for _, seed := range []string{
		`{"images":[{"filename":"a.jpg","split":"restval","sentences":[{"raw":"A dog."},{"tokens":["a","cat"]}]},` +
			`{"filepath":"train","filename":"a.jpg","split":"test","sentences":[{"raw":"A cat."}]}]}`,
		`{"images":[{"split":"val","imgid":7}]}`, `{"dataset":"coco"}`, `{"images":{}}`, `{`,
	} {
		f.Add([]byte(seed))
	}
	z := newFuzzed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		annotations.KindOf(bytes.NewReader(data))
		z.try(t, data, (*content).readKarpathy)
	})
}

// FuzzJSONRows reads JSONL, and lists of rows.
func FuzzJSONRows(f *testing.F) {
	for _, seed := range []string{
		"{\"file_name\":\"a.jpg\",\"text\":\"A dog.\"}\r\n\r\n" +
			"{\"image\":\"train\\\\a.jpg\",\"captions\":[\"a\",\"b\"],\"split\":\"dev\"}",
		`[{"image":"a.jpg","caption":["A dog."]},{"image":"C:\\a.jpg","caption":1}]`, "{}\n[]\n1\n\"",
		"\xff\xfe{\x00", "",
	} {
		f.Add([]byte(seed))
	}
	z := newFuzzed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		z.try(t, data, (*content).readList)
		z.try(t, data, func(c *content, o *origin) error { return c.readLines(o, o.file.In) })
	})
}

// FuzzTable reads CSV, TSV and tables with bars. No row is lost silently: every line with text is a caption, a problem
// or a part of a quoted caption.
func FuzzTable(f *testing.F) {
	for _, seed := range []string{
		"image,caption\na.jpg,A dog.\ntrain/a.jpg,\"A \"\"big\"\"\ncat\"\n",
		"\xef\xbb\xbffile_name\ttext\r\na.jpg\t\"A dog.\"\r\n",
		"image_name| comment_number| comment\na.jpg| 0| A|dog\n",
		"caption;split;file\nx;val;a.jpg\n\"\n\"\"\n", "image,caption\na.jpg,say \"hi\"\n,\n\"a", "\xff\xfei\x00", "",
	} {
		f.Add([]byte(seed))
	}
	z := newFuzzed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		z.try(t, data, func(c *content, o *origin) error {
			err := c.readTable(o, o.file.In)
			text := string(data)
			h, headerErr := parseHeader(text)
			if err == nil && headerErr == nil && (h.separator == '\t' || h.separator == '|') {
				got := len(c.problems)
				for _, e := range c.entries {
					got += len(e.captions)
				}
				if want := rowsOf(text); got < want && len(c.missing) == 0 {
					t.Errorf("%d captions and problems from %d rows", got, want)
				}
			}
			return err
		})
	})
}

// rowsOf counts the lines with text after the first.
func rowsOf(text string) int {
	n := -1
	for line := range strings.Lines(text) {
		if n < 0 || strings.TrimSpace(line) != "" {
			n++
		}
	}
	return n
}

// FuzzPairs reads text files next to images.
func FuzzPairs(f *testing.F) {
	for _, seed := range []string{"A dog.\r\nA cat.", "\xef\xbb\xbfA dog.\n\n", "\xff\xfeA\x00", "\xff", ""} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), nil, 0o644); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, "a.txt"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		tree, err := images.OpenTree(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer tree.Close()
		c := newContent(tree)
		if err := c.readPairs(); err != nil {
			t.Error(err)
		}
		c.check(t)
	})
}

// FuzzShard reads tar archives. The bytes of every image lie in the archive.
func FuzzShard(f *testing.F) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, data := range map[string]string{"./0.jpg": "image", "0.txt": "A dog.\nA cat.", "d/1.png": "image",
		"d/1.json": `{"caption":"x"}`, strings.Repeat("long/", 50) + "2.jpg": "image"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
			f.Fatal(err)
		}
		if _, err := w.Write([]byte(data)); err != nil {
			f.Fatal(err)
		}
	}
	w.Close()
	for _, seed := range [][]byte{out.Bytes(), out.Bytes()[:700], {0x1f, 0x8b}, nil} {
		f.Add(seed)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		at := filepath.Join(dir, "a.tar")
		if err := os.WriteFile(at, data, 0o644); err != nil {
			t.Fatal(err)
		}
		in, err := os.Open(at)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		s, err := images.OpenShard(in, images.File{Path: "file", Size: int64(len(data))})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "file: ") {
				t.Errorf("error %v", err)
			}
			return
		}
		c := newContent(nil)
		c.readShards([]string{"a.tar"}, []*images.Shard{s})
		c.check(t)
		for _, e := range c.entries {
			image, err := s.OpenImage(e.place.name)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if n, err := b.ReadFrom(image); err != nil || !bytes.Contains(data, b.Bytes()) {
				t.Errorf("image %q: %d bytes, %v", e.place.name, n, err)
			}
		}
	})
}
