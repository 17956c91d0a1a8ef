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

// Unpacking says what is taken out of a zip archive.
type Unpacking struct {
	Only []string // names of the members, without folders; nil takes all
	To   string   // folder below the collection's, with slashes; members keep their own folders below it, unless Only picks them
	// Size is how many bytes all members together have at most; more is refused while it comes.
	Size int64
}

// from unpacks an archive below dir, each file whole or not at all, and returns how many files there were.
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
			return n, errors.New("stopped; fetch again to go on")
		}
		size, err := unpackOne(member, filepath.Join(dir, filepath.FromSlash(u.To), filepath.FromSlash(name)), left)
		if err != nil {
			return n, fmt.Errorf("%s: %w", member.Name, err)
		}
		left -= size
		n++
	}
	if n < len(u.Only) || n == 0 {
		return n, fmt.Errorf("the archive holds %d of the files that are wanted from it", n)
	}
	return n, nil
}

// place is where a member goes, below the folder of unpacking.
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
		return "", false, fmt.Errorf("%s is a link or no file: refused", member.Name)
	}
	if strings.Contains(member.Name, `\`) || !filepath.IsLocal(filepath.FromSlash(member.Name)) {
		return "", false, fmt.Errorf("%s leaves the target folder: refused", member.Name)
	}
	return member.Name, true, nil
}

func unpackOne(member *zip.File, target string, left int64) (size int64, err error) {
	in, err := member.Open()
	if err != nil {
		return 0, err
	}
	defer in.Close()
	err = atomicfile.Write(target, func(w io.Writer) error {
		// One byte more than allowed tells a member that is too long from one that fits; what the archive says of it is not believed.
		if size, err = io.Copy(w, io.LimitReader(in, left+1)); err == nil && size > left {
			err = fmt.Errorf("more than %s: refused", Bytes(left))
		}
		return err
	})
	return size, err
}
