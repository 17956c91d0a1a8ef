package fetch

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
)

// sum describes the expected checksum.
func (f File) sum() string {
	switch {
	case len(f.SHA256) == 64:
		return "SHA-256 " + f.SHA256
	case f.SHA256 != "":
		return "SHA-256 " + f.SHA256 + "..."
	}
	return "MD5 " + strings.ToLower(f.MD5)
}

// check compares the checksum of the file at path with f's. found describes the actual checksum.
func check(ctx context.Context, f File, path string, o Options) (ok bool, found string, err error) {
	in, err := os.Open(path)
	if err != nil {
		return false, "", err
	}
	defer in.Close()
	var sum hash.Hash = sha256.New()
	if f.SHA256 == "" {
		sum = md5.New()
	}
	progress := newMeter(f, "checking", 0, sizeOf(path))
	done := int64(0)
	buffer := make([]byte, 1<<20)
	for {
		if ctx.Err() != nil {
			return false, "", fmt.Errorf("stopped while checking %s: fetch again to resume", path)
		}
		n, err := in.Read(buffer)
		sum.Write(buffer[:n])
		done += int64(n)
		o.Progress(progress.at(done))
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, "", err
		}
	}
	digits := hex.EncodeToString(sum.Sum(nil))
	if f.SHA256 == "" {
		return digits == strings.ToLower(f.MD5), "MD5 " + digits, nil
	}
	return strings.HasPrefix(digits, strings.ToLower(f.SHA256)), "SHA-256 " + digits, nil
}
