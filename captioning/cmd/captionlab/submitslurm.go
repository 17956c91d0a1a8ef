package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"captionlab/docker"
)

// slurmSubmission is a submission to Slurm.
type slurmSubmission struct {
	submission
	program, time, partition string
}

// slurmScript is what docker/slurm/job.sh is filled with.
type slurmScript struct {
	Name, Array, Logs, Time, Memory, Partition, Dir, Command string
	CPUs, Warning                                            int
	Env                                                      []string
}

func newSubmitSlurmCommand() *cobra.Command {
	var s slurmSubmission
	cmd := &cobra.Command{
		Use:   "slurm features|reproduce -- FLAGS",
		Short: "Submit to Slurm, or print the job scripts",
		Long: "Submits three jobs with sbatch: the plan, the array, which depends on it, and captionlab merge or\n" +
			"report, which depends on the array. With --dry-run, or where sbatch is not installed, it prints their\n" +
			"scripts. The working folder, the cache ($CAPTIONLAB_CACHE) and the data must be on a file system\n" +
			"that all nodes share. The scripts pass on CAPTIONLAB_CACHE, CAPTIONLAB_DATA and GOMLX_BACKEND.",
		Example: "  captionlab submit slurm features --tasks 32 --at-once 8 -- --dataset coco --encoder resnet50",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.check(cmd, args); err != nil {
				return usageError{err}
			}
			return s.submit(cmd.Context(), cmd.OutOrStdout())
		},
	}
	s.register(cmd)
	cmd.Flags().StringVar(&s.program, "program", "", "path of captionlab on the nodes (default: of this program)")
	cmd.Flags().StringVar(&s.time, "time", "1:00:00", "time limit of a task, as Slurm writes it")
	cmd.Flags().StringVar(&s.partition, "partition", "", "partition (default: Slurm's)")
	cmd.Flags().StringVar(&s.dir, "dir", ".", "working folder of the jobs, where they also write their logs")
	cmd.Flags().BoolVar(&s.dryRun, "dry-run", false, "only print the scripts")
	return cmd
}

// Forms of values that Slurm reads from comments of a script.
var (
	slurmTimeForm = regexp.MustCompile(`^[0-9]+(-[0-9]+)?(:[0-9]+){0,2}$`)
	slurmNameForm = regexp.MustCompile(`^[A-Za-z0-9_.,-]*$`)
)

// submit prints or submits the scripts.
func (s *slurmSubmission) submit(ctx context.Context, out io.Writer) (err error) {
	if !slurmTimeForm.MatchString(s.time) || !slurmNameForm.MatchString(s.partition) {
		return usageError{fmt.Errorf("--time %q, --partition %q: use a time such as 4:00:00 and the name of a "+
			"partition", s.time, s.partition)}
	}
	if s.program == "" {
		if s.program, err = programPath(); err != nil {
			return err
		}
	}
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return err
	}
	if strings.ContainsAny(s.dir, "\n\" ") {
		return fmt.Errorf("--dir %q: Slurm cannot write logs to a path with a space, a quote or a line break", s.dir)
	}
	_, missing := exec.LookPath("sbatch")
	if missing != nil && !s.dryRun {
		fmt.Fprintln(os.Stderr, "sbatch is not installed here, so the scripts are only printed")
	}
	before := ""
	for _, step := range s.steps(s.program) {
		script, err := s.script(step)
		if err != nil {
			return err
		}
		arguments := []string{"--parsable"}
		if before != "" {
			arguments = append(arguments, "--dependency=afterok:"+before, "--kill-on-invalid-dep=yes")
		}
		if s.dryRun || missing != nil {
			before = "ID-OF-" + s.jobName(step.suffix)
			fmt.Fprintf(out, "# sbatch %s <<'END'\n%s# END\n\n", strings.Join(arguments, " "), script)
			continue
		}
		if before, err = sbatch(ctx, arguments, script); err != nil {
			return fmt.Errorf("%s: %w", s.jobName(step.suffix), err)
		}
		fmt.Fprintf(out, "job %s: %s\n", before, s.jobName(step.suffix))
	}
	return nil
}

// script is the script of a step.
func (s *slurmSubmission) script(step step) (string, error) {
	t, err := template.ParseFS(docker.Templates, "slurm/job.sh")
	if err != nil {
		return "", err
	}
	data := slurmScript{Name: s.jobName(step.suffix), Logs: filepath.Join(s.dir, "%x-%j.log"), Time: s.time,
		Memory: strings.TrimSuffix(s.memory, "i"), Partition: s.partition, Dir: shellQuote(s.dir),
		Command: shellWords(step.command), CPUs: s.cpus, Warning: s.warning}
	if step.suffix == "" {
		data.Array = fmt.Sprintf("0-%d%%%d", s.tasks-1, min(s.atOnce, s.tasks))
		data.Logs = filepath.Join(s.dir, "%x-%A_%a.log")
	}
	for _, name := range []string{"CAPTIONLAB_CACHE", "CAPTIONLAB_DATA", "GOMLX_BACKEND"} {
		if value := os.Getenv(name); value != "" {
			data.Env = append(data.Env, name+"="+shellQuote(value))
		}
	}
	var text strings.Builder
	err = t.Execute(&text, data)
	return text.String(), err
}

// sbatch submits a script and returns the id of its job.
func sbatch(ctx context.Context, arguments []string, script string) (id string, err error) {
	cmd := exec.CommandContext(ctx, "sbatch", arguments...)
	cmd.Stdin = strings.NewReader(script)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("sbatch: %w: %s", err, strings.TrimSpace(errs.String()))
	}
	id, _, _ = strings.Cut(strings.TrimSpace(string(out)), ";") // the cluster's name may follow
	return id, nil
}
