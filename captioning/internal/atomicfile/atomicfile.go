// Package atomicfile writes files completely or not at all. It writes to a temporary file in the same folder, syncs
// it to disk and renames it to the final name. A reader never sees an incomplete file, even after a run was killed.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// tempMark is part of every temporary file's name, so that Clean can tell leftovers from a user's files.
const tempMark = ".partial-"

// WriteFile writes data to path completely or not at all. See Write.
func WriteFile(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Write calls write with a buffered writer and moves the result to path once it is on disk. It creates path's folder
// if needed and replaces an existing file in one step. If anything fails, an existing file stays unchanged; the error
// names path and says so if the disk is full.
func Write(path string, write func(w io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot create the folder of %s: %w", path, err)
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+tempMark+"*")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, explain(err))
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("cannot write %s: %w", path, explain(err))
		}
	}()
	buffered := bufio.NewWriterSize(f, 1<<20)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// Clean removes the temporary files that a killed Write left in dir. Call it only while no other process writes there.
func Clean(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), tempMark) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// explain adds what to do about a full disk.
func explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk is full; free some space or choose another folder (%w)", err)
	}
	return err
}

// WriteNew writes data to path, whole, unless there is a file already. Of several processes, also on machines that
// share a network file system, one creates the file, and learns so.
func WriteNew(path string, data []byte) (created bool, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+tempMark+"*")
	if err != nil {
		return false, fmt.Errorf("cannot write %s: %w", path, explain(err))
	}
	f.Close()
	defer os.Remove(f.Name())
	if err := WriteFile(f.Name(), data); err != nil {
		return false, err
	}
	err = os.Link(f.Name(), path) // which fails if path exists
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot write %s: %w", path, explain(err))
	}
	return true, syncDir(filepath.Dir(path))
}
