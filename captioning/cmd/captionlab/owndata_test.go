package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
	"captionlab/datasets/custom"
	"captionlab/datasets/custom/customtest"
	"captionlab/datasets/shapes"
)

// writeOwn writes drawn images in a layout, or without captions.
func writeOwn(t *testing.T, dir, layout string) datasets.Dataset {
	t.Helper()
	ds, err := shapes.Open(shapes.WithSize(40, 10, 10), shapes.WithImageSize(64))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(customtest.Layouts, func(l customtest.Layout) bool { return l.Name == layout })
	if i < 0 {
		err = customtest.Images(dir, ds)
	} else {
		err = customtest.Write(dir, customtest.Layouts[i], ds)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// TestOwnData goes the whole way with a folder of drawn images and a table of captions: check, train, evaluate, resume,
// caption.
func TestOwnData(t *testing.T) {
	xlatest.OpenForTest(t)
	ownFeatures(t)
	dir := t.TempDir()
	photos := filepath.Join(dir, "photos")
	ds := writeOwn(t, photos, "Kaggle's captions.txt")
	code, out, errs := call(t, program(dir, "data", "check", "photos", "--split-by", "0.5,0.3,0.2", "--split-seed",
		"3"))
	next := "captionlab train --dataset ./photos --split-by 0.5,0.3,0.2 --split-seed 3"
	if code != 0 || !strings.Contains(out, "next step: "+next+"\n") || !strings.Contains(out, "60, all of them read") {
		t.Fatalf("data check: exit %d, %s%s", code, out, errs)
	}
	train := strings.Fields(strings.TrimPrefix(next, "captionlab ") +
		" --set epochs=1 --set hidden=32 --set embedding=16 " +
		"--set min_count=1 --encoder efficientnet-lite0")
	code, trained, errs := call(t, program(dir, train...))
	if code != 0 || !strings.Contains(trained, "12 images") {
		t.Fatalf("train: exit %d, %s%s", code, trained, errs)
	}
	run := filepath.Join("results", "own-photos", "baseline", "seed-1")
	record, err := experiment.ReadRun(filepath.Join(dir, run))
	source, _ := record.Source.(map[string]any)
	if err != nil || record.Dataset != "own-photos" || source["path"] != photos {
		t.Errorf("record of %s with source %v, %v", record.Dataset, record.Source, err)
	}
	elsewhere := t.TempDir() // the run knows where its data is
	code, out, errs = call(t, program(elsewhere, "evaluate", filepath.Join(dir, run)))
	if code != 0 || out != trained {
		t.Errorf("evaluate: exit %d, printed\n%s%s while train printed\n%s", code, out, errs, trained)
	}
	// Resuming uses the same splits without being told.
	resume := []string{"train", "--resume", "--out", filepath.Join(dir, run), "--set", "epochs=1", "--set", "hidden=32",
		"--set", "embedding=16", "--set", "min_count=1", "--encoder", "efficientnet-lite0"}
	if code, out, errs = call(t, program(elsewhere, resume...)); code != 0 || out != trained {
		t.Errorf("resume: exit %d, %s%s", code, out, errs)
	}
	image := filepath.Join(photos, "Images", ds.Examples(datasets.Test)[0].ID+".png")
	if code, out, errs = call(t, program(dir, "caption", run, image)); code != 0 || strings.TrimSpace(out) == "" {
		t.Errorf("caption: exit %d, %q, %s", code, out, errs)
	}
	changeOwn(t, dir, photos, run, resume)
}

// changeOwn changes a caption: evaluate says so, and the run does not resume.
func changeOwn(t *testing.T, dir, photos, run string, resume []string) {
	t.Helper()
	file := filepath.Join(photos, "captions.txt")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), ".png,", ".png,indeed ", 3)
	if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, errs := call(t, program(dir, "evaluate", run))
	if code != 0 || !strings.Contains(errs, "have changed since") {
		t.Errorf("evaluate on changed data: exit %d, %s", code, errs)
	}
	code, _, errs = call(t, program(dir, resume...))
	if code != 1 || !strings.Contains(errs, "other data") {
		t.Errorf("resume on changed data: exit %d, %s", code, errs)
	}
}

func TestOwnImagesWithoutCaptions(t *testing.T) {
	xlatest.OpenForTest(t)
	ownFeatures(t)
	dir := t.TempDir()
	writeOwn(t, filepath.Join(dir, "photos"), "")
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"features --dataset ./photos --encoder efficientnet-lite0", 0, "60 images of 1280 numbers"},
		{"train --dataset photos --encoder efficientnet-lite0", 1, "own-photos has images but no captions"},
		{"data check photos --fast", 1, "next step: captionlab features --dataset ./photos"},
		{"train --dataset ./nosuch", 1, "name a folder with images and captions"},
		{"train --dataset nosuch", 2, "give the path of their folder, such as ./photos"},
		{"train --dataset photos --split karpathy", 1, "no split called"},
		{"train --dataset photos --split-by 0.8,0.3,0.1", 2, "add up to 1.2"},
		{"train --dataset shapes --split-by 0.8,0.1,0.1", 2, "shapes has splits"},
		{"data check", 2, "the path of a folder"},
		{"data check nosuch", 1, "name a folder with images and captions"},
	} {
		code, out, errs := call(t, program(dir, strings.Fields(c.args)...))
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s: exit %d, %s%s; want exit %d and %q", c.args, code, out, errs, c.code, c.want)
		}
	}
}

// TestDataCheckReports damages a folder: every defect is in the report, and the rest can still be trained on.
func TestDataCheckReports(t *testing.T) {
	dir := t.TempDir()
	ds := writeOwn(t, dir, "CSV with a split column")
	train, test := ds.Examples(datasets.Train), ds.Examples(datasets.Test)
	f, err := ds.OpenImage(test[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	image, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{train[0].ID: image, train[1].ID: image[:200], "extra": image} {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, train[2].ID+".png")); err != nil {
		t.Fatal(err)
	}
	table, err := os.OpenFile(filepath.Join(dir, "captions.csv"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	id := train[3].ID + ".png"
	rows := "train,\"open," + id + "\ntrain,," + id + "\ntrain,café," + id + "\ntrain," + train[3].Captions[0] + "," +
		id +
		"\ntrain," + strings.Repeat("very ", 60) + "long," + id + "\ntrain,a shape,../" + id + "\n"
	if _, err := table.WriteString(rows); err != nil || table.Close() != nil {
		t.Fatal(err)
	}
	code, out, errs := call(t, program(dir, "data", "check", dir, "--json"))
	var report custom.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 0 || !report.Trainable {
		t.Fatalf("exit %d, %v, %s%s", code, err, out, errs)
	}
	got := make(map[string]int)
	for _, g := range append(report.Problems, report.Oddities...) {
		got[g.Kind] = g.Count
	}
	for _, kind := range []string{custom.BadRow, custom.EmptyCaption, custom.Outside, custom.NoFile, custom.NoCaption,
		custom.Unreadable, custom.SameBytes, custom.Repeated, custom.Long, custom.Short, custom.NotASCII} {
		if got[kind] != 1 {
			t.Errorf("%d times %q", got[kind], kind)
		}
	}
	if report.Splits[0].Images != 38 || report.Images != 58 {
		t.Errorf("%d training images of %d, want 38 of 58", report.Splits[0].Images, report.Images)
	}
	if code, out, _ := call(t, program(dir, "data", "check", dir)); code != 0 ||
		!strings.Contains(out, "captions.csv:302: a quote in it is not closed") {
		t.Errorf("exit %d, %s", code, out)
	}
}
