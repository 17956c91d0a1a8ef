package score

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// reflected is read by reflection what entry reads by itself.
type reflected struct {
	ImageID *ID     `json:"image_id"`
	Caption *string `json:"caption"`
}

var entries = []string{
	`{"image_id":7,"caption":"a dog"}`,
	" { \"caption\" :\t\"a \\\"dog\\\"\\n\\u00e9\\ud83d\\ude00\" , \"image_id\"\r\n: \"x \\\\ \\\" y\" } ",
	`{"id":1,"x":{"image_id":[9,{"caption":"}]\""}]},"image_id":-7,"y":[],"z":[[],{}],"caption":"","w":null}`,
	`{}`, `{ }`, `null`, `{"image_id":null,"caption":null}`, `{"image\u005fid":1.0,"c\u0061ption":"b"}`,
	`{"image_id":9223372036854775807,"caption":"\u0000"}`, `{"image_id":1e3}`, `{"image_id":0}`, `{"image_id":-0}`,
	`{"image_id":12345678901234567890}`, `{"image_id":7.5}`, `{"image_id":true}`, `{"image_id":{}}`,
	`{"caption":5}`, `{"caption":[]}`, `{"caption":false}`, `{"caption":{"a":1}}`, `[]`, `"a"`, `3`, `true`,
	`{"image_id":1,"image_id":2}`, `{"caption":"a","c\u0061ption":"b"}`, `{"caption":"a"`, `{"caption":"\x"}`,
	`{"caption" "a"}`, `{"caption":"a",}`, "{\"caption\":\"\xff\"}", `{"é":1,"caption":"é"}`, `{"caption":"a"}x`, ``,
}

func TestEntriesAreReadAsByReflection(t *testing.T) {
	for _, text := range entries {
		checkEntry(t, text)
	}
}

// checkEntry fails unless both ways of reading an entry agree.
func checkEntry(t *testing.T, text string) {
	t.Helper()
	var got entry
	var want reflected
	err, wanted := json.Unmarshal([]byte(text), &got), json.Unmarshal([]byte(text), &want)
	if (err == nil) != (wanted == nil) {
		t.Fatalf("%q: error %v, want %v", text, err, wanted)
	}
	if err != nil {
		return
	}
	if (got.id == nil) != (want.ImageID == nil) || want.ImageID != nil && string(*want.ImageID) != string(got.id) {
		t.Errorf("%q: id %q, want %v", text, got.id, want.ImageID)
	}
	if (got.caption == nil) != (want.Caption == nil) || want.Caption != nil && *want.Caption != string(got.caption) {
		t.Errorf("%q: caption %q, want %v", text, got.caption, want.Caption)
	}
}

func FuzzEntry(f *testing.F) {
	for _, text := range entries {
		f.Add(text)
	}
	f.Fuzz(checkEntry)
}

// Errors name the place of the value in the file.
func TestPlacesOfBadEntries(t *testing.T) {
	for text, want := range map[string]string{
		`[{"image_id":1,"caption":""},{"caption":5}]`: "/1/caption is a number, want a string",
		`[{"image_id":7.5}]`:                          "/0/image_id: image id 7.5 is neither an integer nor a string",
		`[{"image_id":1,"caption":"a"},[]]`:           "/1 is a list, want an object",
	} {
		path := filepath.Join(t.TempDir(), "file")
		writeFile(t, path, text)
		if _, err := ReadCaptions(path); err == nil || !strings.Contains(err.Error(), "the value at "+want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// Captions come in the order of the images in the file of references, as coco-caption tokenizes them.
func TestOrderOfCaptions(t *testing.T) {
	dir := t.TempDir()
	captions, refs := filepath.Join(dir, "captions"), filepath.Join(dir, "refs")
	note := func(id string) string { return `{"image_id":` + id + `,"caption":"` + id + `"}` }
	list := func(ids string) string {
		var out []string
		for id := range strings.FieldsSeq(ids) {
			out = append(out, note(id))
		}
		return "[" + strings.Join(out, ",") + "]"
	}
	for _, c := range []struct{ images, annotations, captions, want string }{
		{"", "1 2 3", "3 2 1", "1 2 3"},
		{"3 2 3", "1 2 3 2", "1 2 3", "3 2 1"},
		{"3 4 2", "1 2 5 3", "9 1 2 8 4 3 5", "3 4 2 1 5 9 8"},
		{"1 2", "1 2", "1 2 7", "1 2 7"},
		{"1 2", "1 2", "7 1 2", "1 2 7"},
	} {
		images := strings.ReplaceAll(list(c.images), "image_id", "id")
		for _, text := range []string{
			`{"images":` + images + `,"annotations":` + list(c.annotations) + `}`,
			`{"annotations":` + list(c.annotations) + `,"images":` + images + `}`,
		} {
			writeFile(t, refs, text)
			writeFile(t, captions, list(c.captions))
			ordered, _, err := ReadBoth(captions, refs)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, caption := range ordered {
				got = append(got, caption.Text)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("captions %s of images %s and annotations %s: %q, want %s", c.captions, c.images,
					c.annotations, got, c.want)
			}
		}
	}
}

func TestIDIndex(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	var x idIndex
	if _, found := x.find("1"); found {
		t.Error("an empty index has an ID")
	}
	want := make(map[string]int32)
	for range 20_000 {
		id := fmt.Sprint(random.IntN(9000))
		place, known := want[id]
		if got, found := x.find(id); found != known || known && got != place {
			t.Fatalf("%s: place %d, %t, want %d, %t", id, got, found, place, known)
		}
		got, added := x.add([]byte(id), func(text []byte) string { return string(text) })
		if !known {
			place = int32(len(want))
			want[id] = place
		}
		if got != place || added == known || string(x.ids[got]) != id {
			t.Fatalf("%s: added at %d (%t), want %d (%t)", id, got, added, place, !known)
		}
	}
}
