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
