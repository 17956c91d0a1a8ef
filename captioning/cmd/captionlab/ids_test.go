package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning"
	"captionlab/captioning/score"
)

func TestIDsFromNames(t *testing.T) {
	c := captionCall{idFrom: idFromName, coco: true}
	files, problems := c.numbered([]string{"val2014/COCO_val2014_000000000042.jpg", "holiday.jpg", "000000000007.png",
		"other/42.jpg", "IMG_e794419615.jpg"})
	want := []string{"val2014/COCO_val2014_000000000042.jpg", "000000000007.png"}
	if !slices.Equal(files, want) || c.id(files[0]) != score.ID("42") || c.id(files[1]) != score.ID("7") {
		t.Errorf("files %q with ids %v, %v", files, c.id(files[0]), c.id(files[1]))
	}
	if len(problems) != 3 || !strings.HasPrefix(problems[0].Error(), "holiday.jpg: its name is no number") ||
		problems[1].Error() != "other/42.jpg has image id 42, like val2014/COCO_val2014_000000000042.jpg: "+
			"caption one of them" || !strings.HasPrefix(problems[2].Error(), "IMG_e794419615.jpg: its name") {
		t.Errorf("problems %v", problems)
	}
	for _, d := range []struct {
		call captionCall
		file string
		want string
	}{
		{c, "42.jpg", `"image_id": 42,`},
		{captionCall{idFrom: idFromPath, coco: true}, "42", `"image_id": "42",`},
		{captionCall{idFrom: idFromName}, "42.jpg", "42\ta\n"},
		{captionCall{idFrom: idFromPath}, "42.jpg", "42.jpg\ta\n"},
	} {
		var out strings.Builder
		o := captionOutput{call: &d.call, stdout: &out}
		err := o.write([]captioned{{d.file, []captioning.Candidate{{Text: "a"}}}}, nil)
		if err == nil && d.call.coco {
			err = printCOCO(&out, o.kept, d.call.id)
		}
		if err != nil || !strings.Contains(out.String(), d.want) {
			t.Errorf("%+v prints %s, error %v; want %s", d.call, out.String(), err, d.want)
		}
	}
	paths := captionCall{idFrom: idFromPath}
	if files, problems := paths.numbered([]string{"a", "b"}); len(files) != 2 || problems != nil {
		t.Errorf("ids from paths: %q, %v", files, problems)
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
	code, out, errs := call(t, program(dir, "caption", "run", "a.jpg", "COCO_val2014_000000000042.jpg", "--coco",
		"--id-from", "name"))
	if code != 1 || strings.Count(out, "image_id") != 1 || !strings.Contains(out, `"image_id": 42,`) ||
		!strings.Contains(errs, "a.jpg: its name is no number") {
		t.Errorf("ids from names: exit %d, %s%s", code, out, errs)
	}
	code, out, errs = call(t, program(dir, "caption", "run", "a.jpg", "--coco", "--id-from", "name"))
	if code != 1 || out != "[]\n" || !strings.Contains(errs, "a.jpg: its name is no number") {
		t.Errorf("no file with a number: exit %d, %s%s", code, out, errs)
	}
}
