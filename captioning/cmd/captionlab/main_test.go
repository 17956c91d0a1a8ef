package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"captionlab/captioning/internal/cache"
	"captionlab/captioning/xla/xlatest"
)

// playMain, set in its environment, makes the test binary run as captionlab.
const playMain = "CAPTIONLAB_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(playMain) != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func program(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), playMain+"=1")
	// Compiling takes most of the time of these tests, and they compare results only with each other.
	cmd.Env = append(cmd.Env, "XLA_FLAGS=--xla_backend_optimization_level=0")
	return cmd
}

// ownFeatures gives the programs of a test a cache folder with no features in it, so that the test sees the same on
// every run and leaves nothing behind. Weights and compiled programs stay those of the user.
func ownFeatures(t *testing.T) {
	t.Helper()
	user, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	own := t.TempDir()
	for _, name := range []string{"weights", "programs"} {
		err := os.MkdirAll(filepath.Join(user, name), 0o755)
		if err = errors.Join(err, os.Symlink(filepath.Join(user, name), filepath.Join(own, name))); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CAPTIONLAB_CACHE", own)
}

// call runs the program and returns its exit status, standard output and standard error.
func call(t *testing.T, cmd *exec.Cmd) (int, string, string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// unusable makes a text that is called an image, and the folder of a record without a model.
func unusable(t *testing.T, dir string) (text, recorded string) {
	text, recorded = filepath.Join(dir, "text.jpg"), filepath.Join(dir, "recorded")
	if err := os.WriteFile(text, []byte("not an image"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(recorded, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(recorded, "readouts.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	return text, recorded
}

// wrongCall is a call, its exit status and a part of its message.
type wrongCall struct {
	args string
	code int
	want string
}

// checkWrongCalls makes calls in dir.
func checkWrongCalls(t *testing.T, dir string, calls []wrongCall) {
	t.Helper()
	for _, c := range calls {
		t.Run(c.args, func(t *testing.T) {
			cmd := program(dir, strings.Fields(c.args)...)
			cmd.Env = append(cmd.Env, "CAPTIONLAB_DATA=")
			code, out, errs := call(t, cmd)
			if code != c.code || !strings.Contains(errs, c.want) || out != "" {
				t.Errorf("exit %d, standard error %q, standard output %q; want exit %d and %q", code, errs, out, c.code,
					c.want)
			}
			if strings.Contains(errs, "goroutine") {
				t.Errorf("a panic: %s", errs)
			}
		})
	}
}

func TestWrongCalls(t *testing.T) {
	xlatest.OpenForTest(t)
	dir := t.TempDir()
	text, recorded := unusable(t, dir)
	checkWrongCalls(t, dir, []wrongCall{
		{"train --out " + recorded, 1, "choose another folder"},
		{"nosuch", 2, `unknown command "nosuch"`},
		{"train --nosuch", 2, "--nosuch"},
		{"train extra", 2, "1 arguments given"},
		{"train --experiment nosuch", 2, "the experiments are"},
		{"train --set hiden=3", 2, `unknown setting "hiden": the settings are`},
		{"train --set hidden=0", 2, "hidden=0: use a value from 1"},
		{"train --set hidden", 2, "name=value"},
		{"train --dataset nosuch", 2, "the datasets are"},
		{"train --dataset shapes --split karpathy", 1, "only one split"},
		{"train --encoder nosuch", 2, "resnet50"},
		{"train --encoder resnet50", 1, "no weights in"},
		{"train --dataset flickr8k --data " + dir, 1, dir},
		{"train --dataset flickr8k --data " + text, 1, text},
		{"features --encoder resnet50 --weights " + text, 1, text},
		{"evaluate", 2, "the folder of a run"},
		{"evaluate " + dir, 1, dir + " is not the folder of a trained run"},
		{"evaluate x --split middle", 2, "middle"},
		{"evaluate x --protocol middle", 2, "coco or pa4"},
		{"pack", 2, "the folder of a run"},
		{"pack x", 2, "--out is missing"},
		{"pack x --out y", 1, "x is not the folder of a trained run"},
		{"pack " + recorded + " --as int4 --out y", 2, "int8, bfloat16, float32"},
		{"reproduce extra", 2, "1 arguments given"},
		{"reproduce --only nosuch", 2, "they are attention"},
		{"reproduce --only [", 2, "syntax error in pattern"},
		{"reproduce --seeds one", 2, "one"},
		{"reproduce --dataset nosuch", 2, "the datasets are"},
		{"report --root " + dir, 1, "the root must be"},
		{"report --check --root " + dir, 1, "the root must be"},
		{"evaluate x --temperature 1e38", 2, "temperature 1e+38; use 0.001 to 1000"},
		{"evaluate x --temperature 1 --top-p 1e-46", 2, "top-p 1e-46; use 1e-06 to 1"},
		{"evaluate x --temperature 1 --top-k -1", 2, "top-k -1; use 1 or more"},
	})
}

func TestDryRunShowsThePlanAndLeavesNothing(t *testing.T) {
	xlatest.OpenForTest(t)
	dir := t.TempDir()
	code, out, errs := call(t, program(dir, "reproduce", "--only", "lr-*,baseline", "--seeds", "4,5", "--dry-run"))
	if code != 0 || !strings.Contains(out, "lr-5e-3/seed-4") || !strings.Contains(out, "baseline/seed-5") ||
		strings.Contains(out, "rnn") {
		t.Errorf("exit %d, standard error %q, plan:\n%s", code, errs, out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("a dry run left %v (%v)", left, err)
	}
}

func TestEveryCommandShowsAnExample(t *testing.T) {
	for _, c := range newRootCommand().Commands() {
		if c.Name() != "help" && c.Name() != "completion" && (c.Example == "" || c.Short == "") {
			t.Errorf("command %s has no example or no description", c.Name())
		}
	}
	code, out, _ := call(t, program(t.TempDir(), "train", "--help"))
	if code != 0 || !strings.Contains(out, "captionlab train --dataset shapes") {
		t.Errorf("exit %d, help %q", code, out)
	}
}

func TestDamagedFeaturesAndHostileWeights(t *testing.T) {
	xlatest.OpenForTest(t)
	dir := t.TempDir()
	hostile := filepath.Join(dir, "hostile.pth") // pickle: call os.system("touch harmed")
	pickle := "\x80\x02cos\nsystem\nX\x0c\x00\x00\x00touch harmed\x85R."
	if err := os.WriteFile(hostile, []byte(pickle), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, errs := call(t, program(dir, "features", "--encoder", "resnet50", "--weights", hostile))
	if code != 1 || !strings.Contains(errs, hostile) {
		t.Errorf("exit %d, %s", code, errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "harmed")); err == nil {
		t.Error("the weights file ran a command")
	}
}

// TestTrainStopResumeCaption covers the whole way on the embedded dataset: training is interrupted by Ctrl-C, resumes,
// and the trained run captions images of every kind.
func TestTrainStopResumeCaption(t *testing.T) {
	xlatest.OpenForTest(t)
	dir := t.TempDir()
	args := strings.Fields(
		"train --dataset shapes --out run --set epochs=2 --set hidden=64 --set embedding=32 " +
			"--set learning_rate=5e-3 --set min_count=1",
	)
	cmd := program(dir, args...)
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, last, sent := bufio.NewScanner(errs), "", false
	for lines.Scan() {
		last = lines.Text()
		if strings.HasPrefix(last, "epoch 1 ") && !sent {
			sent = true // a second one would end the program at once
			cmd.Process.Signal(syscall.SIGINT)
		}
	}
	cmd.Wait()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(last, "--resume") ||
		!strings.Contains(last, "run folder run") {
		t.Fatalf("after Ctrl-C: %v, last line %q", cmd.ProcessState, last)
	}
	if code, _, errs := call(t, program(dir, args...)); code != 1 || !strings.Contains(errs, "--resume") {
		t.Fatalf("started again without --resume: exit %d, %s", code, errs)
	}
	code, out, errors := call(t, program(dir, append(args, "--resume")...))
	if code != 0 || !strings.Contains(out, "BLEU-4") {
		t.Fatalf("resumed: exit %d, %s%s", code, out, errors)
	}
	for _, record := range []string{"run.json", "metrics.json", "curve.csv", "captions_test.json"} {
		if _, err := os.Stat(filepath.Join(dir, "run", record)); err != nil {
			t.Error(err)
		}
	}
	code, again, _ := call(t, program(dir, "evaluate", "run"))
	if code != 0 || again != out {
		t.Errorf("evaluate: exit %d, printed\n%swhile train printed\n%s", code, again, out)
	}
	for _, args := range []string{"evaluate run --out again.json --top-p 1", "evaluate run --out nosuch/again.json"} {
		if code, _, errs := call(t, program(dir, strings.Fields(args)...)); code != 0 {
			t.Errorf("%s: exit %d, %s", args, code, errs)
		}
	}
	want, err := os.ReadFile(filepath.Join(dir, "run", "captions_test.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "again.json")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("evaluate --out wrote %.80q, %v, want %.80q", got, err, want)
	}
	captionFiles(t, dir)
	packRun(t, dir)
}
