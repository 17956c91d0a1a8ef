package annotations

import (
	"encoding/json"
	"errors"
	"io"

	"captionlab/datasets/jsonfile"
)

// Kind is what a JSON file of annotations looks like.
type Kind int

// The kinds of files.
const (
	Unknown       Kind = iota
	CaptionFile        // see File.Captions
	KarpathyFile       // see File.Karpathy
	ListFile           // see File.List
	OtherCOCOFile      // COCO's format, but with other annotations than captions: instances, keypoints
)

// errKnown ends the reading once the kind is known.
var errKnown = errors.New("known")

// KindOf looks at as few entries of a file as tell its kind. A file that is not JSON is Unknown. It returns the first
// entry of a list that is an object.
func KindOf(in io.Reader) (Kind, json.RawMessage) {
	f := &File{In: in}
	d := json.NewDecoder(jsonfile.NewReader(f))
	token, err := d.Token()
	if err != nil || token != json.Delim('[') {
		return objectKind(f, d, token), nil
	}
	for d.More() {
		var entry json.RawMessage
		if err := d.Decode(&entry); err != nil {
			return ListFile, nil
		}
		if entry[0] == '{' {
			return ListFile, entry
		}
	}
	return ListFile, nil
}

// objectKind is the kind of a file that begins with a token.
func objectKind(f *File, d *json.Decoder, token json.Token) Kind {
	if token != json.Delim('{') {
		return Unknown
	}
	kind := Unknown
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return kind
		}
		switch key {
		case "images":
			kind, err = imagesKind(f, d)
		case "annotations":
			return annotationsKind(f, d)
		default:
			err = skip(d)
		}
		if err != nil {
			return kind
		}
	}
	return kind
}

// imagesKind looks at the first entry of "images". The error is nil if the rest of the file may tell more.
func imagesKind(f *File, d *json.Decoder) (Kind, error) {
	kind := CaptionFile
	first := true
	err := f.each(d, func(_ int, entry json.RawMessage) error {
		if !first {
			return nil // the captions may follow
		}
		first = false
		var image map[string]json.RawMessage
		if err := jsonfile.Decode("", entry, &image); err != nil {
			return nil
		}
		if image["sentences"] != nil {
			kind = KarpathyFile
			return errKnown
		}
		return nil
	})
	return kind, err
}

// annotationsKind looks at the first entry of "annotations".
func annotationsKind(f *File, d *json.Decoder) Kind {
	kind := CaptionFile
	f.each(d, func(_ int, entry json.RawMessage) error {
		var annotation map[string]json.RawMessage
		if err := jsonfile.Decode("", entry, &annotation); err == nil && annotation["caption"] == nil &&
			(annotation["category_id"] != nil || annotation["segments_info"] != nil) {
			kind = OtherCOCOFile
		}
		return errKnown
	})
	return kind
}
