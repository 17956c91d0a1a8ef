// Package flickr8k opens the Flickr8k release (Hodosh, Young and Hockenmaier 2013): 8,091 photographs, five captions each,
// with the standard split of 6,000 training, 1,000 validation ("dev") and 1,000 test pictures.
//
// The release is used as it lies on disk, in the official layout; nothing is copied or unpacked:
//
//	DIR/Flickr8k_Dataset.zip          or the unpacked folder Flicker8k_Dataset/ (so spelled in the release)
//	DIR/Flickr8k_text/                or its files in DIR itself
//	    Flickr8k.token.txt            <picture>#<n><TAB><caption>
//	    Flickr_8k.trainImages.txt     one picture a line; likewise devImages and testImages
package flickr8k

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"captionlab/datasets"
	"captionlab/datasets/internal/pictures"
)

const (
	tokenFile = "Flickr8k.token.txt"
	zipFile   = "Flickr8k_Dataset.zip"
)

var splitFiles = map[datasets.Split]string{
	datasets.Train: "Flickr_8k.trainImages.txt",
	datasets.Val:   "Flickr_8k.devImages.txt",
	datasets.Test:  "Flickr_8k.testImages.txt",
}

// imageFolders are the names that an unpacked picture folder may have.
var imageFolders = []string{"Flicker8k_Dataset", "Flickr8k_Dataset", "Images"}

// LineError tells which line of which file of the release is wrong.
type LineError struct {
	File string // path
	Line int    // from 1; 0 for the file as a whole
	Text string // what is wrong with it
}

// Error is "flickr8k: FILE:LINE: TEXT; what to do".
func (e *LineError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("flickr8k: %s: %s; copy the file from the release again", e.File, e.Text)
	}
	return fmt.Sprintf("flickr8k: %s:%d: %s; mend the line or copy the file from the release again", e.File, e.Line, e.Text)
}

// Dataset is the opened release. Safe for concurrent use.
type Dataset struct {
	examples map[datasets.Split][]datasets.Example
	pictures pictures.Source
	oddities []string
}

// Open reads the captions and splits under dir and checks that every picture of a split is there. Pictures are read later,
// by OpenImage. Fails with a *LineError, or with an error that names what is missing under dir.
func Open(dir string) (*Dataset, error) {
	text, err := textFolder(dir)
	if err != nil {
		return nil, err
	}
	captions, order, err := readCaptions(filepath.Join(text, tokenFile))
	if err != nil {
		return nil, err
	}
	found, err := openPictures(dir)
	if err != nil {
		return nil, err
	}
	ds := &Dataset{examples: make(map[datasets.Split][]datasets.Example), pictures: found}
	if err := ds.readSplits(text, captions); err != nil {
		return nil, errors.Join(err, found.Close())
	}
	ds.noteOddities(captions, order)
	ds.noteSameBytes()
	return ds, nil
}

