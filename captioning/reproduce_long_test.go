//go:build long

package captioning

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/xla/xlatest"
)

func TestLongStoppedReproductionResumesToTheSameRecords(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	whole, experiments := toyReproduction(t)
	jobs, err := whole.Plan(experiments[1:], []int64{1})
	must(t, err)
	must(t, whole.Run(context.Background(), backend, jobs[0], RunOptions{}))
	want, err := experiment.ReadRun(jobs[0].Records)
	must(t, err)

	stopped, _ := toyReproduction(t)
	jobs, err = stopped.Plan(experiments[1:], []int64{1})
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	steps := 0
	err = stopped.Run(ctx, backend, jobs[0], RunOptions{Progress: func(TrainProgress) {
		if steps++; steps == 13 {
			stop()
		}
	}})
	if !errors.Is(err, ErrStopped) {
		t.Fatalf("error %v, want ErrStopped", err)
	}
	if _, err := os.Stat(filepath.Join(jobs[0].Records, experiment.RunFile)); err == nil {
		t.Fatal("a stopped run left a record")
	}
	must(t, stopped.Run(context.Background(), backend, jobs[0], RunOptions{}))
	got, err := experiment.ReadRun(jobs[0].Records)
	must(t, err)
	if got.Weights != want.Weights {
		t.Errorf("the stopped run ended in other weights")
	}
	// A repeated run ends in the same bits.
	stopped.Again = true
	jobs, err = stopped.Plan(experiments[1:], []int64{1})
	must(t, err)
	if jobs[0].Done {
		t.Fatal("a run to be repeated counts as done")
	}
	must(t, stopped.Run(context.Background(), backend, jobs[0], RunOptions{}))
	got, err = experiment.ReadRun(jobs[0].Records)
	must(t, err)
	if got.Weights != want.Weights {
		t.Errorf("the repeated run ended in other weights")
	}
}
