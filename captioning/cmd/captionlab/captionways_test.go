package main

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"captionlab/captioning"
	"captionlab/captioning/pretrained"
	"captionlab/captioning/xla/xlatest"
)

// TestCaptionWithoutRun captions a photograph with nothing but its name, and with the same model in a file.
func TestCaptionWithoutRun(t *testing.T) {
	xlatest.OpenForTest(t)
	dir := t.TempDir()
	entries, err := pretrained.Photographs.ReadDir("photographs")
	if err != nil {
		t.Fatal(err)
	}
	photo, err := pretrained.Photographs.ReadFile("photographs/" + entries[0].Name())
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"photo.jpg": photo, "packed.safetensors": pretrained.Model()} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, own, errs := call(t, program(dir, "caption", "photo.jpg"))
	if code != 0 || len(strings.Fields(own)) < 3 || !strings.Contains(errs, pretrained.Source+"; --run chooses") {
		t.Fatalf("exit %d, %q, %s", code, own, errs)
	}
	for _, args := range []string{"packed.safetensors photo.jpg", "--run packed.safetensors photo.jpg"} {
		code, out, errs := call(t, program(dir, append([]string{"caption"}, strings.Fields(args)...)...))
		if code != 0 || out != own || errs != "" {
			t.Errorf("%s: exit %d, %q, %s; want %q", args, code, out, errs, own)
		}
	}
	code, out, errs := call(t, program(dir, "caption", "packed.safetensors"))
	if code != 2 || out != "" || !strings.Contains(errs, "nothing to caption with packed.safetensors") {
		t.Errorf("only a model: exit %d, %q, %s", code, out, errs)
	}
	code, out, errs = call(t, program(dir, "caption", "photo.jpg", "--attention", "sheets"))
	if code != 2 || out != "" || !strings.Contains(errs, "does not look at places") {
		t.Errorf("the attention of a model without: exit %d, %q, %s", code, out, errs)
	}
	checkCandidates(t, dir, strings.TrimSpace(own))
}

// checkCandidates asks for several captions of photo.jpg in each format; best is the greedy one.
func checkCandidates(t *testing.T, dir, best string) {
	t.Helper()
	asked := []string{"caption", "photo.jpg", "--candidates", "3"} // which sets the beam
	code, text, errs := call(t, program(dir, asked...))
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if code != 0 || len(lines) != 3 {
		t.Fatalf("text: exit %d, %q, %s", code, text, errs)
	}
	code, out, errs := call(t, program(dir, append(asked, "--csv")...))
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if code != 0 || err != nil || len(rows) != 4 {
		t.Fatalf("CSV: exit %d, %v, %q, %s", code, err, out, errs)
	}
	code, out, errs = call(t, program(dir, append(asked, "--json")...))
	var line jsonLine
	if err := json.Unmarshal([]byte(out), &line); err != nil || code != 0 || len(line.Candidates) != 3 ||
		line.File != "photo.jpg" || line.Caption != line.Candidates[0].Caption {
		t.Fatalf("JSON: exit %d, %v, %q, %s", code, err, out, errs)
	}
	before := 1.0
	for i, c := range line.Candidates {
		sum, row := 0.0, rows[i+1]
		for _, w := range c.Words {
			sum += w.LogProb
		}
		p, err := strconv.ParseFloat(row[2], 64)
		if err != nil || math.Abs(sum-c.LogProb) > 1e-3 || math.Abs(p-math.Exp(c.LogProb)) > 1e-4 || p > before ||
			row[0] != "photo.jpg" || row[1] != c.Caption || row[3] != strconv.Itoa(i+1) || row[4] != "3" ||
			!strings.HasSuffix(lines[i], "\t"+c.Caption) {
			t.Errorf("candidate %d: %q in CSV, %q as text, %+v in JSON", i, row, lines[i], c)
		}
		before = p
	}
	if best == "" || len(strings.Fields(line.Caption)) < 3 {
		t.Errorf("greedy %q, with a beam %q", best, line.Caption)
	}
}

