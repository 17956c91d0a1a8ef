// Package coco opens the captioned pictures of COCO (Lin et al. 2014; Chen et al. 2015), releases 2014 and 2017, about 123,000
// photographs with five captions each, in the paper's split or another.
//
// The release is used as it lies on disk, folders or the original archives; nothing is copied or unpacked:
//
//	DIR/annotations/captions_train2014.json    or in DIR/annotations_trainval2014.zip
//	DIR/annotations/captions_val2014.json
//	DIR/train2014/ or DIR/train2014.zip        COCO_train2014_000000000009.jpg, ...
//	DIR/val2014/   or DIR/val2014.zip
//
// and likewise for 2017, which is taken where 2014 is not there: both releases hold the same pictures under the same ids, in
// other parts. Splits are lists of ids and so fit either.
package coco

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"captionlab/datasets"
	"captionlab/datasets/internal/pictures"
)

// Dataset is an opened release in one split. Safe for concurrent use.
type Dataset struct {
	name     string
	examples map[datasets.Split][]datasets.Example
	files    map[string]file // by id
	sources  []pictures.Source
	left     []Left
	oddities []string
}

// file is where a picture lies.
type file struct {
	source pictures.Source
	name   string
}

// Left is a picture of the split, or a caption of the release, that could not be used.
type Left struct {
	ID  string // of the picture
	Why string // one of a few sentences, the same for all of a kind
}

// part is one of the parts of a release, as in train2014.
type part struct{ name, year string }

// parts are those of the two releases; of a release that is there its whole is taken.
var parts = [][]part{{{"train", "2014"}, {"val", "2014"}}, {{"train", "2017"}, {"val", "2017"}}}

// Open reads the split and the annotations below dir and finds the pictures, which OpenImage reads. split is PA4 (the paper's,
// three lists of ids in DIR/pa4; also for ""), Karpathy (DIR/dataset_coco.json), a folder with three such lists, or a file like
// Karpathy's. What is missing or odd is left out, counted in Oddities and listed by LeftOut. Fails when no picture of a split is
// left, and for files that are damaged, with a *FileError.
func Open(dir, split string) (*Dataset, error) {
	w, err := readSplit(dir, split)
	if err != nil {
		return nil, err
	}
	ds := &Dataset{name: "coco", examples: make(map[datasets.Split][]datasets.Example), files: make(map[string]file)}
	if w.name != PA4 {
		ds.name = "coco-" + w.name
	}
	r, err := readRelease(dir)
	if err != nil {
		return nil, err
	}
	if err := ds.openPictures(dir, r); err != nil {
		return nil, errors.Join(err, ds.Close())
	}
	if err := ds.choose(w, r); err != nil {
		return nil, errors.Join(err, ds.Close())
	}
	return ds, nil
}

// release is what the annotation files say.
type release struct {
	parts    []part
	images   map[int64]string // file names by id
	captions map[int64][]string
}

