package wheel

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/internal/checksum"
)

// makeWheel writes a wheel with one file. It returns the wheel's path and the File that describes it.
func makeWheel(t *testing.T) (string, File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "demo-1-py3-none-any.whl")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	archive := zip.NewWriter(out)
	content := []byte("plugin bytes")
	w, err := archive.Create("demo/lib.so")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	out.Close()
	sum, err := checksum.HashFile(path)
	if err != nil {
		t.Fatal(err)
	}
	inner := sha256.Sum256(content)
	return path, File{Package: "demo==1", Wheel: sum, Path: "demo/lib.so",
		SHA256: hex.EncodeToString(inner[:]), MaxSize: 100}
}

func TestExtract(t *testing.T) {
	wheel, good := makeWheel(t)
	for _, c := range []struct {
		name string
		edit func(*File)
		want string // part of the error; empty for no error
	}{
		{"whole", func(*File) {}, ""},
		{"wheel with another checksum", func(f *File) { f.Wheel = strings.Repeat("0", 64) }, "nothing was installed"},
		{"file with another checksum", func(f *File) { f.SHA256 = strings.Repeat("0", 64) }, "SHA-256"},
		{"no such file", func(f *File) { f.Path = "demo/other.so" }, "holds no file"},
		{"too large", func(f *File) { f.MaxSize = 3 }, "more than 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, target := good, filepath.Join(t.TempDir(), "sub", "lib.so")
			c.edit(&f)
			err := Extract(wheel, f, target)
			if c.want == "" {
				if whole, werr := checksum.IsWhole(target, good.SHA256); err != nil || werr != nil || !whole {
					t.Fatalf("%v, %v, whole %v", err, werr, whole)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one that contains %q", err, c.want)
			}
			if _, err := os.Stat(target); !os.IsNotExist(err) {
				t.Fatal("the file was written in spite of the error")
			}
		})
	}
}

// fakePython puts a python3 that runs the given shell script first on the PATH.
func fakePython(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "python3"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestFetch(t *testing.T) {
	wheel, f := makeWheel(t)
	target := filepath.Join(t.TempDir(), "lib.so")
	fakePython(t, `while [ "$1" != --dest ]; do shift; done; cp `+wheel+` "$2"`)
	if err := Fetch(context.Background(), f, target); err != nil {
		t.Fatal(err)
	}
	if whole, err := checksum.IsWhole(target, f.SHA256); !whole || err != nil {
		t.Fatalf("whole %v, %v", whole, err)
	}
}

func TestFetchErrors(t *testing.T) {
	_, f := makeWheel(t)
	target := filepath.Join(t.TempDir(), "lib.so")
	fakePython(t, `echo "ERROR: no route to the registry" >&2; exit 1`)
	err := Fetch(context.Background(), f, target)
	if err == nil || !strings.Contains(err.Error(), "no route to the registry") {
		t.Errorf("pip failed: error %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := Fetch(context.Background(), f, target); err == nil || !strings.Contains(err.Error(), "python3") {
		t.Errorf("python3 is missing: error %v", err)
	}
}
