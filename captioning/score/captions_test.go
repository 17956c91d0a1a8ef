package score

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestBadFiles(t *testing.T) {
	for _, c := range []struct{ name, content, wantCaptions, wantReferences string }{
		{"empty", "", "unexpected end", "unexpected end"},
		{"cut in half", "[\n{\"image_id\":1,\"capt", "file:2", "want an object"},
		{"no list", "{}", "want a list", "no \"annotations\""},
		{"empty list", "[]", "has no captions", "want an object"},
		{"no id", `[{"caption":"a"}]`, "entry 0 has no image_id", ""},
		{"null caption", `[{"image_id":7,"caption":null}]`, "entry 0 (image 7) has no caption", ""},
		{"number for a caption", `[{"image_id":7,"caption":5}]`, "caption", ""},
		{"doubled", `[{"image_id":7,"caption":"a"},{"image_id":"7","caption":"b"}]`,
			"image 7 has two captions, entries 0 and 1", ""},
		{"id with a fraction", `[{"image_id":7.5,"caption":"a"}]`, "7.5", ""},
		{"references without id", `{"annotations":[{"caption":"a"}]}`, "want a list", "entry 0 has no image_id"},
		{"invalid UTF-8", "[{\"image_id\":7,\"caption\":\"caf\xe9\"}]", "byte 0xe9 at offset 29", ""},
		{"only in another case", `[{"image_id":7,"Caption":"a"}]`, "entry 0 (image 7) has no caption", ""},
		{"twice", `[{"image_id":7,"caption":"a","caption":"b"}]`, `"caption" occurs twice`, ""},
		{"reference null", `{"annotations":[{"image_id":3,"caption":null}]}`, "", "entry 0 (image 3) has no caption"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte(c.content), 0o644); err != nil {
				t.Fatal(err)
			}
			names := func(err error, want string) bool {
				if err == nil || want == "" {
					return want == ""
				}
				return strings.Contains(err.Error(), want) && strings.Contains(err.Error(), path)
			}
			if _, err := ReadCaptions(path); !names(err, c.wantCaptions) {
				t.Errorf("captions: error %v, want one with %q and %s", err, c.wantCaptions, path)
			}
			if _, err := ReadReferences(path); !names(err, c.wantReferences) {
				t.Errorf("references: error %v, want one with %q and %s", err, c.wantReferences, path)
			}
		})
	}
}

func TestCaptionFilesRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "captions.json")
	want := []Caption{
		{ID: "42", Text: "a <b> & \"c\""}, {ID: "007.jpg", Text: "d"},
		{ID: "9223372036854775808", Text: "e"}, {ID: "-3"},
	}
	withLogProb := slices.Clone(want) // a log-probability is not written
	withLogProb[0].LogProb = -12.5
	if err := WriteCaptions(path, withLogProb); err != nil {
		t.Fatal(err)
	}
	got, err := ReadCaptions(path)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	data, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(data, []byte(`{"image_id":42,"caption":"a <b> & \"c\""}`)) {
		t.Errorf("%s, %v", data, err)
	}
}

// Names match only in their exact letter case; NaN in fields that are not used does not matter.
func TestNamesMatchExactly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	text := `[{"image_id":1,"caption":"a dog","Caption":"a cat","score":NaN},{"Image_ID":9,"image_id":2,"caption":"b"}]`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := ReadCaptions(path)
	if want := []Caption{{ID: "1", Text: "a dog"}, {ID: "2", Text: "b"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("captions %v, error %v", got, err)
	}
}

func TestReadSamples(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, content, want string }{
		{"two", `[{"image_id":1,"caption":"a"},{"image_id":"x","caption":"b"},{"image_id":"x","caption":"c"},
			{"image_id":1,"caption":"a"}]`, ""},
		{"one", `[{"image_id":1,"caption":"a"},{"image_id":2,"caption":"b"},{"image_id":2,"caption":"c"}]`,
			"image 1 has 1 captions"},
		{"none", `[]`, "no captions given"},
		{"incomplete", `[{"image_id":1}]`, "entry 0 (image 1) has no caption"},
		{"truncated", `[{"image_id":1,"caption":"a"}`, "truncated"},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		samples, err := ReadSamples(path)
		if c.want == "" {
			want := Samples{"1": {"a", "a"}, "x": {"b", "c"}}
			if _, several := ReadCaptions(path); err != nil || !reflect.DeepEqual(samples, want) ||
				!errors.Is(several, ErrSeveralCaptions) {
				t.Errorf("%s: %v, %v, as captions %v", c.name, samples, err, several)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one that names the file and says %q", c.name, err, c.want)
		}
	}
}
