package coco

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"captionlab/datasets/internal/annotations"
	unzip "captionlab/datasets/internal/archive"
	"captionlab/datasets/regular"
)

// part is a part of a release, such as train2014.
type part struct{ name, year string }

// releases lists the parts of each release. Parts of different releases are never mixed.
var releases = [][]part{{{"train", "2014"}, {"val", "2014"}}, {{"train", "2017"}, {"val", "2017"}}}

// release is the content of the annotation files.
type release struct {
	parts    []part
	images   map[int64]string // file names by id
	captions map[int64][]string
}

// readRelease reads the annotations of the first release that is present.
func readRelease(dir string) (*release, error) {
	for _, candidate := range releases {
		r := &release{images: make(map[int64]string), captions: make(map[int64][]string)}
		for _, p := range candidate {
			err := r.read(dir, p)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			r.parts = append(r.parts, p)
		}
		if len(r.parts) > 0 {
			return r, nil
		}
	}
	return nil, fmt.Errorf("coco: found neither annotations/captions_train2014.json nor annotations_trainval2014.zip, "+
		"nor those of 2017, in %s: name the folder of the release, or download it from https://cocodataset.org", dir)
}

// read adds the annotations of one part. The error wraps fs.ErrNotExist if they are missing.
func (r *release) read(dir string, p part) error {
	name := "captions_" + p.name + p.year + ".json"
	for _, at := range []string{
		filepath.Join(dir, "annotations", name),
		filepath.Join(dir, "annotations", "annotations", name), // unpacked into a folder of the same name
		filepath.Join(dir, name),
	} {
		f, err := regular.Open(at)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("coco: %w", err)
		}
		defer f.Close()
		return r.readFrom(at, f)
	}
	archive := filepath.Join(dir, "annotations_trainval"+p.year+".zip")
	if err := regular.Check(archive); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return fmt.Errorf("coco: %w", err)
	}
	z, err := zip.OpenReader(archive)
	if err != nil {
		return &FileError{archive, 0, fmt.Errorf("not a complete zip archive: %w", err), annotations.ObtainAgain}
	}
	defer z.Close()
	for _, member := range z.File {
		if path.Base(member.Name) != name {
			continue
		}
		f, err := unzip.Open(member, maxAnnotations)
		if err != nil {
			return &FileError{archive, 0, err, ""}
		}
		defer f.Close()
		return r.readFrom(archive+":"+member.Name, f)
	}
	return &FileError{archive, 0, fmt.Errorf("it does not contain %s", name), annotations.ObtainAgain}
}

// maxAnnotations is the largest annotation file in an archive, in bytes. Those of 2014 and 2017 have up to 0.5 GB.
const maxAnnotations = 2 << 30

func (r *release) readFrom(name string, f io.Reader) error {
	file := &annotations.File{Name: name, In: f}
	return fileError(file.Captions(annotations.Strictly("images", r.addImage),
		annotations.Strictly("annotations", r.addCaption)))
}

func (r *release) addImage(i image) error {
	if i.ID == nil {
		return errors.New("it has no id")
	}
	id := int64(*i.ID)
	base := path.Base(i.FileName)
	if i.FileName != base || i.FileName == "" || i.FileName == "." || strings.Contains(i.FileName, `\`) {
		return fmt.Errorf("image %d has %.200q as its file name, which is not a file name", id, i.FileName)
	}
	if before, ok := r.images[id]; ok {
		return fmt.Errorf("image %d is listed twice, as %s and %s", id, before, i.FileName)
	}
	r.images[id] = i.FileName
	return nil
}

func (r *release) addCaption(c caption) error {
	switch {
	case c.ImageID == nil:
		return errors.New("it has no image_id")
	case c.Text == nil:
		return fmt.Errorf("it (image %d) has no caption, or null", *c.ImageID)
	}
	if text := strings.TrimSpace(*c.Text); text != "" {
		id := int64(*c.ImageID)
		r.captions[id] = append(r.captions[id], text)
	}
	return nil
}
