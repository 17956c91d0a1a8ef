package coco

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"captionlab/datasets/jsonfile"
)

// FileError reports a defective file and the position of the defect.
type FileError struct {
	File   string // path, or ARCHIVE.zip:MEMBER
	Offset int64  // in bytes; 0 for the file as a whole
	Err    error
	advice string // empty if Err has some
}

// Error returns "coco: FILE: at byte N: WHAT; what to do".
func (e *FileError) Error() string {
	where, advice := "", ""
	if e.Offset > 0 {
		where = fmt.Sprintf("at byte %d: ", e.Offset)
	}
	if e.advice != "" {
		advice = "; " + e.advice
	}
	return fmt.Sprintf("coco: %s: %s%v%s", e.File, where, e.Err, advice)
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// What to do about a defective file, by its origin and the defect.
const (
	correct     = "correct the file"
	writeAgain  = "write or copy the file again as a whole"
	obtainAgain = "copy or download the file again"
)

// image and caption are the used fields of an annotation file's entries.
type image struct {
	ID       *imageID `json:"id"`
	FileName string   `json:"file_name"`
}

type caption struct {
	ImageID *imageID `json:"image_id"`
	Text    *string  `json:"caption"`
}

// imageID is a whole number, which may be written as 42.0.
type imageID int64

// UnmarshalJSON reads a number.
func (id *imageID) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return fmt.Errorf("the image id %.40s is a string: write it as a number, without quotes", data)
	}
	n, err := jsonfile.WholeNumber(data)
	if err != nil {
		return fmt.Errorf("image id %w", err)
	}
	*id = imageID(n)
	return nil
}

// annotationFile is a large JSON file that is read one entry at a time.
type annotationFile struct {
	name     string
	in       io.Reader
	released bool  // it is the original release's, not a person's own
	failed   error // of in
}

// Read reads from in and keeps its error.
func (f *annotationFile) Read(p []byte) (int, error) {
	n, err := f.in.Read(p)
	if err != nil && err != io.EOF {
		f.failed = err
	}
	return n, err
}

// fail makes a FileError of an error at an offset.
func (f *annotationFile) fail(offset int64, err error) error {
	advice := correct
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err, advice = errors.New("it is truncated"), writeAgain
		if f.released {
			advice = obtainAgain
		}
	} else if f.failed != nil {
		advice = ""
	}
	return &FileError{f.name, offset, err, advice}
}

// readAnnotations reads a caption annotation file (https://cocodataset.org/#format-data, "Image Captioning"). It skips
// unknown members.
func readAnnotations(f *annotationFile, onImage func(image) error, onCaption func(caption) error) error {
	seen := make(map[string]bool)
	return f.read(func(d *json.Decoder, key string) error {
		seen[key] = true
		switch key {
		case "info":
			var err error
			f.released, err = isOriginal(d)
			return err
		case "images":
			return each(d, key, onImage)
		case "annotations":
			return each(d, key, onCaption)
		}
		return skip(d)
	}, func() error {
		if !seen["images"] || !seen["annotations"] {
			return errors.New(`it has no "images" or no "annotations": it is not a caption annotation file`)
		}
		return nil
	})
}

// isOriginal reads the member "info", which comes first in the original files.
func isOriginal(d *json.Decoder) (bool, error) {
	var text json.RawMessage
	if err := d.Decode(&text); err != nil {
		return false, err
	}
	var info struct {
		Description string `json:"description"`
	}
	if err := jsonfile.Decode("info", text, &info); err != nil {
		return false, nil // nobody needs it
	}
	return strings.HasPrefix(info.Description, "COCO 20") || strings.Contains(info.Description, "MS COCO dataset"), nil
}

// read calls member for each member of the JSON object in the file. Afterwards, end checks for missing members.
func (f *annotationFile) read(member func(d *json.Decoder, key string) error, end func() error) error {
	d := json.NewDecoder(jsonfile.NewReader(f))
	if err := expect(d, '{'); err != nil {
		return f.fail(d.InputOffset(), err)
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return f.fail(d.InputOffset(), err)
		}
		if err := member(d, token.(string)); err != nil { // the decoder accepts only strings as keys
			return f.fail(d.InputOffset(), err)
		}
	}
	if err := expect(d, '}'); err != nil {
		return f.fail(d.InputOffset(), err)
	}
	switch token, err := d.Token(); { // also has the checksum of an archive checked
	case err == nil:
		return f.fail(d.InputOffset(), fmt.Errorf("%v follows the end of the object", token))
	case err != io.EOF:
		return f.fail(d.InputOffset(), err)
	}
	if err := end(); err != nil {
		return f.fail(0, err)
	}
	return nil
}

// each calls do for the elements of the array that follows, which is called name.
func each[T any](d *json.Decoder, name string, do func(T) error) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for n := 0; d.More(); n++ {
		var text json.RawMessage
		if err := d.Decode(&text); err != nil {
			return err
		}
		var element T
		entry := fmt.Sprintf("entry %d of %q", n, name)
		if err := jsonfile.Decode(entry, text, &element); err != nil {
			return err
		}
		if err := do(element); err != nil {
			return fmt.Errorf("%s: %w", entry, err)
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
