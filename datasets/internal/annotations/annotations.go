// Package annotations reads the JSON files in which captions are published, COCO's and Karpathy's, one entry at a time:
// they may be larger than memory.
package annotations

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"captionlab/datasets/jsonfile"
)

// Error reports a defective file and the position of the defect.
type Error struct {
	File   string // as in File.Name
	Offset int64  // in bytes; 0 for the file as a whole
	Err    error
	Advice string // what to do; empty if Err says so
}

// Error returns "FILE: at byte N: WHAT; what to do".
func (e *Error) Error() string {
	where, advice := "", ""
	if e.Offset > 0 {
		where = fmt.Sprintf("at byte %d: ", e.Offset)
	}
	if e.Advice != "" {
		advice = "; " + e.Advice
	}
	return fmt.Sprintf("%s: %s%v%s", e.File, where, e.Err, advice)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// What to do about a defective file, by its origin and the defect.
const (
	Correct     = "correct the file"
	writeAgain  = "write or copy the file again as a whole"
	ObtainAgain = "copy or download the file again"
)

// File is a large JSON file that is read one entry at a time.
type File struct {
	Name     string
	In       io.Reader
	Released bool // it is the original release's, not a person's own
	// Uncaptioned allows Captions to read a file without "annotations", as of a test split whose captions are secret.
	Uncaptioned bool

	failed error // of In
	offset int64
}

// Offset returns the place in bytes where the entry ends that an Each is called with. A byte order mark does not count,
// and NaN and Infinity count as null (see jsonfile.NewReader).
func (f *File) Offset() int64 { return f.offset }

// Read reads from in and keeps its error.
func (f *File) Read(p []byte) (int, error) {
	n, err := f.In.Read(p)
	if err != nil && err != io.EOF {
		f.failed = err
	}
	return n, err
}

// fail makes an Error of an error at an offset.
func (f *File) fail(offset int64, err error) error {
	advice := Correct
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err, advice = errors.New("it is truncated"), writeAgain
		if f.Released {
			advice = ObtainAgain
		}
	} else if f.failed != nil {
		advice = ""
	}
	return &Error{f.Name, offset, err, advice}
}

// Captions reads a caption annotation file (https://cocodataset.org/#format-data, "Image Captioning"): it calls onImage
// and onCaption with the entries of "images" and "annotations" and their indices. It skips unknown members. The error
// is an *Error.
func (f *File) Captions(onImage, onCaption Each) error {
	seen := make(map[string]bool)
	return f.read(func(d *json.Decoder, key string) error {
		seen[key] = true
		switch key {
		case "info":
			var err error
			f.Released, err = isOriginal(d)
			return err
		case "images":
			return f.each(d, onImage)
		case "annotations":
			return f.each(d, onCaption)
		}
		return skip(d)
	}, func() error {
		if !seen["images"] || !seen["annotations"] && !f.Uncaptioned {
			return errors.New(`it has no "images" or no "annotations": it is not a caption annotation file`)
		}
		return nil
	})
}

// Karpathy reads a file in the format of Karpathy's splits: it calls onImage with the entries of "images", which hold
// the captions as well. The error is an *Error.
func (f *File) Karpathy(onImage Each) error {
	found := false
	return f.read(func(d *json.Decoder, key string) error {
		if key != "images" {
			return skip(d)
		}
		found = true
		return f.each(d, onImage)
	}, func() error {
		if !found {
			return errors.New(`it has no "images": it is not in Karpathy's format`)
		}
		return nil
	})
}

// List reads a file that is a list, whose entries hold an image and its captions.
func (f *File) List(onEntry Each) error {
	d := json.NewDecoder(jsonfile.NewReader(f))
	if err := f.each(d, onEntry); err != nil {
		return f.fail(d.InputOffset(), err)
	}
	return f.end(d)
}

// Each is called with the index and the text of an entry. Its error ends the reading.
type Each func(index int, entry json.RawMessage) error

// Strictly makes an Each that decodes entries of the list called name and ends the reading at the first bad one.
func Strictly[T any](name string, do func(T) error) Each {
	return func(n int, text json.RawMessage) error {
		var element T
		entry := fmt.Sprintf("entry %d of %q", n, name)
		if err := jsonfile.Decode(entry, text, &element); err != nil {
			return err
		}
		if err := do(element); err != nil {
			return fmt.Errorf("%s: %w", entry, err)
		}
		return nil
	}
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
func (f *File) read(member func(d *json.Decoder, key string) error, end func() error) error {
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
	if err := f.end(d); err != nil {
		return err
	}
	if err := end(); err != nil {
		return f.fail(0, err)
	}
	return nil
}

// end fails if anything follows. It also has the checksum of an archive checked.
func (f *File) end(d *json.Decoder) error {
	switch token, err := d.Token(); {
	case err == nil:
		return f.fail(d.InputOffset(), fmt.Errorf("%v follows the end of the value", token))
	case err != io.EOF:
		return f.fail(d.InputOffset(), err)
	}
	return nil
}

// each calls do for the elements of the array that follows.
func (f *File) each(d *json.Decoder, do Each) error {
	if err := expect(d, '['); err != nil {
		return err
	}
	for n := 0; d.More(); n++ {
		var text json.RawMessage
		if err := d.Decode(&text); err != nil {
			return err
		}
		f.offset = d.InputOffset()
		if err := do(n, text); err != nil {
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
