package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/score/meteor"
)

func TestScoreMetrics(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"refs.json": `{"annotations":[{"image_id":1,"caption":"A dog runs on the beach."},
			{"image_id":2,"caption":"Two men play."}]}`,
		"caps.json": `[{"image_id":1,"caption":"a hound is running"},{"image_id":2,"caption":"two men"}]`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CAPTIONLAB_CACHE", filepath.Join(dir, "cache"))
	score := func(args ...string) (int, string, string) {
		return call(t, program(dir, append([]string{"score", "--references", "refs.json", "--captions", "caps.json"},
			args...)...))
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"--metrics bleu,meteor", 1, "run `captionlab fetch meteor`"},
		{"--metrics bleu,spice", 2, `unknown metric "spice": use some of bleu,rouge,meteor,cider,diversity`},
		{"--metrics bleu,bleu", 2, "names bleu twice"},
		{"--metrics=", 2, "--metrics is empty"},
		{"--metrics diversity", 2, "names diversity only"},
		{"--metrics bleu --protocol pa4", 2, "leave out --protocol pa4"},
	} {
		if code, out, errs := score(strings.Fields(c.args)...); code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit %d, %s%s; want exit %d and %q", c.args, code, out, errs, c.code, c.want)
		}
	}

	// Without METEOR the scores are those without --metrics.
	_, all, _ := score()
	code, chosen, errs := score("--metrics", "diversity,cider,rouge,bleu")
	if code != 0 || chosen != all {
		t.Errorf("exit %d, %s, got\n%swant\n%s", code, errs, chosen, all)
	}
	if _, out, _ := score("--metrics", "rouge"); strings.Contains(out, "BLEU") || strings.Contains(out, "distinct") ||
		!strings.Contains(out, "ROUGE-L") {
		t.Errorf("rouge only: %s", out)
	}
	scoreWithMeteor(t, score)
}

// scoreWithMeteor puts a small index where the tables are looked for.
func scoreWithMeteor(t *testing.T, score func(args ...string) (int, string, string)) {
	path, err := meteor.Path()
	if err != nil {
		t.Fatal(err)
	}
	if err := meteor.Build(path, meteor.Sources{Synsets: strings.NewReader("dog\n1\nhound\n1\n")}); err != nil {
		t.Fatal(err)
	}
	code, out, errs := score("--metrics", "meteor,bleu", "--bootstrap", "20")
	if code != 0 || !strings.Contains(out, "METEOR  ") || !strings.Contains(out, "BLEU-4") ||
		strings.Count(out, "95 % interval") != 5 {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
	var report struct {
		Chosen struct {
			Scores map[string]float64
			Images []struct {
				ID     int `json:"image_id"`
				Scores map[string]float64
			}
		}
		Diversity *struct{}
	}
	_, out, _ = score("--metrics", "meteor", "--json")
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Diversity != nil ||
		len(report.Chosen.Images) != 2 || report.Chosen.Images[1].ID != 2 || report.Chosen.Scores["METEOR"] <= 0 ||
		report.Chosen.Images[0].Scores["METEOR"] <= 0 {
		t.Errorf("%v in %s", err, out)
	}
}

func TestFetchMeteor(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CAPTIONLAB_CACHE", filepath.Join(dir, "cache"))
	fetch := func(args ...string) (int, string, string) {
		return call(t, program(dir, append([]string{"fetch"}, args...)...))
	}
	if code, out, errs := fetch(); code != 0 || !strings.Contains(out, "meteor ") {
		t.Errorf("list: exit %d, %s%s", code, out, errs)
	}
	code, out, errs := fetch("meteor", "--dry-run")
	if code != 0 || !strings.Contains(out, "license") || !strings.Contains(out, filepath.Join(dir, "cache")) {
		t.Errorf("dry run: exit %d, %s%s", code, out, errs)
	}
	if code, _, errs := fetch("meteor", "--to", "here"); code != 2 || !strings.Contains(errs, "leave out --to") {
		t.Errorf("--to: exit %d, %s", code, errs)
	}
	t.Setenv("PATH", dir) // no python3
	if code, _, errs := fetch("meteor"); code != 1 || !strings.Contains(errs, "python3") {
		t.Errorf("without Python: exit %d, %s", code, errs)
	}
	if entries, err := os.ReadDir(filepath.Join(dir, "cache", "tables")); err == nil && len(entries) > 0 {
		t.Errorf("files were left: %v", entries)
	}
}
