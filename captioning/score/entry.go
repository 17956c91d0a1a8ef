package score

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// entry is one caption in a COCO result or annotation file. A part is nil if it is missing or null. Files have millions
// of entries, so they are not decoded by reflection. The parts are valid until the next entry is read.
type entry struct{ id, caption []byte }

// imageEntry is one element of the list of images of an annotation file.
type imageEntry struct{ id []byte }

func (e entry) check(index int) error {
	switch {
	case e.id == nil:
		return fmt.Errorf("entry %d has no image_id", index)
	case e.caption == nil:
		return fmt.Errorf("entry %d (image %s) has no caption, or null", index, e.id)
	}
	if len(e.caption) < 2*MaxWords { // so are nearly all
		return nil
	}
	if err := checkText(string(e.caption)); err != nil {
		return fmt.Errorf("entry %d (image %s): %w", index, e.id, err)
	}
	return nil
}

// UnmarshalJSONFrom reads an entry.
func (e *entry) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	return members(d, func(name, value []byte) (err error) {
		switch string(name) {
		case "image_id":
			e.id, err = decodeID(value)
		case "caption":
			e.caption, err = decodeString(value)
		}
		return err
	})
}

// UnmarshalJSONFrom reads an image.
func (i *imageEntry) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	return members(d, func(name, value []byte) (err error) {
		if string(name) == "id" {
			i.id, err = decodeID(value)
		}
		return err
	})
}

// decodeID returns the [ID] that a JSON value stands for, nil for null.
func decodeID(value []byte) ([]byte, error) {
	switch value[0] {
	case '"':
		return decodeString(value)
	case 'n':
		return nil, nil
	}
	plain := len(value) < 19 // and so within 64 bits
	for _, c := range value {
		plain = plain && c >= '0' && c <= '9'
	}
	if plain {
		return value, nil
	}
	var id ID
	if err := id.UnmarshalJSON(value); err != nil {
		return nil, &json.SemanticError{Err: err}
	}
	return []byte(id), nil
}

// decodeString returns the text of a JSON string, nil for null.
func decodeString(value []byte) ([]byte, error) {
	if value[0] == 'n' {
		return nil, nil
	}
	if value[0] != '"' {
		return nil, &json.SemanticError{JSONKind: jsontext.Value(value).Kind(), GoType: reflect.TypeFor[string]()}
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1], nil
	}
	text, err := jsontext.AppendUnquote([]byte{}, value)
	return text, err
}

// members reads an object and calls do with each name and value, which are valid until the next object is read. It
// does nothing for null. The decoder has checked the syntax, and that no name occurs twice.
func members(d *jsontext.Decoder, do func(name, value []byte) error) error {
	object, err := d.ReadValue()
	if err != nil || object[0] == 'n' {
		return err
	}
	if object[0] != '{' {
		return &json.SemanticError{JSONKind: object.Kind(), GoType: reflect.TypeFor[struct{}]()}
	}
	for at := next(object, 1); object[at] != '}'; at = next(object, at) {
		if object[at] == ',' {
			at = next(object, at+1)
		}
		end := valueEnd(object, at)
		name, err := decodeString(object[at:end])
		if err != nil {
			return err
		}
		at = next(object, 1+next(object, end)) // after the colon
		end = valueEnd(object, at)
		if err := do(name, object[at:end]); err != nil {
			return within(err, d.StackPointer().AppendToken(string(name)))
		}
		at = end
	}
	return nil
}

// within adds the place of a value to an error about it.
func within(err error, place jsontext.Pointer) error {
	if semantic, ok := err.(*json.SemanticError); ok {
		semantic.JSONPointer = place
	}
	return err
}

// next returns the index, from at on, of what is not white space.
func next(text []byte, at int) int {
	for text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n' {
		at++
	}
	return at
}

// valueEnd returns the end of the valid value that begins at the index at.
func valueEnd(text []byte, at int) int {
	depth := 0
	for ; ; at++ {
		switch text[at] {
		case '"':
			at = stringEnd(text, at) - 1
			if depth == 0 {
				return at + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // the end of the object around a number or name
				return at
			}
			if depth--; depth == 0 {
				return at + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return at
			}
		}
	}
}

// stringEnd returns the end of the valid string that begins at the index at.
func stringEnd(text []byte, at int) int {
	for at++; ; at++ {
		switch text[at] {
		case '"':
			return at + 1
		case '\\':
			at++
		}
	}
}
