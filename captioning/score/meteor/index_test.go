package meteor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenErrors(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole.index")
	if err := Build(whole, smallSources(t)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	change := func(at int, by byte) []byte {
		changed := bytes.Clone(data)
		changed[at] ^= by
		return changed
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "0 bytes are no index"},
		{"short", data[:headerSize-1], "no index"},
		{"another file", change(0, 1), "no index"},
		{"another version", change(16, 64), "version 65"},
		{"cut off", data[:len(data)-8], "cut off"},
		{"damaged", change(len(data)/2, 1), "damaged"},
		{"damaged header", change(40, 1), "damaged"},
	} {
		path := filepath.Join(t.TempDir(), "bad.index")
		if err := os.WriteFile(path, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		tables, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) ||
			!strings.Contains(err.Error(), "build it again") {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
		if err == nil {
			tables.Close()
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestSections checks that an index with a right checksum whose section lies outside is refused.
func TestSections(t *testing.T) {
	b := &builder{}
	b.layDictionary()
	var out bytes.Buffer
	if err := b.write(&out); err != nil {
		t.Fatal(err)
	}
	data := out.Bytes()
	if _, err := newTables(data); err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint64(data[40:], 1<<40)
	binary.LittleEndian.PutUint32(data[20:], checksum(data))
	if _, err := newTables(data); err == nil || !strings.Contains(err.Error(), "section 0") {
		t.Errorf("error %v", err)
	}
}

func TestBuildErrors(t *testing.T) {
	for _, c := range []struct {
		s    Sources
		want string
	}{
		{Sources{Synsets: strings.NewReader("dog\n0001\ncat\nx1\n")}, "synsets, line 4: \"x1\" is no number"},
		{Sources{Synsets: strings.NewReader("dog\n")}, "synsets, line 1: the text ends within an entry"},
		{Sources{Exceptions: strings.NewReader("man\nmen\nwoman\n")}, "irregular forms, line 3: the text ends"},
		{Sources{Paraphrases: strings.NewReader("0.5\na\nb\n0.5\na\n")}, "paraphrases, line 5: the text ends"},
		{Sources{Paraphrases: strings.NewReader("0.5\na\n \n")}, "has 0 words"},
		{Sources{Paraphrases: strings.NewReader("1\na\nb\n1\nc\nb\n1\na\nd\n")}, "line 9: \"a\" comes back"},
		{Sources{Function: strings.NewReader(strings.Repeat("x", 2<<20))}, "function words, line 0"},
	} {
		path := filepath.Join(t.TempDir(), "new.index")
		if err := Build(path, c.s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: an index was written", c.want)
		}
	}
}

// TestEmptyTables scores without any table.
func TestEmptyTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty.index")
	if err := Build(path, Sources{}); err != nil {
		t.Fatal(err)
	}
	tables, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer tables.Close()
	if s := tables.Score("a dog runs", []string{"a dog is running"}).Score(); s <= 0 || s >= 1 {
		t.Errorf("score %v", s)
	}
}

// TestFetch checks that a whole index stays and that a damaged one is replaced, or stays if the download fails.
func TestFetch(t *testing.T) {
	t.Setenv("CAPTIONLAB_CACHE", t.TempDir())
	if _, err := OpenFetched(); !errors.Is(err, ErrNotFetched) {
		t.Errorf("error %v, want ErrNotFetched", err)
	}
	path, err := Path()
	if err != nil {
		t.Fatal(err)
	}
	if err := Build(path, smallSources(t)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir()) // no python3, so nothing can be downloaded
	if got, made, err := Fetch(t.Context()); err != nil || made || got != path {
		t.Errorf("%v, %v, %v", got, made, err)
	}
	tables, err := OpenFetched()
	if err != nil || tables.Origin() != "testdata" {
		t.Fatalf("%v", err)
	}
	tables.Close()
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFetched(); err == nil || errors.Is(err, ErrNotFetched) {
		t.Errorf("a damaged index: error %v", err)
	}
	if _, _, err := Fetch(t.Context()); err == nil || !strings.Contains(err.Error(), "python3") {
		t.Errorf("error %v, want one about python3", err)
	}
}

// TestWrongWheel checks that a wheel with another checksum is refused.
func TestWrongWheel(t *testing.T) {
	dir := t.TempDir()
	wheel, path := filepath.Join(dir, "other.whl"), filepath.Join(dir, "new.index")
	if err := os.WriteFile(wheel, []byte("not the wheel"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := BuildFromWheel(wheel, path); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("an index was written")
	}
}
