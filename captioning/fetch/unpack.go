package fetch

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"captionlab/captioning/internal/atomicfile"
)

// Unpacking says what to extract from a zip archive.
type Unpacking struct {
	// Only lists the members to extract, by name without folders; nil means all.
	Only []string
	// To is a folder below the collection's, with slashes. Members keep their own folders below it, unless Only
	// selects them.
	To string
	// Size is the largest total size of the extracted members in bytes. Extraction fails as soon as it is exceeded.
	Size int64
}

// from extracts an archive below dir, each file completely or not at all, and returns the number of files.
func (u *Unpacking) from(ctx context.Context, archive, dir string) (n int, err error) {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return 0, err
	}
	defer z.Close()
	left := u.Size
	for _, member := range z.File {
		name, wanted, err := u.place(member)
		if err != nil {
			return n, err
		}
		if !wanted {
			continue
		}
		if err := ctx.Err(); err != nil {
			return n, errors.New("stopped: fetch again to resume")
		}
		target := filepath.Join(dir, filepath.FromSlash(u.To), filepath.FromSlash(name))
		size, err := unpackOne(member, target, left)
		if err != nil {
			return n, fmt.Errorf("%s: %w", member.Name, err)
		}
		left -= size
		n++
	}
	if n < len(u.Only) || n == 0 {
		return n, fmt.Errorf("the archive holds only %d of the files to extract: the publisher may have changed it", n)
	}
	return n, nil
}

// place returns where a member goes below the target folder, and whether it is wanted.
func (u *Unpacking) place(member *zip.File) (name string, wanted bool, err error) {
	if member.FileInfo().IsDir() || strings.HasPrefix(member.Name, "__MACOSX/") {
		return "", false, nil
	}
	if u.Only != nil {
		for _, only := range u.Only {
			if path.Base(member.Name) == only {
				return only, true, nil
			}
		}
		return "", false, nil
	}
	if !member.Mode().IsRegular() {
		return "", false, fmt.Errorf("%s is a link or not a file: refused", member.Name)
	}
	if strings.Contains(member.Name, `\`) || !filepath.IsLocal(filepath.FromSlash(member.Name)) {
		return "", false, fmt.Errorf("%s would leave the target folder: refused", member.Name)
	}
	return member.Name, true, nil
}

// unpackOne extracts a member of at most left bytes.
func unpackOne(member *zip.File, target string, left int64) (size int64, err error) {
	in, err := member.Open()
	if err != nil {
		return 0, err
	}
	defer in.Close()
	err = atomicfile.Write(target, func(w io.Writer) error {
		// Reading one byte more than allowed detects a member that is too long. The size in the archive is not trusted.
		if size, err = io.Copy(w, io.LimitReader(in, left+1)); err == nil && size > left {
			err = fmt.Errorf("more than %s: refused", Bytes(left))
		}
		return err
	})
	return size, err
}
