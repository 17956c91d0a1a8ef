package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"captionlab/captioning/pretrained"
	"captionlab/captioning/xla/xlatest"
)

// photographs writes n photographs to a new folder of dir: copies of the two that come with captionlab.
func photographs(t *testing.T, n int) (dir string, names []string) {
	t.Helper()
	xlatest.OpenForTest(t)
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "photos"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		data, err := pretrained.Photographs.ReadFile("photographs/" + []string{"camera.jpg", "cat.jpg"}[i%2])
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join("photos", string(rune('a'+i/26))+string(rune('a'+i%26))+`, "x".jpg`)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return dir, names
}

// caption calls captionlab caption and fails unless the exit status is 0.
func caption(t *testing.T, dir string, args ...string) (out string) {
	t.Helper()
	code, out, errs := call(t, program(dir, append([]string{"caption"}, args...)...))
	if code != 0 {
		t.Fatalf("caption %q: exit %d, %s", args, code, errs)
	}
	return out
}

// TestCaptionWithoutARun: the model that comes with captionlab captions a photograph at once.
func TestCaptionWithoutARun(t *testing.T) {
	dir, names := photographs(t, 2)
	plain := caption(t, dir, names[0])
	if !strings.Contains(plain, "camera") && !strings.Contains(plain, "man") {
		t.Errorf("a man with a camera is captioned %q", plain)
	}
	if two := caption(t, dir, "photos"); !strings.HasPrefix(two, names[0]+"\t"+plain) || strings.Count(two, "\n") != 2 {
		t.Errorf("the folder: %q", two)
	}
	lines := strings.Split(strings.TrimSpace(caption(t, dir, names[0], "--beam", "3", "--candidates", "3")), "\n")
	if len(lines) != 3 || strings.Count(lines[2], "\t") != 1 {
		t.Errorf("three candidates: %q", lines)
	}
	var rows []captionRow
	text := caption(t, dir, names[0], "--beam", "3", "--candidates", "2", "--json")
	if err := json.Unmarshal([]byte(text), &rows); err != nil || len(rows) != 1 || len(rows[0].Candidates) != 2 {
		t.Fatalf("%v in %s", err, text)
	}
	sum := 0.0
	for _, w := range rows[0].Candidates[1].Words {
		sum += w.LogProb
	}
	if difference := sum - rows[0].Candidates[1].LogProb; difference > 1e-4 || difference < -1e-4 {
		t.Errorf("the words' log-probabilities add up to %g, the caption's is %g", sum, rows[0].Candidates[1].LogProb)
	}
	table, err := csv.NewReader(strings.NewReader(caption(t, dir, "photos", "--csv"))).ReadAll()
	if err != nil || len(table) != 3 || !slices.Equal(table[0], csvHead) || table[1][0] != names[0] ||
		table[1][2] != strings.TrimSpace(plain) {
		t.Errorf("CSV %q, error %v", table, err)
	}
}

func TestSidecars(t *testing.T) {
	dir, names := photographs(t, 2)
	file := func(i int) string { return filepath.Join(dir, strings.TrimSuffix(names[i], ".jpg")+".txt") }
	if out := caption(t, dir, "photos", "--sidecar"); out != "" {
		t.Errorf("standard output %q", out)
	}
	first, err := os.ReadFile(file(0))
	if err != nil || len(strings.Fields(string(first))) < 2 {
		t.Fatalf("sidecar %q, error %v", first, err)
	}
	if err := os.WriteFile(file(0), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file(1)); err != nil {
		t.Fatal(err)
	}
	code, _, errs := call(t, program(dir, "caption", "photos", "--sidecar"))
	if code != 1 || !strings.Contains(errs, "1 of 2 images have a text file already") {
		t.Errorf("exit %d, %s", code, errs)
	}
	caption(t, dir, "photos", "--sidecar", "--skip-done")
	if mine, err := os.ReadFile(file(0)); err != nil || string(mine) != "mine" {
		t.Errorf("after --skip-done %q, error %v", mine, err)
	}
	if _, err := os.Stat(file(1)); err != nil {
		t.Error(err)
	}
	caption(t, dir, "photos", "--sidecar", "--overwrite")
	if again, err := os.ReadFile(file(0)); err != nil || string(again) != string(first) {
		t.Errorf("after --overwrite %q, error %v", again, err)
	}
	twin := strings.TrimSuffix(names[0], "jpg") + "png"
	if err := os.Link(filepath.Join(dir, names[0]), filepath.Join(dir, twin)); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := call(t, program(dir, "caption", "photos", "--sidecar", "--overwrite")); code != 1 ||
		!strings.Contains(errs, "would share the file") {
		t.Errorf("two images of one name: exit %d, %s", code, errs)
	}
}

