package jsonfile

import (
	"reflect"
	"strings"
	"testing"
)

type record struct {
	ID      *int    `json:"id"`
	Caption *string `json:"caption"`
	List    []int   `json:"list"`
}

func TestDecode(t *testing.T) {
	one, two, text := 1, 2, "b"
	for _, c := range []struct {
		name, data string
		want       record
	}{
		{"other letter case first", `{"Caption":"a","caption":"b","ID":"x","id":1}`, record{ID: &one, Caption: &text}},
		{"other letter case last", `{"caption":"b","Caption":"a","id":1,"Id":[]}`, record{ID: &one, Caption: &text}},
		{"byte order mark", "\xef\xbb\xbf" + `{"id":2}`, record{ID: &two}},
		{"Python constants", `{"x":NaN,"y":[-Infinity,Infinity],"id":2,"list":[1]}`,
			record{ID: &two, List: []int{1}}},
		{"constants in strings", `{"caption":"b","note":"a \" NaN"}`, record{Caption: &text}},
		{"constant in a used field", `{"id":NaN,"caption":"b"}`, record{Caption: &text}},
	} {
		var got record
		if err := Decode("x.json", []byte(c.data), &got); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, error %v", c.name, got, err)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"truncated", "{\n\"id\": 1", "x.json:2: unexpected end of the file: it is truncated"},
		{"not JSON", "{\n'id': 1}", "x.json:2: not valid JSON"},
		{"twice", `{"id":1,"id":2}`, `x.json:1: the member "id" occurs twice in one object: keep one`},
		{"invalid byte", "{\"caption\":\n\"caf\xe9\"}", "x.json:2: byte 0xe9 at offset 16 is not valid UTF-8"},
		{"invalid byte after valid ones", "{\"caption\":\"é\xff\"}", "byte 0xff at offset 14 is not valid UTF-8"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "x.json is encoded in UTF-16: save it as UTF-8"},
		{"wrong shape", `[1]`, "x.json: the file is a list, want an object"},
		{"wrong kind", `{"caption":3}`, "x.json: the value at /caption is a number, want a string"},
		{"no whole number", `{"id":"x"}`, "x.json: the value at /id is a string, want a whole number"},
	} {
		var got record
		err := Decode("x.json", []byte(c.data), &got)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "jsonfile.") {
			t.Errorf("%s: error %v names a Go type", c.name, err)
		}
	}
	var got record
	if err := DecodeKnown("x.json", []byte(`{"Id":1}`), &got); err == nil || !strings.Contains(err.Error(), `"Id"`) {
		t.Errorf("unknown member: error %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":NaN,"caption":"\"Infinity"}`))
	f.Add([]byte("{\"caption\":\"\xe9\"}"))
	f.Add([]byte("\xef\xbb\xbf[]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got []record
		_ = Decode("x.json", data, &got) // must not panic
	})
}
