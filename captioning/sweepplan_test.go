package captioning

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"captionlab/captioning/internal/lease"
	"captionlab/captioning/xla/xlatest"
)

func jobNames(jobs []Job) []string {
	var names []string
	for _, j := range jobs {
		names = append(names, j.Name())
	}
	return names
}

func TestAllTasksAgreeOnOnePlan(t *testing.T) {
	r, experiments := toyReproduction(t)
	jobs, err := r.Plan(experiments, nil)
	must(t, err)
	path := filepath.Join(t.TempDir(), "sweep.json")
	first, err := r.FixPlan(path, jobs)
	must(t, err)
	later := slices.Clone(jobs) // what is left takes another order later
	slices.Reverse(later)
	second, err := r.FixPlan(path, later)
	must(t, err)
	if want := jobNames(jobs); !slices.Equal(jobNames(first), want) || !slices.Equal(jobNames(second), want) {
		t.Errorf("the plans are %v and %v, want %v", jobNames(first), jobNames(second), want)
	}
	_, err = r.FixPlan(path, jobs[1:])
	wantError(t, err, path, jobs[0].Name()+" is in the file only")
	changed := slices.Clone(experiments)
	changed[1].Settings.Dropout = 0.2
	jobs, err = r.Plan(changed, nil)
	must(t, err)
	_, err = r.FixPlan(path, jobs)
	wantError(t, err, "narrow/seed-1 is not in the file, or with other settings or data")
}

// A process on another machine, where the file lock does not reach, keeps off a run while its lease is renewed, and
// takes it over when it is not.
func TestALeaseKeepsOtherMachinesOff(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	const stale = 300 * time.Millisecond
	dir := t.TempDir()
	theirs, err := lease.Take(dir, lease.Options{Stale: stale, Host: "another machine"})
	must(t, err)
	run := newToyRun(t, dir)
	run.Settings.Epochs, run.Lease = 1, stale
	_, err = run.train(backend)
	if !errors.Is(err, ErrInUse) {
		t.Fatalf("while another machine works: %v, want ErrInUse", err)
	}
	wantError(t, err, "another machine")
	must(t, theirs.Release())
	_, err = run.train(backend)
	must(t, err)
}

// A run whose lease was taken over stops, and writes nothing more.
func TestARunThatLostItsLeaseStops(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	const stale = 240 * time.Millisecond
	run := newToyRun(t, t.TempDir())
	run.Settings.Epochs, run.Lease = 1000, stale
	taken := false
	run.Progress = func(TrainProgress) {
		if taken {
			return
		}
		// As if this process had been silent for long: the other one takes a millisecond for long.
		theirs, err := lease.Take(run.Dir, lease.Options{Stale: time.Millisecond, Host: "another machine"})
		if errors.Is(err, lease.ErrHeld) {
			return // renewed just now
		}
		if taken = true; err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { theirs.Release() })
	}
	_, err := run.train(backend)
	if !errors.Is(err, ErrInUse) || !errors.Is(err, lease.ErrLost) {
		t.Fatalf("%v, want ErrInUse and ErrLost", err)
	}
	if holdsLast(run.Dir) {
		training, err := ReadProgress(run.Dir)
		must(t, err)
		if training.Epoch > 500 {
			t.Errorf("the run wrote checkpoints until epoch %d", training.Epoch)
		}
	}
}
