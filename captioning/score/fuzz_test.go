package score

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// FuzzCaptions reads a file as captions and as references. Captions that are accepted survive writing and can be scored
// against themselves; references that are accepted can be counted.
func FuzzCaptions(f *testing.F) {
	for _, seed := range []string{
		`[{"image_id":1,"caption":"a dog"},{"image_id":"x.jpg","caption":"A man's \"dog\", 1 1/2."}]`,
		`{"annotations":[{"image_id":"x","caption":"a"},{"image_id":2.0,"caption":"","id":NaN}]}`,
		`[{"image_id":"007","caption":"\u00e9\u2028\ud83d\ude00","score":-Infinity}]`,
		"\xef\xbb\xbf[", "\xff\xfe[\x00", "\x1f\x8b\x08", `null`, `{"annotations":null}`, `[{}]`,
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	path, copied := filepath.Join(dir, "file"), filepath.Join(dir, "copy")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if captions, err := ReadCaptions(path); err == nil {
			scoreThemselves(t, captions)
			if err := WriteCaptions(copied, captions); err != nil {
				t.Fatal(err)
			}
			if again, err := ReadCaptions(copied); err != nil || !slices.Equal(again, captions) {
				t.Errorf("captions %+v become %+v, error %v", captions, again, err)
			}
		}
		refs, err := ReadReferences(path)
		if err != nil {
			return
		}
		for id, r := range refs {
			if len(r) == 0 {
				t.Errorf("image %s has an empty list of references", id)
			}
		}
		if _, err := CountFrequencies(refs, "ptb"); err != nil {
			t.Error(err)
		}
	})
}

func scoreThemselves(t *testing.T, captions []Caption) {
	refs := make(References)
	for _, c := range captions {
		refs[c.ID] = []string{c.Text, ""}
	}
	s, err := Coco(refs, captions, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range s.Values() {
		if math.IsNaN(x) || x < 0 || x > 10+1e-9 {
			t.Errorf("%s is %v", s.Metrics()[i], x)
		}
	}
	if s.ROUGEL < 1-1e-9 {
		t.Errorf("ROUGE-L of the same captions is %v", s.ROUGEL)
	}
}
