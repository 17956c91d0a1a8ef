package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"captionlab/captioning/internal/atomicfile"
)

// sidecarEnding is the end of the name of a sidecar, the text file next to an image that holds its caption.
const sidecarEnding = ".txt"

// sidecarOf returns the path of an image's sidecar: photo.txt for photo.jpg.
func sidecarOf(image string) string {
	return strings.TrimSuffix(image, filepath.Ext(image)) + sidecarEnding
}

// sidecars writes captions next to their images.
type sidecars struct{ overwrite bool }

// exists reports whether something is at path, be it a link to nothing.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// plan leaves out images whose sidecar must not be written: that of another image with the same name but for its
// ending, and one that would replace an image. It fails if there are sidecars already, unless they may be replaced.
func (s sidecars) plan(images []string) (kept []string, problems []error, err error) {
	owner, isImage := make(map[string]string), make(map[string]bool)
	for _, image := range images {
		isImage[filepath.Clean(image)] = true
	}
	var existing []string
	for _, image := range images {
		sidecar := filepath.Clean(sidecarOf(image))
		first, taken := owner[sidecar]
		switch {
		case isImage[sidecar]:
			problems = append(problems, fmt.Errorf("%s: its sidecar would be %s, which is itself to be captioned: "+
				"rename one of them", image, sidecar))
		case taken && filepath.Clean(first) != filepath.Clean(image):
			problems = append(problems, fmt.Errorf("%s: its sidecar would be %s, like that of %s: rename one of them",
				image, sidecar, first))
		default:
			owner[sidecar] = image
			kept = append(kept, image)
			if exists(sidecar) {
				existing = append(existing, sidecar)
			}
		}
	}
	if len(existing) > 0 && !s.overwrite {
		return nil, nil, fmt.Errorf("%d of %d images have a sidecar already, such as %s: --skip-done leaves these "+
			"images out, --overwrite replaces the files", len(existing), len(images), existing[0])
	}
	return kept, problems, nil
}

// write writes the sidecar of an image, whole or not at all.
func (s sidecars) write(image, caption string) error {
	path := sidecarOf(image)
	if !s.overwrite && exists(path) {
		return fmt.Errorf("%s appeared while this command ran: --skip-done leaves its image out, --overwrite "+
			"replaces it", path)
	}
	return atomicfile.WriteFile(path, []byte(caption+"\n"))
}

// complete writes the sidecar of an image whose caption was recorded before, if it is missing or, with overwrite,
// outdated: the command may have been stopped in between.
func (s sidecars) complete(image, caption string) error {
	path := sidecarOf(image)
	if exists(path) {
		old, err := os.ReadFile(path)
		if !s.overwrite || err == nil && string(old) == caption+"\n" {
			return nil
		}
	}
	return s.write(image, caption)
}
