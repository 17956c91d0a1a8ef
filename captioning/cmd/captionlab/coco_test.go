package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/weights"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets/coco/cocotest"
)

// The paper's command on a release of COCO's shape, from annotation files to records and back: plan, training, readouts, and
// the same scores when the run is opened again; and the plan in Karpathy's split.
func TestReproduceOnCOCO(t *testing.T) {
	xlatest.OpenForTest(t)
	encoder, err := weights.EfficientNetLite0Path()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CAPTIONLAB_CACHE", t.TempDir())
	own, err := weights.EfficientNetLite0Path()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(encoder)
	if err != nil {
		t.Fatalf("%v: run make setup", err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(own), 0o755), os.WriteFile(own, data, 0o644)); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := cocotest.Write(dir, cocotest.Options{Train: 64, Val: 12, Test: 12, Zips: true}); err != nil {
		t.Fatal(err)
	}
	for _, split := range []string{"pa4", "karpathy"} {
		name := strings.TrimSuffix("coco-"+split, "-pa4")
		arguments := strings.Fields("reproduce --dataset coco --split " + split + " --encoder efficientnet-lite0 --only lr-5e-3 --results results --data")
		if code, out, errs := call(t, program(dir, append(arguments, dir, "--dry-run")...)); code != 0 || !strings.Contains(out, "lr-5e-3/seed-1") {
			t.Fatalf("plan: exit %d, %s%s", code, out, errs)
		}
		if split == "karpathy" {
			continue
		}
		if code, out, errs := call(t, program(dir, append(arguments, dir)...)); code != 0 {
			t.Fatalf("exit %d, %s%s", code, out, errs)
		}
		records := filepath.Join(dir, "results", name, "lr-5e-3", "seed-1")
		run, err := experiment.ReadRun(records)
		if err != nil {
			t.Fatal(err)
		}
		if run.Dataset != name || run.Examples["train"] != 320 || run.Examples["test"] != 60 {
			t.Errorf("run of %s with %v captions", run.Dataset, run.Examples)
		}
		command := strings.Join(run.Command, " ")
		if !strings.Contains(command, "--dataset coco --only") || !strings.Contains(command, "--split "+split) {
			t.Errorf("the record's command is %s", command)
		}
		code, out, errs := call(t, program(dir, "evaluate", records, "--data", dir, "--json"))
		type scores struct {
			PA4 struct {
				BLEU1 float64 `json:"bleu1"`
			} `json:"pa4"`
		}
		var metrics, again scores
		if err := experiment.ReadJSON(filepath.Join(records, experiment.MetricsFile), &metrics); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(out), &again); code != 0 || err != nil {
			t.Fatalf("evaluate: exit %d, %v, %s", code, err, errs)
		}
		if again != metrics || metrics.PA4.BLEU1 == 0 {
			t.Errorf("evaluate says %+v, the record %+v", again, metrics)
		}
	}
	if code, _, errs := call(t, program(dir, "train", "--dataset", "shapes", "--split", "karpathy")); code == 0 || !strings.Contains(errs, "one split alone") {
		t.Errorf("a split of shapes: exit %d, %s", code, errs)
	}
}
