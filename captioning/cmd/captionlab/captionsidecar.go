package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/score"
)

// sidecars writes each caption to a text file beside its image: photo.txt for photo.jpg.
type sidecars struct {
	fresh
	on, skip, overwrite bool
}

func (s *sidecars) check() error {
	switch {
	case !s.on && (s.skip || s.overwrite):
		return usageError{errors.New("--skip-done and --overwrite are about the files of --sidecar: add it")}
	case s.skip && s.overwrite:
		return usageError{errors.New("--skip-done and --overwrite exclude each other: choose one")}
	}
	return nil
}

// sidecarOf is the path of the text file beside an image.
func sidecarOf(image string) string { return strings.TrimSuffix(image, filepath.Ext(image)) + ".txt" }

// prepare leaves out the images that have a text file, if that is wanted. It fails if two images would share one, or
// if one would be replaced without permission.
func (s *sidecars) prepare(files []string, ids []score.ID) ([]string, []score.ID, error) {
	if !s.on {
		return files, ids, nil
	}
	of := make(map[string]string)
	var left []string
	var leftIDs []score.ID
	var existing []string
	for i, file := range files {
		beside := sidecarOf(file)
		if first, double := of[beside]; double && first != file {
			return nil, nil, fmt.Errorf("%s and %s would share the file %s: rename one of them", first, file, beside)
		}
		of[beside] = file
		if _, err := os.Lstat(beside); err == nil {
			existing = append(existing, beside)
			if s.skip {
				continue
			}
		}
		left = append(left, file)
		if len(ids) > 0 {
			leftIDs = append(leftIDs, ids[i])
		}
	}
	if len(existing) > 0 && !s.skip && !s.overwrite {
		return nil, nil, fmt.Errorf("%d of %d images have a text file already, such as %s: --skip-done leaves out "+
			"these images, --overwrite replaces the files", len(existing), len(files), existing[0])
	}
	return left, leftIDs, nil
}

func (s *sidecars) add(images []captioned) error {
	for _, i := range images {
		if err := atomicfile.WriteFile(sidecarOf(i.file), []byte(i.candidates[0].Text+"\n")); err != nil {
			return err
		}
	}
	return nil
}

func (s *sidecars) close() error { return nil }