// TestSidecars: captions lie next to their images; existing files stay, and what is done is skipped.
func TestSidecars(t *testing.T) {
	xlatest.OpenForTest(t)
	dir := t.TempDir()
	writePhotos(t, dir, 3)
	kept := filepath.Join(dir, "photo-001.txt")
	twin := filepath.Join(dir, "photo-002.png") // its sidecar would be that of photo-002.jpg
	leftover := filepath.Join(dir, "photo-000.txt.partial-123")
	for _, path := range []string{kept, twin, leftover} {
		if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err.Error()
		}
		return string(data)
	}
	code, out, errs := call(t, program(dir, "caption", ".", "--sidecar"))
	if code != 1 || out != "" || exists(filepath.Join(dir, "photo-000.txt")) ||
		!strings.Contains(errs, "1 of 4 images have a sidecar already, such as photo-001.txt: --skip-done leaves") {
		t.Fatalf("a file of the user's own: exit %d, %s%s", code, out, errs)
	}
	code, out, errs = call(t, program(dir, "caption", ".", "--sidecar", "--skip-done"))
	if code != 1 || strings.Count(out, "\n") != 2 || read("photo-001.txt") != "mine" ||
		read("photo-002.png") != "mine" || strings.Contains(errs, "partial") ||
		!strings.Contains(errs, "photo-002.png: its sidecar would be photo-002.txt, like that of photo-002.jpg") {
		t.Fatalf("exit %d, %s%s", code, out, errs)
	}
	for line := range strings.Lines(out) {
		file, caption, _ := strings.Cut(line, "\t")
		if got := read(sidecarOf(file)); got != caption || caption == "" {
			t.Errorf("the sidecar of %s holds %q, want %q", file, got, caption)
		}
	}
	if err := os.Remove(twin); err != nil {
		t.Fatal(err)
	}
	code, out, errs = call(t, program(dir, "caption", ".", "--sidecar", "--skip-done"))
	if code != 0 || out != "" || !strings.Contains(errs, "3 of 3 images have a caption already") {
		t.Errorf("--skip-done: exit %d, %s%s", code, out, errs)
	}
	code, out, errs = call(t, program(dir, "caption", ".", "--sidecar", "--overwrite"))
	if code != 0 || strings.Count(out, "\n") != 3 || read("photo-001.txt") == "mine" {
		t.Errorf("--overwrite: exit %d, %s%s", code, out, errs)
	}
	self := filepath.Join(dir, "photo.txt") // an image whose sidecar would be itself
	if err := os.Rename(filepath.Join(dir, "photo-000.jpg"), self); err != nil {
		t.Fatal(err)
	}
	before := read("photo.txt")
	code, _, errs = call(t, program(dir, "caption", "photo.txt", "--sidecar", "--overwrite"))
	if code != 1 || read("photo.txt") != before || !strings.Contains(errs, "which is itself to be captioned") {
		t.Errorf("an image named .txt: exit %d, %s", code, errs)
	}
}

func TestWrongCaptionCalls(t *testing.T) {
	xlatest.OpenForTest(t)
	dir := t.TempDir()
	checkWrongCalls(t, dir, []wrongCall{
		{"caption", 2, "at least one image"},
		{"caption " + dir + "/nosuch y.jpg", 1, "nosuch does not exist: name images or folders of images; to"},
		{"caption nosuch.safetensors y.jpg", 1, "nosuch.safetensors does not exist: name images"},
		{"caption --run nosuch y.jpg", 1, "--run nosuch is not the folder of a trained run and not a packed model"},
		{"caption y.jpg --json --csv", 2, "exclude each other"},
		{"caption y.jpg --out captions", 2, "choose --json or --csv"},
		{"caption y.jpg --out captions.json --coco", 2, "--out takes --json or --csv"},
		{"caption y.jpg --overwrite", 2, "--overwrite is for --sidecar"},
		{"caption y.jpg --sidecar --overwrite --skip-done", 2, "exclude each other"},
		{"caption y.jpg --coco --candidates 3", 2, "one caption an image"},
		{"caption y.jpg --candidates 3 --beam 2", 2, "use a beam of at least 3"},
		{"caption y.jpg --candidates 0", 2, "0 candidates"},
		{"caption y.jpg --csv --id-from name", 2, "--id-from name is for --coco"},
		{"caption x y.jpg --beam 3 --temperature 1", 2, "exclude each other"},
		{"caption x y.jpg --temperature -1", 2, "temperature -1"},
		{"caption x y.jpg --temperature 1e-38", 2, "temperature 1e-38; use 0.001 to 1000"},
		{"caption --run " + dir + " y.jpg", 1, dir + " is not the folder of a trained run"},
	})
}

// TestRunOrImage tells runs, images and mistakes apart.
func TestRunOrImage(t *testing.T) {
	dir := t.TempDir()
	parent, images := filepath.Join(dir, "results"), filepath.Join(dir, "images")
	run := filepath.Join(parent, "seed-1")
	for path, content := range map[string]string{
		filepath.Join(run, "run.json"): "{}", filepath.Join(images, "a.HEIC"): "",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		flag, first string
		run         string
		want        string // part of the error; empty if there is none
	}{
		{"", images, "", ""},
		{"", "missing.jpg", "", ""},
		{"", run, run, ""},
		{run, images, run, ""},
		{"", parent, "", "is not a run and holds no images, but these runs: " + run},
		{"", "results/seed1", "", "does not exist: name images or folders of images"},
		{parent, images, "", "the folder holds runs, name one of them: " + run},
		{images, "a.jpg", "", "the folder holds no checkpoint and no record of a run"},
		{filepath.Join(run, "run.json"), "a.jpg", "", "it is a file whose name does not end in .safetensors"},
	} {
		got, left, err := splitRun(c.flag, []string{c.first, "b.jpg"})
		switch {
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("--run %q, %s: error %v, want %q", c.flag, c.first, err, c.want)
		case c.want == "" && (err != nil || got != c.run || len(left) != 2 && c.first != run):
			t.Errorf("--run %q, %s: run %q, images %q, %v", c.flag, c.first, got, left, err)
		}
	}
	if captioning.IsRun(parent) {
		t.Error("a folder of runs is no run")
	}
}
