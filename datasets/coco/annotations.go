package coco

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// FileError tells where in which file of the release something is wrong.
type FileError struct {
	File   string // path; FILE.zip:MEMBER for a file in an archive
	Offset int64  // in bytes; 0 for the file as a whole
	Err    error
}

// Error is "coco: FILE: at byte N: WHAT; what to do".
func (e *FileError) Error() string {
	where := ""
	if e.Offset > 0 {
		where = fmt.Sprintf("at byte %d: ", e.Offset)
	}
	return fmt.Sprintf("coco: %s: %s%v; copy or download the file again", e.File, where, e.Err)
}

// Unwrap is the error that was found there.
func (e *FileError) Unwrap() error { return e.Err }

// image and caption are the parts of an annotation file's entries that are of interest.
type image struct {
	ID       int64  `json:"id"`
	FileName string `json:"file_name"`
}

type caption struct {
	ImageID int64  `json:"image_id"`
	Text    string `json:"caption"`
}

// readAnnotations reads a caption annotation file (https://cocodataset.org/#format-data, "Image Captioning"), of any size, one
// entry at a time. Members that are not known are passed over.
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
			return errors.New(`it has no "images" or no "annotations": it is no caption annotation file`)
		}
		return nil
	})
}

// readObject walks the members of the object that a file holds; end checks what was seen.
func readObject(name string, r io.Reader, member func(d *json.Decoder, key string) error, end func() error) error {
	d := json.NewDecoder(r)
	fail := func(err error) error {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends in the middle")
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
		if err := member(d, token.(string)); err != nil { // the decoder lets nothing but a string be a key
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

// each calls do for the elements of the array that comes next.
func each[T any](d *json.Decoder, do func(T) error) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for d.More() {
		var element T
		if err := d.Decode(&element); err != nil {
			return err
		}
		if err := do(element); err != nil {
			return err
		}
	}
	return expect(d, ']')
}

// skip passes over the value that comes next, keeping no more of it than one element.
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
		return fmt.Errorf("%v stands where %q should", token, want)
	}
	return nil
}
