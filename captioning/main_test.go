package captioning

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"captionlab/captioning/decoder"
	"captionlab/captioning/xla"
)

var generateDefaults decoder.GenerateOptions

// Environment of the test binary when it runs as the training process to be killed.
const (
	childDir   = "CAPTIONLAB_TEST_RUN"
	childFrom  = "CAPTIONLAB_TEST_FROM"       // if set, self-critical training from this run
	childLimit = "CAPTIONLAB_TEST_FILE_LIMIT" // if set, files cannot grow beyond 2,000 bytes after the first epoch
)

// TestMain runs the tests or, in a child process, trains.
func TestMain(m *testing.M) {
	// Compiling takes most of the time of these tests, and they compare runs only with each other.
	os.Setenv("XLA_FLAGS", "--xla_backend_optimization_level=0")
	var code int
	if dir := os.Getenv(childDir); dir != "" {
		if err := trainAsChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	} else {
		code = m.Run()
	}
	for _, dir := range []string{wholeRunDir, stoppedDir} {
		if dir != "" {
			os.RemoveAll(dir)
		}
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
	if c.From = os.Getenv(childFrom); c.From != "" {
		c.Settings = rewardedSettings()
	}
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
