package experiment

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAmend(t *testing.T) {
	const record = `{
  "b": 0.10000000000000000555,
  "a": [],
  "text": "x < y",
  "inner": {
    "z": 1e400,
    "unknown": null
  }
}
`
	for _, c := range []struct {
		name, old, by string
		members       []Member
	}{
		{"nothing", "", "", nil},
		{"added", `"a": [],`, `"a": [],` + "\n  " + `"new": 0.5,`, []Member{{"new", 0.5, "a"}}},
		{"added at the end", "  }\n}", "  },\n" + `  "new": "<"` + "\n}", []Member{{"new", "<", "inner"}}},
		{"replaced", `"a": []`, `"a": 3`, []Member{{"a", 3, "b"}}},
		{"added twice", `"a": [],`, `"a": [],` + "\n  " + `"new": 1,`, []Member{{"new", 0.5, "a"}, {"new", 1, "a"}}},
	} {
		got, err := Amend([]byte(record), c.members...)
		if want := strings.Replace(record, c.old, c.by, 1); err != nil || string(got) != want {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", c.name, err, got, want)
		}
	}
	for record, want := range map[string]string{
		"[1]": "not a JSON object", "{}": "empty", `{"a": 1`: "EOF", `{"b": 1}`: `no member "a"`, `{"a" 1}`: "colon",
	} {
		if _, err := Amend([]byte(record), Member{"new", 1, "a"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that says %q", record, err, want)
		}
	}
}

// The text of a record does not change if nothing in it does.
func TestAmendKeepsWhatWriteJSONWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.json")
	record := ReadoutsRecord{Weights: "<&>", Readouts: []ReadoutRecord{{Readout: Readout{Name: "é", Temperature: .7}}}}
	if err := WriteJSON(path, record); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Amend(want); err != nil || string(got) != string(want) {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
	}
}