// readRelease reads the annotations of the release that is there.
func readRelease(dir string) (*release, error) {
	for _, candidate := range parts {
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
	return nil, fmt.Errorf("coco: neither annotations/captions_train2014.json nor annotations_trainval2014.zip (nor those of 2017) under %s: name the folder that holds the release, or fetch it: captionlab fetch coco --dry-run", dir)
}

// read adds the annotations of one part. The error wraps fs.ErrNotExist where they are not there.
func (r *release) read(dir string, p part) error {
	name := "captions_" + p.name + p.year + ".json"
	for _, at := range []string{filepath.Join(dir, "annotations", name), filepath.Join(dir, name)} {
		f, err := os.Open(at)
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
	z, err := zip.OpenReader(archive)
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil {
		return &FileError{archive, 0, fmt.Errorf("it is no whole zip archive: %w", err)}
	}
	defer z.Close()
	for _, member := range z.File {
		if path.Base(member.Name) != name {
			continue
		}
		f, err := member.Open()
		if err != nil {
			return &FileError{archive + ":" + member.Name, 0, err}
		}
		defer f.Close()
		return r.readFrom(archive+":"+member.Name, f)
	}
	return &FileError{archive, 0, fmt.Errorf("it holds no %s", name)}
}

func (r *release) readFrom(name string, f io.Reader) error {
	return readAnnotations(name, f, func(i image) error {
		if i.FileName != path.Base(i.FileName) || i.FileName == "" || i.FileName == "." || strings.Contains(i.FileName, `\`) {
			return fmt.Errorf("image %d has the file name %q, which is none", i.ID, i.FileName)
		}
		if before, ok := r.images[i.ID]; ok {
			return fmt.Errorf("image %d stands there twice, as %s and %s", i.ID, before, i.FileName)
		}
		r.images[i.ID] = i.FileName
		return nil
	}, func(c caption) error {
		if text := strings.TrimSpace(c.Text); text != "" {
			r.captions[c.ImageID] = append(r.captions[c.ImageID], text)
		}
		return nil
	})
}

// openPictures opens the folders and archives of the release's parts that are there.
func (ds *Dataset) openPictures(dir string, r *release) error {
	for _, p := range r.parts {
		name := p.name + p.year
		for _, at := range []string{filepath.Join(dir, name), filepath.Join(dir, "images", name)} {
			if info, err := os.Stat(at); err == nil && info.IsDir() {
				s, err := pictures.OpenFolder(at)
				if err != nil {
					return fmt.Errorf("coco: %w", err)
				}
				ds.sources = append(ds.sources, s)
			}
		}
		a, err := pictures.OpenArchive(filepath.Join(dir, name+".zip"))
		if err == nil {
			ds.sources = append(ds.sources, a)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("coco: %w", err)
		}
	}
	if len(ds.sources) == 0 {
		p := r.parts[0]
		return fmt.Errorf("coco: no pictures under %s: neither a folder %s%s nor %s%s.zip; put the release's pictures there", dir, p.name, p.year, p.name, p.year)
	}
	return nil
}

// Reasons why something of the release is left out.
const (
	notInRelease     = "ids of the split are not in the release and are left out"
	withoutCaption   = "pictures of the split have no caption and are left out"
	withoutPicture   = "pictures of the split have captions but no picture file and are left out"
	captionOfNothing = "captioned image ids are not among the release's images and are left out"
	twiceInSplit     = "ids stand twice in the split's lists; the first place is taken"
)

// choose makes the examples of the splits.
func (ds *Dataset) choose(w *wanted, r *release) error {
	for _, id := range w.doubled {
		ds.leave(id, twiceInSplit)
	}
	for _, split := range datasets.Splits {
		for _, id := range w.ids[split] {
			name, known := r.images[id]
			captions := r.captions[id]
			if w.captions != nil {
				captions = w.captions[id]
			}
			source := slices.IndexFunc(ds.sources, func(s pictures.Source) bool { return s.Has(name) })
			switch {
			case !known:
				ds.leave(id, notInRelease)
			case len(captions) == 0:
				ds.leave(id, withoutCaption)
			case source < 0:
				ds.leave(id, withoutPicture)
			default:
				key := strconv.FormatInt(id, 10)
				ds.files[key] = file{ds.sources[source], name}
				ds.examples[split] = append(ds.examples[split], datasets.Example{ID: key, Captions: captions})
			}
		}
	}
	for id := range r.captions {
		if _, ok := r.images[id]; !ok {
			ds.leave(id, captionOfNothing)
		}
	}
	ds.note()
	for _, split := range datasets.Splits {
		if len(ds.examples[split]) == 0 {
			var places []string
			for _, s := range ds.sources {
				places = append(places, s.Place())
			}
			return fmt.Errorf("coco: no picture of the %s split is there (%s); pictures were looked for in %s", split, strings.Join(ds.oddities, "; "), strings.Join(places, ", "))
		}
	}
	return nil
}

func (ds *Dataset) leave(id int64, why string) {
	ds.left = append(ds.left, Left{strconv.FormatInt(id, 10), why})
}

// shown is how many ids an oddity names; LeftOut has all.
const shown = 20

// note sorts what was left out and counts it, kind by kind.
func (ds *Dataset) note() {
	slices.SortFunc(ds.left, func(a, b Left) int {
		return cmp.Or(cmp.Compare(a.Why, b.Why), cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	for rest := ds.left; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(l Left) bool { return l.Why != rest[0].Why })
		if n < 0 {
			n = len(rest)
		}
		var ids []string
		for _, l := range rest[:min(n, shown)] {
			ids = append(ids, l.ID)
		}
		more := ""
		if n > shown {
			more = fmt.Sprintf(" and %d more", n-shown)
		}
		ds.oddities = append(ds.oddities, fmt.Sprintf("%d %s: %s%s", n, rest[0].Why, strings.Join(ids, ", "), more))
		rest = rest[n:]
	}
}

// Name is "coco" in the paper's split, and "coco-karpathy" or "coco-" and the name of the lists' folder in another.
func (ds *Dataset) Name() string { return ds.name }

// Examples returns the examples of a split in the order of its list. IDs are COCO image ids, in decimal.
func (ds *Dataset) Examples(split datasets.Split) []datasets.Example { return ds.examples[split] }

// Oddities counts what of the split and the release could not be used, and names the first of each kind.
func (ds *Dataset) Oddities() []string { return ds.oddities }

// LeftOut lists all that could not be used, by kind and id.
func (ds *Dataset) LeftOut() []Left { return ds.left }

// OpenImage opens the JPEG of the picture called id.
func (ds *Dataset) OpenImage(id string) (io.ReadCloser, error) {
	f, ok := ds.files[id]
	if !ok {
		return nil, fmt.Errorf("coco: no picture %q in this split", id)
	}
	r, err := f.source.Open(f.name)
	if err != nil {
		return nil, fmt.Errorf("coco: picture %s (%s in %s): %w", id, f.name, f.source.Place(), err)
	}
	return r, nil
}

// Close closes the archives. No picture can be opened after that.
func (ds *Dataset) Close() error {
	var errs []error
	for _, s := range ds.sources {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
