package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"

	"captionlab/captioning"
	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/lease"
	"captionlab/captioning/internal/shard"
)

// taskHelp explains tasks in the help of captionlab reproduce.
const taskHelp = "With --task I/N, the command does only jobs I, I+N, I+2N, ... of the plan in the file of --plan,\n" +
	"which the first task writes and all share; --task auto takes I and N from a Slurm array or a Kubernetes\n" +
	"Indexed Job (with N in $CAPTIONLAB_SHARDS). A task waits for a job that another process works on, and takes\n" +
	"it over if that process gives no sign of life for the time of --lease. --task plan only writes the plan and\n" +
	"computes the features.\n\n" +
	"SIGTERM, SIGUSR1 and --stop-after write a checkpoint and end the command with exit status 75, after which a\n" +
	"scheduler should run it again: it resumes."

func (c *reproduceCall) registerTask(flags *pflag.FlagSet) {
	flags.StringVar(&c.task, "task", "", "do the jobs of one task only: I/N with I from 0 to N-1, auto, auto/N or plan")
	flags.StringVar(&c.plan, "plan", "", "file of the plan that all tasks share, for --task")
	flags.DurationVar(&c.stopAfter, "stop-after", 0, "stop in good order after this time, such as 55m")
	flags.DurationVar(&c.lease, "lease", lease.DefaultStale,
		"time without a sign of life after which the run of another process is taken over")
}

// timed is run with the time limit of --stop-after.
func (c *reproduceCall) timed(ctx context.Context, out io.Writer) error {
	ctx, cancel := stopAfter(ctx, c.stopAfter)
	defer cancel()
	err := c.run(ctx, out)
	if err != nil && errors.Is(context.Cause(ctx), errRequeue) {
		return requeueError{err}
	}
	return err
}

// one completes one job. A task waits while another process works on the job.
func (c *reproduceCall) one(ctx context.Context, r captioning.Reproduction, j captioning.Job, m *meter) error {
	o := captioning.RunOptions{Run: experiment.Run{Backend: c.info, Command: c.commandFor(j)},
		Progress: trainMeter(m), Warn: func(line string) { m.say("%s", line) }, Lease: c.lease}
	for told := false; ; told = true {
		err := r.Run(ctx, c.backend, j, o)
		if c.task == "" || !errors.Is(err, captioning.ErrInUse) {
			return err
		}
		if !told {
			m.say("%s: waiting: %v", j.Name(), err)
		}
		select {
		case <-ctx.Done():
			return captioning.ErrStopped
		case <-time.After(min(c.lease/12, 5*time.Second)):
		}
		if r.Done(j) {
			return nil
		}
	}
}

// part checks the flags of a task and returns its part of the sweep, or nil for all of it.
func (c *reproduceCall) part() (*shard.Part, error) {
	switch {
	case c.stopAfter < 0:
		return nil, fmt.Errorf("--stop-after is %v: use a time such as 55m", c.stopAfter)
	case c.lease < time.Second:
		return nil, fmt.Errorf("--lease is %v: use at least a second", c.lease)
	case c.task == "" && c.plan != "":
		return nil, errors.New("--plan is for --task, which is missing")
	case c.task == "":
		return nil, nil
	case c.task == "plan" && c.plan != "":
		return &shard.Part{Index: 0, Count: 1}, nil
	case c.plan == "":
		return nil, errors.New("--task needs the plan that all tasks share: add --plan FILE")
	case c.again:
		return nil, errors.New("--again and --task exclude each other: a task that is queued again would start anew")
	}
	part, err := shard.Parse(c.task, os.Getenv)
	if err != nil {
		return nil, fmt.Errorf("--task: %w", err)
	}
	return &part, nil
}

// taskJobs returns the jobs of a task, in the order of the fixed plan.
func (c *reproduceCall) taskJobs(r captioning.Reproduction, jobs []captioning.Job, part shard.Part) (
	[]captioning.Job, error) {
	fixed, err := r.FixPlan(c.plan, jobs)
	if err != nil {
		return nil, err
	}
	var own []captioning.Job
	for i, j := range fixed {
		if i%part.Count == part.Index {
			own = append(own, j)
		}
	}
	return own, nil
}