func textFolder(dir string) (string, error) {
	for _, candidate := range []string{filepath.Join(dir, "Flickr8k_text"), dir} {
		if _, err := os.Stat(filepath.Join(candidate, tokenFile)); err == nil {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("flickr8k: no Flickr8k_text/%s under %s: name the folder that holds %s and Flickr8k_text", tokenFile, dir, zipFile)
}

// readCaptions returns the captions of every picture in the order of their numbers, and the pictures in the order of the file.
func readCaptions(file string) (map[string][]string, []string, error) {
	captions := make(map[string][]string)
	var order []string
	err := eachLine(file, func(n int, line string) error {
		id, caption, ok := strings.Cut(line, "\t")
		if !ok {
			return &LineError{file, n, fmt.Sprintf("%q has no tab between picture and caption", line)}
		}
		name, number, ok := strings.Cut(id, "#")
		if !ok || name == "" {
			return &LineError{file, n, fmt.Sprintf("caption id %q has no \"#n\"", id)}
		}
		index, err := strconv.Atoi(number)
		if err != nil || index < 0 {
			return &LineError{file, n, fmt.Sprintf("caption id %q has no number after \"#\"", id)}
		}
		if !utf8.ValidString(line) {
			return &LineError{file, n, fmt.Sprintf("caption %q is not UTF-8", id)}
		}
		caption = strings.TrimSpace(caption)
		if caption == "" {
			return &LineError{file, n, fmt.Sprintf("caption %q is empty", id)}
		}
		if index != len(captions[name]) {
			return &LineError{file, n, fmt.Sprintf("caption id %q: number %d follows %d captions of this picture", id, index, len(captions[name]))}
		}
		if index == 0 {
			order = append(order, name)
		}
		captions[name] = append(captions[name], caption)
		return nil
	})
	if err == nil && len(order) == 0 {
		err = &LineError{file, 0, "holds no caption"}
	}
	return captions, order, err
}

func (ds *Dataset) readSplits(text string, captions map[string][]string) error {
	seen := make(map[string]datasets.Split)
	for _, split := range datasets.Splits {
		file := filepath.Join(text, splitFiles[split])
		err := eachLine(file, func(n int, name string) error {
			name = strings.TrimSpace(name)
			if first, double := seen[name]; double {
				return &LineError{file, n, fmt.Sprintf("picture %q is in the %s split already", name, first)}
			}
			if len(captions[name]) == 0 {
				return &LineError{file, n, fmt.Sprintf("picture %q has no caption in %s", name, tokenFile)}
			}
			if !ds.pictures.Has(name) {
				return &LineError{file, n, fmt.Sprintf("picture %q is not in %s: the download may be incomplete", name, ds.pictures.Place())}
			}
			seen[name] = split
			ds.examples[split] = append(ds.examples[split], datasets.Example{ID: name, Captions: captions[name]})
			return nil
		})
		if err != nil {
			return err
		}
		if len(ds.examples[split]) == 0 {
			return &LineError{file, 0, "names no picture"}
		}
	}
	return nil
}

// noteOddities counts what the release holds beyond complete examples of the three splits.
func (ds *Dataset) noteOddities(captions map[string][]string, order []string) {
	inSplit := make(map[string]bool)
	for _, split := range datasets.Splits {
		for _, ex := range ds.examples[split] {
			inSplit[ex.ID] = true
		}
	}
	var noImage, noSplit, noCaption, short, notFive []string
	for _, name := range order {
		if n := len(captions[name]); n != 5 {
			notFive = append(notFive, fmt.Sprintf("%s has %d", name, n))
		}
		for i, c := range captions[name] {
			if len(strings.Fields(c)) == 1 {
				short = append(short, fmt.Sprintf("%s#%d", name, i))
			}
		}
		switch {
		case !ds.pictures.Has(name):
			noImage = append(noImage, name)
		case !inSplit[name]:
			noSplit = append(noSplit, name)
		}
	}
	for _, name := range ds.pictures.Names() {
		if len(captions[name]) == 0 {
			noCaption = append(noCaption, name)
		}
	}
	note := func(names []string, what string) {
		if len(names) > 0 {
			slices.Sort(names)
			shown := names[:min(len(names), 3)]
			more := ""
			if len(names) > len(shown) {
				more = ", ..."
			}
			ds.oddities = append(ds.oddities, fmt.Sprintf("%d %s: %s%s", len(names), what, strings.Join(shown, ", "), more))
		}
	}
	note(noImage, "captioned pictures are not among the images and are left out")
	note(noSplit, "pictures with captions are in no split and are left out")
	note(noCaption, "images have no caption and are left out")
	note(notFive, "pictures have more or fewer than five captions; all that they have are used")
	note(short, "captions are a single word; they are kept where their picture is in a split")
}

// Name is "flickr8k".
func (ds *Dataset) Name() string { return "flickr8k" }

// Examples returns the examples of a split in the order of the release's split file. IDs are file names.
func (ds *Dataset) Examples(split datasets.Split) []datasets.Example { return ds.examples[split] }

// Oddities lists what the release holds beyond complete examples of the three splits, counted.
func (ds *Dataset) Oddities() []string { return ds.oddities }

// OpenImage opens the JPEG called id.
func (ds *Dataset) OpenImage(id string) (io.ReadCloser, error) {
	if !ds.pictures.Has(id) {
		return nil, fmt.Errorf("flickr8k: no picture %q in %s", id, ds.pictures.Place())
	}
	f, err := ds.pictures.Open(id)
	if err != nil {
		return nil, fmt.Errorf("flickr8k: picture %q: %w", id, err)
	}
	return f, nil
}

// Close closes the picture archive. No picture can be opened after that.
func (ds *Dataset) Close() error { return ds.pictures.Close() }

func eachLine(file string, do func(n int, line string) error) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("flickr8k: %w: copy the file from the release", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimSuffix(lines.Text(), "\r")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := do(n, line); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return &LineError{file, n + 1, err.Error()}
	}
	return nil
}

// openPictures prefers an unpacked folder to the archive.
func openPictures(dir string) (pictures.Source, error) {
	for _, name := range imageFolders {
		folder := filepath.Join(dir, name)
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			found, err := pictures.OpenFolder(folder)
			if err != nil {
				return nil, fmt.Errorf("flickr8k: %w", err)
			}
			return found, nil
		}
	}
	file := filepath.Join(dir, zipFile)
	found, err := pictures.OpenArchive(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("flickr8k: neither %s nor a folder %s beside it: put the release's pictures there", file, imageFolders[0])
	}
	if err != nil {
		return nil, fmt.Errorf("flickr8k: %w", err)
	}
	return found, nil
}
