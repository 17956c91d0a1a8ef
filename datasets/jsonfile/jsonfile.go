// Package jsonfile decodes JSON that other programs or people wrote, strictly: member names match only in their exact
// letter case, a name may occur only once in an object, and text must be valid UTF-8. (Package encoding/json accepts
// names in any letter case, takes the last of several, and replaces invalid bytes.) NaN and Infinity, which Python
// writes, count as null. Errors name the file and the place, not Go types.
package jsonfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Decode decodes the JSON value data into to, which is a pointer. name is the file's name for errors. A byte order mark
// of UTF-8 is skipped; UTF-16 is refused.
func Decode(name string, data []byte, to any) error { return decode(name, data, to) }

// DecodeKnown is Decode, but refuses members that to has no field for.
func DecodeKnown(name string, data []byte, to any) error {
	return decode(name, data, to, json.RejectUnknownMembers(true))
}

func decode(name string, data []byte, to any, options ...json.Options) error {
	if isUTF16(data) {
		return fmt.Errorf("%s is encoded in UTF-16: save it as UTF-8", name)
	}
	data = withoutNaN(bytes.TrimPrefix(data, byteOrderMark))
	if err := json.Unmarshal(data, to, options...); err != nil {
		return explain(name, data, err)
	}
	return nil
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// isUTF16 reports whether text begins like a file in UTF-16, with its byte order mark or a bracket of two bytes.
func isUTF16(text []byte) bool {
	for _, start := range []string{"\xfe\xff", "\xff\xfe", "{\x00", "[\x00", "\x00{", "\x00["} {
		if bytes.HasPrefix(text, []byte(start)) {
			return true
		}
	}
	return false
}

// explain turns an error of package json into one that a person who knows the file understands.
func explain(name string, data []byte, err error) error {
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	var each eachError
	switch {
	case errors.As(err, &each):
		return fmt.Errorf("%s: %w", name, each.error)
	case errors.As(err, &syntax):
		at := min(int(syntax.ByteOffset), len(data))
		line := 1 + bytes.Count(data[:at], []byte("\n"))
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			return fmt.Errorf("%s:%d: unexpected end of the file: it is truncated", name, line)
		case errors.Is(err, jsontext.ErrDuplicateName):
			return fmt.Errorf("%s:%d: the member %q occurs twice in one object: keep one", name, line,
				syntax.JSONPointer.LastToken())
		case at < len(data) && strings.Contains(err.Error(), "invalid UTF-8"):
			at += firstInvalid(data[at:])
			return fmt.Errorf("%s:%d: byte %#02x at offset %d is not valid UTF-8: save the file as UTF-8", name,
				1+bytes.Count(data[:at], []byte("\n")), data[at], at)
		}
		return fmt.Errorf("%s:%d: not valid JSON: %w", name, line, syntax.Err)
	case errors.As(err, &semantic):
		where := "the file"
		if semantic.JSONPointer != "" {
			where = fmt.Sprintf("the value at %s", semantic.JSONPointer)
		}
		switch {
		case errors.Is(err, json.ErrUnknownName):
			return fmt.Errorf("%s: unknown member %q", name, semantic.JSONPointer.LastToken())
		case semantic.Err != nil:
			return fmt.Errorf("%s: %s: %w", name, where, semantic.Err)
		}
		return fmt.Errorf("%s: %s is %s, want %s", name, where, kindName(semantic.JSONKind), typeName(semantic.GoType))
	}
	return fmt.Errorf("%s: %w", name, err)
}

// firstInvalid is the offset of the first byte that is not part of valid UTF-8.
func firstInvalid(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return 0
}

func kindName(k jsontext.Kind) string {
	switch k {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "another kind of value"
}

func typeName(t reflect.Type) string {
	if t == nil {
		return "another kind of value"
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}

// withoutNaN replaces NaN, Infinity and -Infinity outside of strings by null. It returns data itself if there are none.
func withoutNaN(data []byte) []byte {
	if !bytes.Contains(data, []byte("NaN")) && !bytes.Contains(data, []byte("Infinity")) {
		return data
	}
	out := make([]byte, 0, len(data)+16)
	inString := false
	for i := 0; i < len(data); i++ {
		switch {
		case inString && data[i] == '\\' && i+1 < len(data):
			out = append(out, data[i])
			i++
		case data[i] == '"':
			inString = !inString
		case !inString:
			if n := constant(data[i:]); n > 0 {
				out = append(out, "null"...)
				i += n - 1
				continue
			}
		}
		out = append(out, data[i])
	}
	return out
}

// constant is the length of the NaN or Infinity at the beginning of data, or 0.
func constant(data []byte) int {
	for _, name := range []string{"NaN", "-Infinity", "Infinity"} {
		if bytes.HasPrefix(data, []byte(name)) {
			return len(name)
		}
	}
	return 0
}
