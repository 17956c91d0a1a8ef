package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"captionlab/captioning/xla/xlatest"
)

func TestWrongTasks(t *testing.T) {
	xlatest.OpenForTest(t)
	checkWrongCalls(t, t.TempDir(), []wrongCall{
		{"reproduce --task 0/4", 2, "add --plan FILE"},
		{"reproduce --plan p.json", 2, "--plan is for --task"},
		{"reproduce --task 4/4 --plan p.json", 2, "there is no shard 4 of 4"},
		{"reproduce --task 0/4 --plan p.json --again", 2, "exclude each other"},
		{"reproduce --lease 1ms", 2, "use at least a second"},
		{"reproduce --stop-after -1s", 2, "use a time such as 55m"},
		{"features --shard 0/4", 2, "add --shard-dir"},
		{"features --shard-dir d", 2, "--shard-dir is for --shard"},
		{"features --shard plan/0 --shard-dir d", 2, "use plan/N"},
		{"merge", 2, "the folder of the shards"},
		{"merge nosuch", 1, "nosuch"},
	})
	cmd := program(t.TempDir(), "reproduce", "--task", "auto", "--plan", "p.json")
	cmd.Env = append(cmd.Env, "SLURM_ARRAY_TASK_ID=", "JOB_COMPLETION_INDEX=")
	if code, _, errs := call(t, cmd); code != 2 || !strings.Contains(errs, "no task of an array") {
		t.Errorf("auto outside an array: exit %d, %s", code, errs)
	}
}

// Work that a scheduler stops ends with the status that queues it again, and resumes.
func TestTheSchedulersWarningStopsInGoodOrder(t *testing.T) {
	xlatest.OpenForTest(t)
	dir := t.TempDir()
	code, _, errs := call(t, program(dir, "reproduce", "--task", "0/99", "--plan", "p.json", "--stop-after", "1ns"))
	if code != exitRequeue || !strings.Contains(errs, "run the same command again") {
		t.Errorf("with --stop-after 1ns: exit %d, %s", code, errs)
	}
	args := strings.Fields("train --dataset shapes --out run --set epochs=3 --set hidden=64 --set embedding=32")
	for _, signal := range []os.Signal{syscall.SIGUSR1, syscall.SIGTERM} {
		cmd := program(dir, args...)
		out, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		sent := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "epoch ") && !sent {
				sent = true
				cmd.Process.Signal(signal)
			}
		}
		cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != exitRequeue {
			t.Fatalf("after %v: exit %d, want %d", signal, code, exitRequeue)
		}
		if _, err := os.Stat(filepath.Join(dir, "run", "last.safetensors")); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--resume")
	}
}
