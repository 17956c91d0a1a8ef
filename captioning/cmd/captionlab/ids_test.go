package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning"
	"captionlab/captioning/score"
)

func TestIDsFromNames(t *testing.T) {
	c := captionCall{idFrom: idFromName, asJSON: true}
	files, ids, problems := c.ids([]string{"val2014/COCO_val2014_000000000042.jpg", "holiday.jpg", "000000000007.png",
		"other/42.jpg", "IMG_e794419615.jpg"})
	if want := []string{"val2014/COCO_val2014_000000000042.jpg", "000000000007.png"}; !slices.Equal(files, want) ||
		!slices.Equal(ids, []score.ID{"42", "7"}) {
		t.Errorf("files %q with ids %q", files, ids)
	}
	if len(problems) != 3 || !strings.HasPrefix(problems[0].Error(), "holiday.jpg: its name is no number") ||
		problems[1].Error() != "other/42.jpg has image id 42, like val2014/COCO_val2014_000000000042.jpg: "+
			"caption one of them" || !strings.HasPrefix(problems[2].Error(), "IMG_e794419615.jpg: its name") {
		t.Errorf("problems %v", problems)
	}
	images := []captioned{{id: ids[0], isNumber: true, candidates: []captioning.Candidate{{Text: "a"}}},
		{id: "7", candidates: []captioning.Candidate{{Text: "b"}}}}
	for _, want := range []string{`"image_id": 42,`, `"image_id": "7",`} {
		var out strings.Builder
		list := &jsonSink{out: &out}
		if err := errors.Join(list.add(images), list.close()); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("prints %s, error %v; want %s", out.String(), err, want)
		}
	}
	var out strings.Builder
	if err := (&textSink{out: &out}).add(images); err != nil || out.String() != "42\ta\n7\tb\n" {
		t.Errorf("text %q, error %v", out.String(), err)
	}
	paths := captionCall{idFrom: idFromPath}
	if files, ids, problems := paths.ids([]string{"a", "b"}); len(files) != 2 || ids != nil || problems != nil {
		t.Errorf("ids from paths: %q, %q, %v", files, ids, problems)
	}
	code, _, errs := call(t, program(t.TempDir(), "caption", "run", "a.jpg", "--id-from", "number"))
	if code != 2 || !strings.Contains(errs, `--id-from is "number": use path or name`) {
		t.Errorf("exit %d, %s", code, errs)
	}
}

// captionWithIDs captions two files of the run's folder, of which one has a number.
func captionWithIDs(t *testing.T, dir string) {
	t.Helper()
	if err := os.Link(filepath.Join(dir, "a.jpg"), filepath.Join(dir, "COCO_val2014_000000000042.jpg")); err != nil {
		t.Fatal(err)
	}
	code, out, errs := call(t, program(dir, "caption", "run", "a.jpg", "COCO_val2014_000000000042.jpg", "--json",
		"--id-from", "name"))
	if code != 1 || strings.Count(out, "image_id") != 1 || !strings.Contains(out, `"image_id": 42,`) ||
		!strings.Contains(errs, "a.jpg: its name is no number") {
		t.Errorf("ids from names: exit %d, %s%s", code, out, errs)
	}
	code, out, errs = call(t, program(dir, "caption", "run", "a.jpg", "--json", "--id-from", "name"))
	if code != 1 || out != "[]\n" || !strings.Contains(errs, "a.jpg: its name is no number") {
		t.Errorf("no file with a number: exit %d, %s%s", code, out, errs)
	}
}
