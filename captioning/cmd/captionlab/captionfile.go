package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofrs/flock"

	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
)

// madeWith says how the captions in a file were made. It lies next to the file, as JSON, and keeps captions of
// different models or options from being mixed.
type madeWith struct {
	Version    int                     `json:"version"` // 1
	Format     string                  `json:"format"`  // json or csv
	Model      string                  `json:"model"`   // see captioning.Captioner.Identity
	Run        string                  `json:"run"`     // where the model lay; not compared
	Candidates int                     `json:"candidates"`
	Decoding   decoder.GenerateOptions `json:"decoding"`
}

// madeWithEnding is added to the name of a file of captions.
const madeWithEnding = ".made-with.json"

// captionFile is the file of --out. A command that was stopped at any moment continues it: what is complete stays, what
// is not is cut off, so that no image is missing or written twice.
type captionFile struct {
	path   string
	format captionFormat
	file   *os.File
	lock   *flock.Flock
	done   map[string]string // the best caption of each image that is complete, by recordKey
}

// recordKey is a file's name as far as it identifies an image in a file of captions.
func recordKey(image string) string { return filepath.Clean(image) }

// openCaptionFile opens or creates the file at path. It fails for one that another process writes, that captionlab has
// not written, or that holds captions that were made differently.
func openCaptionFile(path string, format captionFormat, how madeWith) (*captionFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("--out %s is not a regular file: name another one", path)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	f := &captionFile{path: path, format: format, file: file, lock: flock.New(path), done: make(map[string]string)}
	locked, err := f.lock.TryLock()
	if err == nil && !locked {
		err = errors.New("another captionlab is writing it: wait for it, or name another file")
	}
	if err == nil {
		err = f.resume(how)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("--out %s: %w", path, err)
	}
	return f, nil
}

// Close gives the file back.
func (f *captionFile) Close() error { return errors.Join(f.file.Close(), f.lock.Unlock()) }

// resume reads what the file holds and cuts off what is incomplete.
func (f *captionFile) resume(how madeWith) error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	companion := f.path + madeWithEnding
	if info.Size() == 0 {
		if err := experiment.WriteJSON(companion, how); err != nil {
			return err
		}
		return f.append(f.format.header())
	}
	var before madeWith
	if err := experiment.ReadJSON(companion, &before); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the file exists, but %s, which says how its captions were made, does not: name another file",
			companion)
	} else if err != nil {
		return fmt.Errorf("%w: name another file", err)
	}
	if err := how.check(before); err != nil {
		return err
	}
	whole, err := f.read()
	if err != nil {
		return err
	}
	if whole < info.Size() {
		if err := f.file.Truncate(whole); err != nil {
			return err
		}
	}
	if _, err := f.file.Seek(whole, io.SeekStart); err != nil {
		return err
	}
	if whole == 0 {
		return f.append(f.format.header())
	}
	return nil
}

// check fails if captions were made differently before.
func (m madeWith) check(before madeWith) error {
	if m.Model != before.Model {
		return fmt.Errorf("it holds captions of another model, %s, and this call uses %s: choose that model, or name "+
			"another file", before.Run, m.Run)
	}
	m.Run = before.Run
	var differences []string
	now, old := m.values(), before.values()
	for _, key := range []string{"version", "format", "candidates", "max_words", "temperature", "top_k", "top_p",
		"seed", "beam", "length_penalty", "allow_unk"} {
		if now[key] != old[key] {
			differences = append(differences, fmt.Sprintf("%s %v instead of %v", key, old[key], now[key]))
		}
	}
	if len(differences) == 0 {
		return nil
	}
	return fmt.Errorf("it holds captions made with other options (%s): use the same ones, or name another file",
		strings.Join(differences, ", "))
}

// values returns the record as a flat map.
func (m madeWith) values() map[string]any {
	all := make(map[string]any)
	for _, part := range []any{m.Decoding, m} {
		text, err := json.Marshal(part)
		if err == nil {
			err = json.Unmarshal(text, &all)
		}
		if err != nil {
			panic(err) // cannot happen: numbers and strings
		}
	}
	return all
}

// maxCaptionLine bounds the length of a line, in bytes.
const maxCaptionLine = 64 << 20

// read reads the complete lines and returns where the last complete image ends.
func (f *captionFile) read() (whole int64, err error) {
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(f.file)
	lines.Buffer(nil, maxCaptionLine)
	lines.Split(completeLines)
	header := f.format.header()
	at, group, best := int64(0), "", ""
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		at += int64(len(line))
		if n == 1 && header != "" {
			if strings.TrimRight(line, "\r\n") != strings.TrimRight(header, "\r\n") {
				return 0, fmt.Errorf("its first line is %.80q, not %q: another program has changed it; name another "+
					"file", line, header)
			}
			whole = at
			continue
		}
		name, caption, last, err := f.format.parse(line)
		if err != nil {
			return 0, fmt.Errorf("line %d is damaged (%w): remove that line, or name another file", n, err)
		}
		if group != "" && name != group {
			return 0, fmt.Errorf("line %d is of another image than the one before, whose candidates are not complete: "+
				"remove that image's lines, or name another file", n)
		}
		if group == "" {
			group, best = name, caption // the first of an image's lines is the best
		}
		if last {
			f.done[recordKey(name)], group, whole = best, "", at
		}
	}
	return whole, lines.Err()
}

// completeLines splits at line feeds. It leaves out a last line that has none.
func completeLines(data []byte, _ bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	return 0, nil, nil
}

// writable reports a name that would be another one when the file is read back.
func writable(image string) error {
	if !utf8.ValidString(image) {
		return fmt.Errorf("%q: its name is not valid UTF-8, so it cannot be written to the file of --out: rename it",
			image)
	}
	return nil
}

// remaining returns the images that the file does not hold, each once.
func (f *captionFile) remaining(images []string) []string {
	seen := make(map[string]bool)
	return slices.DeleteFunc(slices.Clone(images), func(image string) bool {
		key := recordKey(image)
		_, done := f.done[key]
		again := seen[key]
		seen[key] = true
		return done || again
	})
}

// append writes text to the end of the file and to the disk.
func (f *captionFile) append(text string) error {
	if _, err := f.file.WriteString(text); err != nil {
		return err
	}
	return f.file.Sync()
}
