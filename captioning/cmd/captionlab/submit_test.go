package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// submitted returns what a call of captionlab submit prints.
func submitted(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := program(dir, append([]string{"submit"}, args...)...)
	cmd.Env = append(cmd.Env, "CAPTIONLAB_CACHE=/shared/my cache", "CAPTIONLAB_DATA=", "GOMLX_BACKEND=")
	code, out, errs := call(t, cmd)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	return out
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("the line %q is missing in\n%s", line, text)
		}
	}
}

func TestSubmitSlurmPrintsThreeDependentScripts(t *testing.T) {
	dir := t.TempDir()
	out := submitted(t, dir, "slurm", "features", "--tasks", "32", "--dry-run", "--program", "/opt/captionlab",
		"--name", "coco", "--partition", "gpu", "--", "--dataset", "coco", "--data", "it's here")
	flags := "srun --cpus-per-task=2 /opt/captionlab features --dataset coco --data 'it'\\''s here' "
	wantLines(t, out,
		"#SBATCH --array=0-31%8", "#SBATCH --requeue", "#SBATCH --signal=USR1@90", "#SBATCH --mem=4G",
		"#SBATCH --partition=gpu", "export CAPTIONLAB_CACHE='/shared/my cache'",
		flags+"--shard plan/32 --shard-dir coco-shards",
		flags+"--shard auto/32 --shard-dir coco-shards",
		"srun --cpus-per-task=2 /opt/captionlab merge coco-shards",
		"# sbatch --parsable --dependency=afterok:ID-OF-coco --kill-on-invalid-dep=yes <<'END'",
		"# sbatch --parsable --dependency=afterok:ID-OF-coco-plan --kill-on-invalid-dep=yes <<'END'",
		`    scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"`)
	if n := strings.Count(out, "#SBATCH --array"); n != 1 {
		t.Errorf("%d scripts are arrays, want 1", n)
	}
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command("bash", "-n", script).CombinedOutput(); err != nil {
		t.Errorf("bash -n: %v, %s", err, text)
	}
	out = submitted(t, dir, "slurm", "reproduce", "--tasks", "4", "--at-once", "9", "--dry-run", "--program", "cl")
	wantLines(t, out, "#SBATCH --array=0-3%4",
		"srun --cpus-per-task=2 cl reproduce --task plan --plan captionlab-reproduce-plan.json",
		"srun --cpus-per-task=2 cl reproduce --task auto/4 --plan captionlab-reproduce-plan.json",
		"srun --cpus-per-task=2 cl report")
}

// A stand-in for sbatch records how it is called.
func TestSubmitSlurmPassesScriptsAndIDsToSbatch(t *testing.T) {
	dir := t.TempDir()
	sbatch := "#!/bin/sh\necho \"$@\" >> calls\ncat > script-$(wc -l < calls)\necho \"$(wc -l < calls)7;cluster\"\n"
	if err := os.WriteFile(filepath.Join(dir, "sbatch"), []byte(sbatch), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	out := submitted(t, dir, "slurm", "features", "--tasks", "3", "--name", "x")
	if want := "job 17: x-plan\njob 27: x\njob 37: x-merge\n"; out != want {
		t.Errorf("it printed %q, want %q", out, want)
	}
	calls, err := os.ReadFile(filepath.Join(dir, "calls"))
	if want := "--parsable\n--parsable --dependency=afterok:17 --kill-on-invalid-dep=yes\n" +
		"--parsable --dependency=afterok:27 --kill-on-invalid-dep=yes\n"; err != nil || string(calls) != want {
		t.Errorf("sbatch was called with %q, %v, want %q", calls, err, want)
	}
	script, err := os.ReadFile(filepath.Join(dir, "script-2"))
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, string(script), "#!/bin/bash", "#SBATCH --array=0-2%3")
}

func TestSubmitKubernetesPrintsAManifest(t *testing.T) {
	out := submitted(t, t.TempDir(), "kubernetes", "features", "--tasks", "32", "--image", "r/c:1", "--size", "200Gi",
		"--", "--dataset", "coco", "--data", "a \"b\": c")
	wantLines(t, out, "kind: PersistentVolumeClaim", "      storage: 200Gi", "  completionMode: Indexed",
		"  completions: 32", "  parallelism: 8", "  backoffLimitPerIndex: 3", "  podFailurePolicy:",
		"        runAsNonRoot: true", "            readOnlyRootFilesystem: true", "            claimName: captionlab",
		`          image: "r/c:1"`, `            - {name: CAPTIONLAB_SHARDS, value: "32"}`,
		`          command: ["captionlab","features","--dataset","coco","--data","a \"b\": c",`+
			`"--shard","auto/32","--shard-dir","/work/captionlab-features-shards"]`,
		`          command: ["captionlab","merge","/work/captionlab-features-shards"]`)
	if n := strings.Count(out, "\n  suspend: true\n"); n != 2 {
		t.Errorf("%d jobs are suspended, want 2", n)
	}
}

func TestWrongSubmissions(t *testing.T) {
	checkWrongCalls(t, t.TempDir(), []wrongCall{
		{"submit cloud", 2, "use slurm or kubernetes"},
		{"submit slurm", 2, "name the work"},
		{"submit slurm train --tasks 2", 2, "features or reproduce"},
		{"submit slurm features --tasks 2 --dataset coco", 2, "--dataset"},
		{"submit slurm features", 2, "--tasks is 0"},
		{"submit slurm features --tasks 2 -- --nosuch", 2, "captionlab features: unknown flag: --nosuch"},
		{"submit slurm features --tasks 2 -- extra", 2, "takes no argument"},
		{"submit slurm features --tasks 2 -- --shard 1/2", 2, "--shard is set by captionlab submit"},
		{"submit kubernetes reproduce --tasks 2 -- --plan x", 2, "--plan is set by captionlab submit"},
		{"submit slurm features --tasks 2 --time soon", 2, "--time"},
		{"submit slurm features --tasks 2 --memory 4", 2, "--memory"},
		{"submit slurm features --tasks 2 --name A_b", 2, "--name"},
		{"submit slurm features --tasks 2 --warning 1", 2, "--warning"},
		{"submit kubernetes features --tasks 2 --claim A", 2, "--claim"},
		{"submit kubernetes features --tasks 2 --size 7", 2, "--size"},
		{"submit kubernetes features --tasks 2 --storage-class x", 2, "add --size"},
	})
}
