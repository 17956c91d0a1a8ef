// Package checksum computes the SHA-256 of files, and remembers those of large files that do not change.
package checksum

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/internal/cache"
)

// HashFile returns the SHA-256, in hex, of the file at path.
func HashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return hash(f)
}

func hash(r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// IsWhole reports whether path is a file with the given SHA-256. A missing file is not an error.
func IsWhole(path, sha string) (bool, error) {
	sum, err := HashFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return sum == sha, err
}

// settled is the age, since its last change, from which a file's sum is remembered. A younger file may change again
// without a change of its time stamp, which is coarse on some file systems.
const settled = 2 * time.Second

// memory is a remembered sum. It is valid for a file of the same path, size and modification time.
type memory struct {
	Path     string `json:"path"` // absolute
	Size     int64  `json:"size"`
	Modified int64  `json:"modified_unix_ns"`
	SHA256   string `json:"sha256"`
}

// File returns the SHA-256, in hex, of the file at path. It hashes the file once and remembers the sum in cache.Sums.
// As long as size and modification time stay the same, later calls return the remembered sum. With verify it always
// hashes the file. A memory that is damaged, or cannot be read or written, only costs time.
func File(path string, verify bool) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	return remembered(f, info, verify, func() (string, error) { return hash(f) })
}

// ReadFile returns the content of the file at path and its SHA-256, in hex, which it computes or remembers as File
// does.
func ReadFile(path string, verify bool) (data []byte, sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	if data, err = readAll(f, info.Size()); err != nil {
		return nil, "", err
	}
	sum, err = remembered(f, info, verify, func() (string, error) { return hash(bytes.NewReader(data)) })
	return data, sum, err
}

// readAll reads to the end of r, which is expected after size bytes.
func readAll(r io.Reader, size int64) ([]byte, error) {
	var buffer bytes.Buffer
	buffer.Grow(int(size) + bytes.MinRead)
	_, err := buffer.ReadFrom(r)
	return buffer.Bytes(), err
}

// remembered returns the sum of f from the memory, or else computes and remembers it. before describes f before it
// was read.
func remembered(f *os.File, before os.FileInfo, verify bool, compute func() (string, error)) (string, error) {
	m, place, err := newMemory(f.Name(), before)
	if err != nil {
		return compute()
	}
	if !verify {
		if sum, ok := recall(place, m); ok {
			return sum, nil
		}
	}
	if m.SHA256, err = compute(); err != nil {
		return "", err
	}
	if after, err := f.Stat(); err == nil && unchanged(before, after) && time.Since(after.ModTime()) >= settled {
		remember(place, m)
	}
	return m.SHA256, nil
}

// newMemory returns what is remembered of the file at path, without its sum, and the file that remembers it. Fails if
// the working folder or the cache folder is unknown.
func newMemory(path string, info os.FileInfo) (m memory, place string, err error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return memory{}, "", err
	}
	dir, err := cache.Sums()
	if err != nil {
		return memory{}, "", err
	}
	key := sha256.Sum256([]byte(absolute))
	m = memory{Path: absolute, Size: info.Size(), Modified: info.ModTime().UnixNano()}
	return m, filepath.Join(dir, hex.EncodeToString(key[:16])+".json"), nil
}

func unchanged(a, b os.FileInfo) bool { return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) }

// recall returns the sum remembered at place for a file like now.
func recall(place string, now memory) (string, bool) {
	data, err := os.ReadFile(place)
	if err != nil {
		return "", false
	}
	var m memory
	if err := json.Unmarshal(data, &m); err != nil {
		return "", false
	}
	if sum, err := hex.DecodeString(m.SHA256); err != nil || len(sum) != sha256.Size {
		return "", false
	}
	now.SHA256 = m.SHA256
	return m.SHA256, m == now
}

// remember writes m to place, or removes place if that fails, so that no outdated sum stays.
func remember(place string, m memory) {
	data, err := json.Marshal(m)
	if err != nil {
		return
	}
	if err := atomicfile.WriteFile(place, append(data, '\n')); err != nil {
		os.Remove(place)
	}
}
