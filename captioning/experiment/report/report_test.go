package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
)

// TestCommittedReportIsWhatTheRecordsGive is report --check on the repository itself.
func TestCommittedReportIsWhatTheRecordsGive(t *testing.T) {
	if err := Check(filepath.Join("..", "..", "..")); err != nil {
		t.Error(err)
	}
}

// makeRun writes the records of a run whose captions are right for the first good of ten pictures.
func makeRun(t *testing.T, root, name string, seed int64, good int) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(root, "results", "data", name, fmt.Sprintf("seed-%d", seed))
	must(os.MkdirAll(dir, 0o755))
	s := experiment.Defaults()
	s.Seed = seed
	must(experiment.WriteJSON(filepath.Join(dir, experiment.RunFile), experiment.Run{Experiment: name, Model: experiment.ModelVersion, Command: []string{"captionlab", "reproduce"},
		Settings: s, Epochs: 2, BestEpoch: 2, TrainTime: 60, Parameters: 1_000_000, Weights: "sum", Examples: map[string]int{"train": 3}, Host: experiment.Host{Cores: 2, CPU: "Z80"}}))
	must(experiment.WriteJSON(filepath.Join(dir, experiment.MetricsFile), map[string]any{"losses": Losses{Token: 2.5, Padded: 1.5}}))
	must(os.WriteFile(filepath.Join(dir, experiment.CurveFile), []byte("epoch,train_loss,val_loss_token,val_loss_padded,learning_rate,seconds\n1,3,2.9,2,0.1,1\n2,2,2.5,1.5,0.1,2\n"), 0o644))
	refs := make(score.References)
	var captions []score.Caption
	for i := range 10 {
		id := score.ID(fmt.Sprint(i))
		refs[id] = []string{fmt.Sprintf("a dog number %d runs on the green grass", i)}
		text := "two men sit at home"
		if i < good {
			text = refs[id][0]
		}
		captions = append(captions, score.Caption{ID: id, Text: text})
	}
	must(score.WriteCaptions(filepath.Join(dir, experiment.CaptionsFile("test")), captions))
	coco, err := score.Coco(refs, captions, score.Options{})
	must(err)
	pa4, err := score.PA4(refs, captions, score.Options{})
	must(err)
	must(score.WriteImages(filepath.Join(dir, experiment.ImagesFile("test")), coco, pa4))
	record := experiment.ReadoutsRecord{Weights: "sum", Split: "test"}
	for _, o := range (experiment.Experiment{}).Readouts() {
		out := experiment.ReadoutRecord{Readout: o}
		if out.Coco, err = score.Bootstrap(coco, score.BootstrapOptions{}); err != nil {
			t.Fatal(err)
		}
		if out.PA4, err = score.Bootstrap(pa4, score.BootstrapOptions{}); err != nil {
			t.Fatal(err)
		}
		if out.PA4AgainstGreedy, err = score.Compare(pa4, pa4, score.BootstrapOptions{}); err != nil {
			t.Fatal(err)
		}
		if out.Diversity, err = score.Diversity(map[score.ID][]string{"1": {"a dog"}}, nil, ""); err != nil {
			t.Fatal(err)
		}
		record.Readouts = append(record.Readouts, out)
	}
	must(experiment.WriteJSON(filepath.Join(dir, experiment.ReadoutsFile), record))
}

func TestReportComesFromTheRecords(t *testing.T) {
	root := t.TempDir()
	makeRun(t, root, "baseline", 1, 6)
	makeRun(t, root, "baseline", 2, 8)
	makeRun(t, root, "rnn", 1, 1)
	readme := filepath.Join(root, "README.md")
	if err := os.WriteFile(readme, []byte("before\n"+beginMark+"old\n"+endMark+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Check(root); err == nil || !strings.Contains(err.Error(), "README.md") {
		t.Fatalf("a report that was never made passes the check: %v", err)
	}
	if _, err := Write(root); err != nil {
		t.Fatal(err)
	}
	if err := Check(root); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "results", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	// 6 and 8 of 10 pictures are right: 60 and 80 on average 70, standard deviation 14.14; the wrong ones match nothing.
	for _, want := range []string{"70.00 ± 14.14", "data/baseline/seed-2", "An LSTM captions better than a vanilla RNN: at the baseline's sizes. | **holds** |", "not measured yet", "2 cores of Z80"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(text); !strings.HasPrefix(s, "before\n") || !strings.HasSuffix(s, "after\n") || strings.Contains(s, "old") || !strings.Contains(s, "70.00") {
		t.Errorf("README.md became:\n%s", s)
	}
	if strings.Contains(string(page), "earlier version") {
		t.Error("runs of this version are marked as of an earlier one")
	}
	// A record that changes makes the report stale; one that is damaged is named.
	makeRun(t, root, "rnn", 1, 2)
	if err := Check(root); err == nil || !strings.Contains(err.Error(), "results/README.md") {
		t.Errorf("a stale report passes: %v", err)
	}
	images := filepath.Join(root, "results", "data", "rnn", "seed-1", experiment.ImagesFile("test"))
	if err := os.WriteFile(images, []byte("image_id\nx\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Check(root); err == nil || !strings.Contains(err.Error(), images) {
		t.Errorf("error %v does not name the damaged file", err)
	}
}

func TestReadoutsOfOtherWeightsAreRefused(t *testing.T) {
	root := t.TempDir()
	makeRun(t, root, "baseline", 1, 6)
	dir := filepath.Join(root, "results", "data", "baseline", "seed-1")
	r, err := experiment.ReadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	r.Weights = "other"
	if err := experiment.WriteJSON(filepath.Join(dir, experiment.RunFile), r); err != nil {
		t.Fatal(err)
	}
	if err := Check(root); err == nil || !strings.Contains(err.Error(), "different weights") {
		t.Errorf("error %v", err)
	}
}
