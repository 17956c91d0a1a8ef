package captioning

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"captionlab/captioning/decoder"
	"captionlab/captioning/xla"
	"captionlab/captioning/xla/xlatest"
)

var generateDefaults decoder.GenerateOptions

// Environment of the test binary when it plays the training process that is killed.
const (
	childDir   = "CAPTIONLAB_TEST_RUN"
	childLimit = "CAPTIONLAB_TEST_FILE_LIMIT" // when set: files cannot grow beyond so many bytes after the first epoch
)

// TestMain runs the tests or, in the child process, trains.
func TestMain(m *testing.M) {
	var code int
	if dir := os.Getenv(childDir); dir != "" {
		if err := trainAsChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	} else {
		code = m.Run()
	}
	if wholeRunDir != "" {
		os.RemoveAll(wholeRunDir)
	}
	os.Exit(code)
}

func trainAsChild(dir string) error {
	backend, _, err := xla.Open(xla.OpenOptions{})
	if err != nil {
		return err
	}
	features, err := sharedToyFeatures()
	if err != nil {
		return err
	}
	c := TrainConfig{Dir: dir, Settings: toySettings(), Resume: true}
	c.CheckpointEvery = time.Nanosecond // after every step: kills hit the writing of checkpoints too
	c.Progress = func(p TrainProgress) {
		fmt.Println("step")
		if p.Point != nil && os.Getenv(childLimit) != "" {
			signal.Ignore(syscall.SIGXFSZ)
			limit := syscall.Rlimit{Cur: 2000, Max: 2000}
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
				panic(err)
			}
		}
	}
	_, err = Train(context.Background(), backend, toyDataWith(features), c)
	return err
}

func child(dir string, env ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, childDir+"="+dir)...)
	return cmd
}

// A run that is killed again and again, at any moment, ends in the same bits as one that was not.
func TestKilledRunsEndInTheSameBits(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	dir := filepath.Join(t.TempDir(), "run")
	random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	kills := 0
	for range 6 {
		cmd := child(dir)
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
		t.Fatal("no kill came in time")
	}
	resumed := newToyRun(t, dir)
	resumed.Resume = true
	_, err := resumed.train(backend)
	must(t, err)
	wantSameRun(t, wholeRun(t), dir)
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	for _, file := range left {
		if base := filepath.Base(file); base != ".lock" && base != bestFile && base != lastFile && base != previousFile {
			t.Errorf("%s was left behind", base)
		}
	}
}

// Where the disk is full the run stops with an error that says so, and what was saved before can be gone on from.
func TestFullDisk(t *testing.T) {
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
