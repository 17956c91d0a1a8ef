package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/score"
)

// writeFiles writes files into a folder.
func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestScoreSeveralCaptionsOfEachImage(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"refs.json": `{"annotations":[{"image_id":1,"caption":"A dog runs on the beach."},
			{"image_id":2,"caption":"Two men play."}]}`,
		"first.json":  `[{"image_id":1,"caption":"a dog runs on the beach"},{"image_id":2,"caption":"two men play"}]`,
		"second.json": `[{"image_id":2,"caption":"two men"},{"image_id":1,"caption":"a dog"}]`,
		"both.json": `[{"image_id":1,"caption":"a dog runs on the beach"},{"image_id":1,"caption":"a dog"},
			{"image_id":2,"caption":"two men play"},{"image_id":2,"caption":"two men"}]`,
		"mistake.json":  `[{"image_id":1,"caption":"a"},{"image_id":1,"caption":"b"},{"image_id":2,"caption":"c"}]`,
		"training.json": `{"annotations":[{"image_id":7,"caption":"Two men."}]}`,
	})
	call := func(args ...string) (int, string, string) {
		return call(t, program(dir, append([]string{"score", "--references", "refs.json"}, args...)...))
	}
	scores := func(file string, to any) {
		t.Helper()
		code, out, errs := call("--captions", file, "--json", "--training", "training.json")
		if code != 0 {
			t.Fatalf("%s: exit %d, %s", file, code, errs)
		}
		if err := json.Unmarshal([]byte(out), to); err != nil {
			t.Fatal(err)
		}
	}
	var first, second scoreReport
	var both sampleReport
	scores("first.json", &first)
	scores("second.json", &second)
	scores("both.json", &both)
	for i, name := range first.Coco.Metrics() {
		want := (first.Coco.Values()[i] + second.Coco.Values()[i]) / 2
		if got, ok := both.Scores[name]; !ok || got != want {
			t.Errorf("%s is %v, want the mean %v", name, got, want)
		}
	}
	if *both.Diversity.Unseen != 0.75 || both.Diversity.Captions != 4 || *second.Diversity.Unseen != 0.5 {
		t.Errorf("diversity %+v, of the second %+v", both.Diversity, second.Diversity)
	}
	refs := score.References{"1": {"A dog runs on the beach."}, "2": {"Two men play."}}
	df, err := score.CountFrequencies(refs, "ptb")
	if err != nil {
		t.Fatal(err)
	}
	want, err := score.MeasureSamples(score.Samples{"1": {"a dog runs on the beach", "a dog"},
		"2": {"two men play", "two men"}}, df, "ptb")
	if err != nil || *both.Samples.SelfCIDEr != *want.SelfCIDEr || both.Samples.MBLEU != want.MBLEU {
		t.Errorf("%+v, want %+v, %v", both.Samples, want, err)
	}
	code, out, errs := call("--captions", "both.json", "--metrics", "bleu", "--training", "training.json")
	for _, want := range []string{"2 images with 2 captions each", "BLEU-4  ", "Div-1 0.6750", "mBLEU-4 ", "Self-CIDEr",
		"75.0 % not among the training captions"} {
		if code != 0 || !strings.Contains(out, want) || strings.Contains(out, "ROUGE") {
			t.Errorf("exit %d, %s%s, want %q and no ROUGE", code, out, errs, want)
		}
	}
	for args, want := range map[string]string{
		"--captions mistake.json":                       "image 1 has two captions, entries 0 and 1: keep one",
		"--captions both.json --compare first.json":     "leave out --compare",
		"--captions both.json --training refs2.json":    "refs2.json",
		"--captions first.json --training both.json":    "both.json",
		"--captions both.json --metrics bleu,nosuch":    "unknown metric",
		"--captions both.json --references second.json": "second.json",
	} {
		if code, out, errs := call(strings.Fields(args)...); code == 0 || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %s%s; want an error with %q", args, code, out, errs, want)
		}
	}
}

func TestScoreSamplesWithMissingReferences(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"refs.json": `{"annotations":[{"image_id":1,"caption":"a dog"},{"image_id":3,"caption":"a cat"}]}`,
		"caps.json": `[{"image_id":1,"caption":"a dog"},{"image_id":2,"caption":"x"},{"image_id":1,"caption":"a"},
			{"image_id":2,"caption":"y"}]`,
	})
	args := strings.Fields("score --references refs.json --captions caps.json")
	if code, out, errs := call(t, program(dir, args...)); code != 1 || !strings.Contains(errs, "image 2") {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
	code, out, errs := call(t, program(dir, append(args, "--allow-missing")...))
	if code != 0 || !strings.Contains(out, "1 images with 2 captions each") {
		t.Errorf("with --allow-missing: exit %d, %s%s", code, out, errs)
	}
}
