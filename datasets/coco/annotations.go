package coco

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"captionlab/datasets/jsonfile"
)

// FileError reports a damaged file of the release and the position of the damage.
type FileError struct {
	File   string // path, or ARCHIVE.zip:MEMBER
	Offset int64  // in bytes; 0 for the file as a whole
	Err    error
}

// Error returns "coco: FILE: at byte N: WHAT; what to do".
func (e *FileError) Error() string {
	where := ""
	if e.Offset > 0 {
		where = fmt.Sprintf("at byte %d: ", e.Offset)
	}
	return fmt.Sprintf("coco: %s: %s%v; copy or download the file again", e.File, where, e.Err)
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// image and caption are the used fields of an annotation file's entries.
type image struct {
	ID       int64  `json:"id"`
	FileName string `json:"file_name"`
}

type caption struct {
	ImageID int64  `json:"image_id"`
	Text    string `json:"caption"`
}

// readAnnotations reads a caption annotation file (https://cocodataset.org/#format-data, "Image Captioning") of any
// size, one entry at a time. It skips unknown members.
func readAnnotations(name string, r io.Reader, onImage func(image) error, onCaption func(caption) error) error {
	seen := make(map[string]bool)
	return readObject(name, r, func(d *json.Decoder, key string) error {
		seen[key] = true
		switch key {
		case "images":
			return each(d, onImage)
		case "annotations":
			return each(d, onCaption)
		}
		return skip(d)
	}, func() error {
		if !seen["images"] || !seen["annotations"] {
			return errors.New(`it has no "images" or no "annotations": it is not a caption annotation file`)
		}
		return nil
	})
}

// readObject calls member for each member of the JSON object in a file. Afterwards, end checks for missing members.
func readObject(name string, r io.Reader, member func(d *json.Decoder, key string) error, end func() error) error {
	d := json.NewDecoder(r)
	fail := func(err error) error {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it is truncated")
		}
		return &FileError{name, d.InputOffset(), err}
	}
	if err := expect(d, '{'); err != nil {
		return fail(err)
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return fail(err)
		}
		if err := member(d, token.(string)); err != nil { // the decoder accepts only strings as keys
			return fail(err)
		}
	}
	if err := expect(d, '}'); err != nil {
		return fail(err)
	}
	if err := end(); err != nil {
		return &FileError{name, 0, err}
	}
	return nil
}

// each calls do for the elements of the array that follows.
func each[T any](d *json.Decoder, do func(T) error) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for d.More() {
		var text json.RawMessage
		if err := d.Decode(&text); err != nil {
			return err
		}
		var element T
		if err := jsonfile.Decode("entry", text, &element); err != nil {
			return err
		}
		if err := do(element); err != nil {
			return err
		}
	}
	return expect(d, ']')
}

// skip skips the value that follows. It holds at most one element of it in memory.
func skip(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if _, nested := token.(json.Delim); !nested {
		return nil
	}
	var element json.RawMessage
	for d.More() {
		if token == json.Delim('{') { // a key comes first
			if _, err := d.Token(); err != nil {
				return err
			}
		}
		if err := d.Decode(&element); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

func expect(d *json.Decoder, want json.Delim) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("found %v instead of %q", token, want)
	}
	return nil
}
