package score

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// 1.0 and 1 are the same id, as they are the same key in Python.
func TestIDsAsFloats(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write := func(content string) {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(`[{"image_id":1.0,"caption":"a"},{"image_id":2e1,"caption":"b"}]`)
	got, err := ReadCaptions(path)
	if want := []Caption{{ID: "1", Text: "a"}, {ID: "20", Text: "b"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, error %v", got, err)
	}
	write(`[{"image_id":1,"caption":"a"},{"image_id":1.0,"caption":"b"}]`)
	if _, err := ReadCaptions(path); err == nil || !strings.Contains(err.Error(), "image 1 has two captions") {
		t.Errorf("error %v", err)
	}
}

// The error for ids that differ only in spelling says so.
func TestIDsInOtherSpellings(t *testing.T) {
	for _, c := range []struct{ caption, reference, want string }{
		{"000123", "123", `is image "000123" of the captions image "123" of the references?`},
		{"123", "000123", `is image "123" of the captions image "000123" of the references?`},
		{"COCO_val2014_000000000042.jpg", "42", `image "COCO_val2014_000000000042.jpg" of the captions image "42"`},
		{"./photos/42.jpg", "42", `image "./photos/42.jpg" of the captions image "42"`},
		{"0", "000", `is image "0" of the captions image "000"`},
		{"dog.jpg", "cat.jpg", ""},
		{"12", "13", ""},
	} {
		refs := References{"1": {"a"}, ID(c.reference): {"a"}}
		captions := []Caption{{ID: ID(c.caption), Text: "a"}}
		for _, allow := range []bool{false, true} {
			_, err := Coco(refs, captions, Options{AllowMissing: allow})
			if err == nil || !strings.Contains(err.Error(), c.want) ||
				c.want == "" && strings.Contains(err.Error(), "is image") {
				t.Errorf("%s and %s: error %v, want one with %q", c.caption, c.reference, err, c.want)
			}
		}
	}
}
