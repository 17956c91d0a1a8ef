package jsonfile

import (
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Elements is a list whose elements are checked, and kept or not, as they are read.
type Elements[T any] struct {
	// Each is called with the index and value of every element. Its error ends the reading and becomes that of Decode.
	Each  func(index int, element T) error
	Count int // elements read
}

// UnmarshalJSONFrom reads the list.
func (e *Elements[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	switch kind := d.PeekKind(); kind {
	case '[', 0: // an error follows
	case 'n':
		return d.SkipValue()
	default:
		if err := d.SkipValue(); err != nil {
			return err
		}
		return &json.SemanticError{JSONKind: kind, GoType: reflect.TypeFor[[]T]()}
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		var element T
		if err := json.UnmarshalDecode(d, &element); err != nil {
			return err
		}
		if err := e.Each(e.Count, element); err != nil {
			return eachError{err}
		}
		e.Count++
	}
	_, err := d.ReadToken()
	return err
}

// eachError is an error of Elements.Each, which says itself where it arose.
type eachError struct{ error }

func (e eachError) Unwrap() error { return e.error }
