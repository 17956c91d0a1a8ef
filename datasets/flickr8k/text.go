package flickr8k

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"captionlab/datasets"
	"captionlab/datasets/internal/textfile"
)

const tokenFile = "Flickr8k.token.txt"

var splitFiles = map[datasets.Split]string{
	datasets.Train: "Flickr_8k.trainImages.txt",
	datasets.Val:   "Flickr_8k.devImages.txt",
	datasets.Test:  "Flickr_8k.testImages.txt",
}

// LineError reports a defective line in a text file of the release.
type LineError struct {
	File string // path
	Line int    // counted from 1; 0 for the file as a whole
	Text string // what is wrong
}

// Error returns "flickr8k: FILE:LINE: TEXT; what to do".
func (e *LineError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("flickr8k: %s: %s; complete the file", e.File, e.Text)
	}
	return fmt.Sprintf("flickr8k: %s:%d: %s; fix the line", e.File, e.Line, e.Text)
}

// textFolder returns the folder of the release's text files.
func textFolder(dir string) (string, error) {
	for _, candidate := range []string{
		filepath.Join(dir, "Flickr8k_text"),
		filepath.Join(dir, "Flickr8k_text", "Flickr8k_text"), // unpacked into a folder of the same name
		dir,
	} {
		if _, err := os.Stat(filepath.Join(candidate, tokenFile)); err == nil {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("flickr8k: no Flickr8k_text/%s in %s: name the folder that contains %s and Flickr8k_text",
		tokenFile, dir, zipFile)
}

// readCaptions returns each image's captions in the order of their numbers, and the images in the order of the file.
func readCaptions(file string) (captions map[string][]string, order []string, err error) {
	captions = make(map[string][]string)
	err = eachLine(file, func(n int, line string) error {
		fail := func(format string, args ...any) error { return &LineError{file, n, fmt.Sprintf(format, args...)} }
		if len(line) > maxLine {
			return fail("it has %d bytes, at most %d", len(line), maxLine)
		}
		id, caption, ok := strings.Cut(line, "\t")
		if !ok {
			return fail("%.200q has no tab between image and caption", line)
		}
		name, number, ok := strings.Cut(id, "#")
		if !ok || name == "" {
			return fail("caption id %.200q has no \"#n\"", id)
		}
		index, err := strconv.Atoi(number)
		if err != nil || index < 0 {
			return fail("caption id %.200q has no number after \"#\"", id)
		}
		if !utf8.ValidString(line) {
			return fail("caption %.200q is not UTF-8", id)
		}
		caption = strings.TrimSpace(caption)
		if caption == "" {
			return fail("caption %.200q is empty", id)
		}
		if index != len(captions[name]) {
			return fail("caption id %.200q: number %d follows %d captions of this image", id, index,
				len(captions[name]))
		}
		if index == 0 {
			order = append(order, name)
		}
		captions[name] = append(captions[name], caption)
		return nil
	})
	if err == nil && len(order) == 0 {
		err = &LineError{file, 0, "contains no captions"}
	}
	return captions, order, err
}

// readSplits makes the examples from the three split files.
func (ds *Dataset) readSplits(text string, captions map[string][]string) error {
	seen := make(map[string]datasets.Split)
	for _, split := range datasets.Splits {
		file := filepath.Join(text, splitFiles[split])
		err := eachLine(file, func(n int, name string) error {
			fail := func(format string, args ...any) error { return &LineError{file, n, fmt.Sprintf(format, args...)} }
			name = strings.TrimSpace(name)
			if first, double := seen[name]; double {
				return fail("image %.200q is already in the %s split", name, first)
			}
			if len(captions[name]) == 0 {
				return fail("image %.200q has no caption in %s", name, tokenFile)
			}
			if !ds.images.Has(name) {
				return fail("image %.200q is not in %s: add the image, or take it off the list", name,
					ds.images.Place())
			}
			seen[name] = split
			ds.examples[split] = append(ds.examples[split], datasets.Example{ID: name, Captions: captions[name]})
			return nil
		})
		if err != nil {
			return err
		}
		if len(ds.examples[split]) == 0 {
			return &LineError{file, 0, "names no images"}
		}
	}
	return nil
}

// maxLine is the length of the longest line with a caption, in bytes.
const maxLine = 1 << 20

// eachLine calls do with the number and text of every line that is not blank.
func eachLine(file string, do func(n int, line string) error) error {
	text, err := textfile.Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("flickr8k: %w: copy the file from the release", err)
	}
	if err != nil {
		return fmt.Errorf("flickr8k: %w", err)
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := do(n, line); err != nil {
			return err
		}
	}
	return nil
}