// wordsOf is a text without its numbers, whose last digits depend on which images are captioned together.
func wordsOf(text []byte) string {
	return regexp.MustCompile(`-?[0-9]+\.?[0-9]*(e[-+][0-9]+)?`).ReplaceAllString(string(text), "")
}

// TestOutContinues: a file of --out that was cut anywhere is completed by the same command, to the same captions.
func TestOutContinues(t *testing.T) {
	dir, names := photographs(t, 3)
	for _, args := range [][]string{
		{"photos", "--out", "photos/all.csv"},
		{"photos", "--out", "photos/all.jsonl"},
		{"photos", "--out", "photos/two.csv", "--beam", "2", "--candidates", "2"},
		{"photos", "--out", "photos/drawn.jsonl", "--temperature", "1", "--candidates", "2"},
	} {
		path := filepath.Join(dir, args[2])
		caption(t, dir, args...)
		whole, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(whole), filepath.Base(names[2])[:2]) {
			t.Fatalf("%s: %q, error %v", args[2], whole, err)
		}
		for _, keep := range []int{len(whole), len(whole) - 7, 20} {
			if err := os.Truncate(path, int64(keep)); err != nil {
				t.Fatal(err)
			}
			caption(t, dir, args...)
			if again, err := os.ReadFile(path); err != nil || wordsOf(again) != wordsOf(whole) {
				t.Errorf("%s, continued after %d bytes: error %v\n%s\nwant\n%s", args[2], keep, err, again, whole)
			}
		}
		code, _, errs := call(t, program(dir, append(append([]string{"caption"}, args...), "--max-words", "7")...))
		if code != 1 || !strings.Contains(errs, "other options") {
			t.Errorf("other options: exit %d, %s", code, errs)
		}
		if err := os.Remove(path + stateSuffix); err != nil {
			t.Fatal(err)
		}
		code, _, errs = call(t, program(dir, append([]string{"caption"}, args...)...))
		if code != 1 || !strings.Contains(errs, "choose another file") {
			t.Errorf("a file of unknown origin: exit %d, %s", code, errs)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOutAfterInterrupt stops captioning by a signal, and goes on.
func TestOutAfterInterrupt(t *testing.T) {
	dir, names := photographs(t, 2*captionChunk)
	cmd := program(dir, "caption", "photos", "--out", "all.jsonl")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "all.jsonl")
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(5 * time.Millisecond) {
		if text, _ := os.ReadFile(path); len(text) > 0 {
			break
		}
	}
	cmd.Process.Signal(syscall.SIGINT)
	if err := cmd.Wait(); err == nil {
		t.Log("it had finished before the signal")
	}
	before, err := os.ReadFile(path)
	if err != nil || len(before) == 0 {
		t.Fatalf("%q, error %v", before, err)
	}
	caption(t, dir, "photos", "--out", "all.jsonl")
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text), string(before)) {
		t.Errorf("what was written before has changed; error %v", err)
	}
	var ids []string
	for line := range strings.Lines(string(text)) {
		var row struct {
			ID string `json:"image_id"`
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		ids = append(ids, row.ID)
	}
	if slices.Sort(ids); !slices.Equal(ids, names) {
		t.Errorf("%d captions for %d images, each of which should have one", len(ids), len(names))
	}
}
