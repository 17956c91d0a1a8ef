//go:build long

package captioning

import (
	"errors"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"captionlab/captioning/xla/xlatest"
)

// A run that is killed again and again, at any moment, ends in the same bits as one that was never killed.
func TestLongKilledRunsEndInTheSameBits(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	dir := filepath.Join(t.TempDir(), "run")
	killAgainAndAgain(t, func() *exec.Cmd { return child(dir) })
	resumed := newToyRun(t, dir)
	resumed.Resume = true
	_, err := resumed.train(backend)
	must(t, err)
	wantSameRun(t, wholeRun(t), dir)
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	for _, file := range left {
		if base := filepath.Base(file); base != ".lock" && base != bestFile && base != lastFile &&
			base != previousFile && !strings.HasPrefix(base, ".lease-") {
			t.Errorf("%s was left behind", base)
		}
	}
}

// killAgainAndAgain starts a training six times and kills it at some moment.
func killAgainAndAgain(t *testing.T, start func() *exec.Cmd) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	kills := 0
	for range 6 {
		cmd := start()
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		buffer := make([]byte, 1)
		for steps := 1 + random.IntN(8); steps > 0; { // after some steps ...
			if _, err := out.Read(buffer); err != nil {
				break
			}
			if buffer[0] == '\n' {
				steps--
			}
		}
		time.Sleep(time.Duration(random.IntN(12000)) * time.Microsecond) // ... and a moment more
		must(t, cmd.Process.Kill())
		var killed *exec.ExitError
		if err := cmd.Wait(); errors.As(err, &killed) {
			kills++
		}
	}
	if kills == 0 {
		t.Fatal("every run ended before it was killed")
	}
}

// The same holds for self-critical training, which needs the run that it started from only once.
func TestLongKilledSelfCriticalRunsEndInTheSameBits(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	whole := rewardedRun(t, t.TempDir())
	_, err := whole.train(backend)
	must(t, err)
	dir := filepath.Join(t.TempDir(), "run")
	killAgainAndAgain(t, func() *exec.Cmd { return child(dir, childFrom+"="+wholeRun(t)) })
	resumed := rewardedRun(t, dir)
	resumed.Resume = true
	if holdsLast(dir) {
		resumed.From = filepath.Join(dir, "gone")
	}
	_, err = resumed.train(backend)
	must(t, err)
	wantSameRun(t, whole.Dir, dir)
}

// When the disk is full, the run stops with an error that says so, and resumes from what was saved before.
func TestLongFullDisk(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	dir := filepath.Join(t.TempDir(), "run")
	out, err := child(dir, childLimit+"=1").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "file too large") || !strings.Contains(string(out), dir) {
		t.Fatalf("error %v, output:\n%s", err, out)
	}
	resumed := newToyRun(t, dir)
	resumed.Resume = true
	last, err := readLast(dir, func(line string) { t.Error(line) })
	must(t, err)
	if last == nil || last.Training.Epoch == 0 {
		t.Fatal("the checkpoint of the first epoch is gone")
	}
	_, err = resumed.train(backend)
	must(t, err)
	wantSameRun(t, wholeRun(t), dir)
}
