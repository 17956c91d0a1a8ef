package captioning

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/xla/xlatest"
)

// toyReproduction has two small experiments on the toy dataset.
func toyReproduction(t *testing.T) (Reproduction, []experiment.Experiment) {
	slow, fast := toySettings(), toySettings()
	slow.Hidden = 40
	experiments := []experiment.Experiment{
		{Name: "wide", About: "a wide one", Settings: slow, Seeds: 1},
		{Name: "narrow", About: "a narrow one", Settings: fast, Seeds: 2, KeepSamples: true},
	}
	return Reproduction{Data: toyData(t),
		Results: filepath.Join(t.TempDir(), "results"), Checkpoints: t.TempDir()}, experiments
}

func TestPlanIsInOrderOfCostAndKnowsWhatIsDone(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	r, experiments := toyReproduction(t)
	jobs, err := r.Plan(experiments, nil)
	must(t, err)
	var names []string
	for _, j := range jobs {
		names = append(names, j.Name())
		if j.Done || j.AtMost <= 0 {
			t.Errorf("%s: done %v, at most %v", j.Name(), j.Done, j.AtMost)
		}
	}
	if got := strings.Join(names, " "); got != "narrow/seed-1 narrow/seed-2 wide/seed-1" {
		t.Fatalf("the plan is %s", got)
	}
	run := RunOptions{Run: experiment.Run{Command: []string{"captionlab", "reproduce"}}}
	must(t, r.Run(context.Background(), backend, jobs[0], run))
	jobs, err = r.Plan(experiments, nil)
	must(t, err)
	for _, j := range jobs {
		if want := j.Name() == "narrow/seed-1"; j.Done != want {
			t.Errorf("%s is done: %v, want %v", j.Name(), j.Done, want)
		}
	}
	for _, want := range []string{
		"run.json", "metrics.json", "curve.csv", "captions_test.json", "images_test.csv", "readouts.json",
		"captions_test_beam-3.json", "captions_test_temperature-0.7.json",
	} {
		if _, err := os.Stat(filepath.Join(r.Results, "toy", "narrow", "seed-1", want)); err != nil {
			t.Error(err)
		}
	}
	// Another setting, other data or another encoder is another run.
	changed := experiments[1]
	changed.Settings.Dropout = 0.2
	other := r
	other.Data = toyData(t)
	other.Data.Fingerprint = "changed"
	for i, plan := range []func() ([]Job, error){
		func() ([]Job, error) { return r.Plan([]experiment.Experiment{changed}, []int64{1}) },
		func() ([]Job, error) { return other.Plan(experiments[1:], []int64{1}) },
	} {
		jobs, err := plan()
		must(t, err)
		if len(jobs) != 1 || jobs[0].Done {
			t.Errorf("plan %d takes a run of something else as done", i)
		}
	}
}

// An experiment that starts from another comes after it in the plan, whatever it costs, and finds or trains its run.
func TestReproductionOfRunsThatStartFromOthers(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	r, experiments := toyReproduction(t)
	rewarded := experiment.Experiment{Name: "a-rewarded", Settings: toySettings(), Seeds: 1, From: "narrow"}
	rewarded.Settings.Loss, rewarded.Settings.Epochs = experiment.SelfCritical, 1
	names := func(jobs []Job) string {
		var all []string
		for _, j := range jobs {
			all = append(all, j.Name())
		}
		return strings.Join(all, " ")
	}
	all := append([]experiment.Experiment{rewarded}, experiments...)
	jobs, err := r.Plan(all, []int64{1})
	must(t, err)
	if got := names(jobs); got != "narrow/seed-1 a-rewarded/seed-1 wide/seed-1" {
		t.Fatalf("the plan is %s", got)
	}
	job := jobs[1]
	if !job.StartMissing() || job.Start.Name() != "narrow/seed-1" || job.AtMost >= jobs[0].AtMost {
		t.Errorf("%s takes %v and lacks its start: %v", job.Name(), job.AtMost, job.StartMissing())
	}
	// Run alone, it trains its start, without records, and says so.
	var warnings []string
	must(t, r.Run(context.Background(), backend, job, RunOptions{Warn: func(line string) {
		warnings = append(warnings, line)
	}}))
	if text := strings.Join(warnings, " "); !strings.Contains(text, "starts from narrow/seed-1") {
		t.Errorf("the warnings are %q", text)
	}
	start, err := ReadCheckpoint(filepath.Join(jobs[0].Work, bestFile))
	must(t, err)
	run, err := experiment.ReadRun(job.Records)
	must(t, err)
	want := experiment.Start{Identity: jobs[0].Identity, Weights: start.weightsSum()}
	if run.From == nil || *run.From != want || run.Identity != job.Identity {
		t.Errorf("the record says from %+v, identity %s; want %+v, %s", run.From, run.Identity, want, job.Identity)
	}
	// The run is found by its records, and the start's own job needs no more training.
	if _, err := OpenModel(backend, jobs[0].Work, ModelOptions{}); err != nil {
		t.Error(err)
	}
	jobs, err = r.Plan(all, []int64{1})
	must(t, err)
	for _, j := range jobs {
		if done := j.Name() == job.Name(); j.Done != done || j.StartMissing() {
			t.Errorf("%s: done %v, start missing %v", j.Name(), j.Done, j.StartMissing())
		}
		if j.Name() == "narrow/seed-1" && j.Epochs == 0 {
			t.Error("the start's epochs are forgotten")
		}
	}
	// Another start is another run.
	other := experiments[1]
	other.Settings.Dropout = 0.2
	jobs, err = r.Plan([]experiment.Experiment{rewarded, other}, []int64{1})
	must(t, err)
	for _, j := range jobs {
		if j.Done {
			t.Errorf("%s is done", j.Name())
		}
	}
	rewarded.From = "nosuch"
	_, err = r.Plan([]experiment.Experiment{rewarded}, nil)
	wantError(t, err, "a-rewarded", "nosuch")
}

func TestTwoProcessesKeepOffTheSameRun(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	r, experiments := toyReproduction(t)
	jobs, err := r.Plan(experiments[1:], []int64{1})
	must(t, err)
	var inner error
	err = r.Run(context.Background(), backend, jobs[0], RunOptions{Progress: func(TrainProgress) {
		if inner == nil {
			inner = r.Run(context.Background(), backend, jobs[0], RunOptions{})
		}
	}})
	must(t, err)
	if !errors.Is(inner, ErrInUse) {
		t.Errorf("the second one got %v, want ErrInUse", inner)
	}
}
