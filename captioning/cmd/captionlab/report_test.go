package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning"
	"captionlab/captioning/score"
	"captionlab/captioning/score/meteor"
)

// TestReportRescore adds METEOR of small tables to a committed run on the embedded dataset.
func TestReportRescore(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CAPTIONLAB_CACHE", filepath.Join(dir, "cache"))
	run := filepath.Join("results", "shapes", "lr-1e-4", "seed-1")
	committed := os.DirFS(filepath.Join("..", "..", "..", run))
	if err := os.CopyFS(filepath.Join(dir, run), committed); err != nil {
		t.Fatal(err)
	}
	report := func(args ...string) (int, string, string) {
		return call(t, program(dir, append([]string{"report"}, args...)...))
	}
	if code, out, errs := report("--rescore", "--check"); code != 2 || !strings.Contains(errs, "use one of them") {
		t.Errorf("with --check: exit %d, %s%s", code, out, errs)
	}
	if code, out, errs := report("--rescore"); code != 1 || !strings.Contains(errs, "`captionlab fetch meteor`") {
		t.Errorf("without tables: exit %d, %s%s", code, out, errs)
	}
	path, err := meteor.Path()
	if err != nil {
		t.Fatal(err)
	}
	if err := meteor.Build(path, meteor.Sources{Function: strings.NewReader("a\nthe\n")}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"METEOR: 1 runs rescored, 0 unchanged\nwrote results/README.md",
		"METEOR: 0 runs rescored, 1 unchanged\n"} {
		if code, out, errs := report("--rescore"); code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, %s%s; want %q", code, out, errs, want)
		}
	}
	if err := os.Remove(filepath.Join(dir, run, "captions_test.json")); err != nil {
		t.Fatal(err)
	}
	code, out, errs := report("--rescore")
	if code != 1 || !strings.Contains(out, "left out: shapes/lr-1e-4/seed-1: its captions are not recorded") {
		t.Errorf("without captions: exit %d, %s%s", code, out, errs)
	}
	captions := filepath.Join(run, "captions_test.json")
	if err := os.WriteFile(filepath.Join(dir, captions), []byte("[]"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := report("--rescore"); code != 1 || !strings.Contains(errs, captions) {
		t.Errorf("other captions: exit %d, %s", code, errs)
	}
}

func TestEvaluationIsPrintedWithMETEORIfKnown(t *testing.T) {
	e := &captioning.Evaluation{Split: "test", Coco: &score.CocoScores{Count: 3, CIDEr: 0.5}, PA4: &score.PA4Scores{}}
	print := func(protocol string) string {
		var out bytes.Buffer
		if err := printEvaluation(&out, e, protocol); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if out := print(""); strings.Contains(out, "METEOR") {
		t.Errorf("without METEOR: %s", out)
	}
	value := 0.195
	e.METEOR = &value
	if out := print(""); !strings.Contains(out, "CIDEr-D  METEOR\n") || !strings.Contains(out, "  50.00    19.50\n") {
		t.Errorf("with METEOR:\n%s", out)
	}
	if out := print("pa4"); strings.Contains(out, "METEOR") {
		t.Errorf("protocol pa4: %s", out)
	}
}
