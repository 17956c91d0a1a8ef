package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"captionlab/captioning"
	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
)

// outState is kept beside the file of --out. It says what wrote the captions, so that others cannot be mixed in.
type outState struct {
	Model      string `json:"model"` // captioning.Captioner.Identity
	Generate   string `json:"generate"`
	Candidates int    `json:"candidates"`
	IDFrom     string `json:"id_from"`
}

const stateSuffix = ".captionlab.json"

// checkOut checks the name of the file of --out.
func checkOut(path string) error {
	if ending := filepath.Ext(path); path != "" && ending != ".csv" && ending != ".jsonl" {
		return usageError{fmt.Errorf("--out %s: its name must end in .csv or .jsonl, which can be continued", path)}
	}
	return nil
}

// isOutput reports whether a file in a folder is written by this call, and so not an image.
func (c *captionCall) isOutput(path string) bool {
	if c.sidecar.on && filepath.Ext(path) == ".txt" {
		return true
	}
	same := func(other string) bool {
		a, err := os.Stat(path)
		b, err2 := os.Stat(other)
		return err == nil && err2 == nil && os.SameFile(a, b)
	}
	return c.out != "" && (same(c.out) || same(c.out+stateSuffix))
}

// outFile is the file of --out. Captions are appended; what an earlier call wrote is kept.
type outFile struct {
	file *os.File
	done map[score.ID]bool
	rows interface{ add([]captioned) error }
	text bytes.Buffer // what is to be appended
}

// openOut opens the file of --out, new or to be continued. A last row that is not whole is cut off.
func (c *captionCall) openOut(captioner *captioning.Captioner) (*outFile, error) {
	identity, err := captioner.Identity()
	if err != nil {
		return nil, err
	}
	options, err := json.Marshal(c.generate)
	if err != nil {
		return nil, err
	}
	now := outState{identity, string(options), c.candidates, c.idFrom}
	o := &outFile{done: make(map[score.ID]bool)}
	old, err := os.ReadFile(c.out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("--out: %w", err)
	default:
		if err := checkState(c.out, now); err != nil {
			return nil, err
		}
	}
	whole, err := o.read(c.out, old, c.candidates <= 1)
	if err != nil {
		return nil, err
	}
	if err := experiment.WriteJSON(c.out+stateSuffix, now); err != nil {
		return nil, err
	}
	if o.file, err = os.OpenFile(c.out, os.O_CREATE|os.O_WRONLY, 0o644); err == nil {
		err = o.file.Truncate(int64(whole))
	}
	if err == nil {
		_, err = o.file.Seek(int64(whole), io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	if filepath.Ext(c.out) == ".csv" {
		o.rows = &csvSink{out: csv.NewWriter(&o.text), head: whole == 0}
	} else {
		o.rows = &lineSink{out: &o.text}
	}
	return o, nil
}

// checkState fails unless the file at path was written with the same model and options.
func checkState(path string, now outState) error {
	var before outState
	err := experiment.ReadJSON(path+stateSuffix, &before)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--out: %s exists, and %s, which says what wrote it, does not: choose another file", path,
			path+stateSuffix)
	}
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if before != now {
		return fmt.Errorf("--out: %s holds captions of another model or other options (%s): choose another file", path,
			path+stateSuffix)
	}
	return nil
}

// read finds the images in the text of the file, and returns the length of what is complete: whole rows, and, unless
// there is a single one for each image, without those of the last image, of which some may be missing.
func (o *outFile) read(path string, text []byte, single bool) (whole int, err error) {
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	if filepath.Ext(path) == ".jsonl" {
		for line := range bytes.Lines(text) {
			var row struct {
				ID json.RawMessage `json:"image_id"`
			}
			if err := json.Unmarshal(line, &row); err != nil || len(row.ID) == 0 {
				return 0, fmt.Errorf("--out: %s: the line after byte %d is not a caption: remove the file, or choose "+
					"another", path, whole)
			}
			o.done[score.ID(unquoted(row.ID))] = true
			whole += len(line)
		}
		return whole, nil
	}
	return o.readCSV(path, text, single)
}

// readCSV is read for CSV.
func (o *outFile) readCSV(path string, text []byte, single bool) (whole int, err error) {
	rows := csv.NewReader(bytes.NewReader(text))
	rows.FieldsPerRecord = len(csvHead)
	last, begins := "", 0 // the image of the last rows, and where they begin
	for n := 0; ; n++ {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("--out: %s: %w: remove the file, or choose another", path, err)
		}
		if n > 0 && row[0] != last {
			if last != "" {
				o.done[score.ID(last)] = true
			}
			last, begins = row[0], whole
		}
		whole = int(rows.InputOffset())
	}
	if last != "" && !single {
		return begins, nil
	}
	if last != "" {
		o.done[score.ID(last)] = true
	}
	return whole, nil
}

// unquoted is the text of a JSON string, or the number itself.
func unquoted(id json.RawMessage) string {
	var text string
	if json.Unmarshal(id, &text) == nil {
		return text
	}
	return string(id)
}

func (o *outFile) has(id score.ID) bool { return o.done[id] }

func (o *outFile) add(images []captioned) error {
	o.text.Reset()
	if err := o.rows.add(images); err != nil {
		return err
	}
	if _, err := o.file.Write(o.text.Bytes()); err != nil {
		return fmt.Errorf("--out: %w: make room, then give the same command again", err)
	}
	return o.file.Sync()
}

func (o *outFile) close() error { return errors.Join(o.file.Sync(), o.file.Close()) }

// lineSink writes a line of JSON for each image.
type lineSink struct{ out io.Writer }

func (s *lineSink) add(images []captioned) error {
	list := json.NewEncoder(s.out)
	list.SetEscapeHTML(false)
	for _, i := range images {
		if err := list.Encode(rowOf(i)); err != nil {
			return err
		}
	}
	return nil
}
