package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/cache"
	"captionlab/captioning/score"
	"captionlab/captioning/xla"
	"captionlab/datasets"
)

func newReproduceCommand() *cobra.Command {
	var c reproduceCall
	cmd := &cobra.Command{
		Use:   "reproduce",
		Short: "Complete every declared run and its records",
		Long: "Trains every declared experiment on a dataset with each of its seeds, generates captions with every\n" +
			"decoding strategy, and writes records to results/DATASET/EXPERIMENT/seed-N. Finished runs are\n" +
			"skipped; interrupted ones resume. Checkpoints stay in the cache folder. Next step: captionlab report\n\n" +
			taskHelp,
		Example: "  captionlab reproduce --dataset flickr8k --data ~/flickr8k --dry-run\n" +
			"  captionlab reproduce --dataset flickr8k --only 'lr-*'\n" +
			"  captionlab reproduce --dataset coco --split pa4 --encoder resnet50   # the paper's own setting\n" +
			"  captionlab reproduce --dataset flickr8k --only baseline --seeds 1,2,3,4,5\n" +
			"  captionlab reproduce --dataset flickr8k --only baseline --seeds 1 --again   # the same numbers?\n" +
			"  captionlab reproduce --dataset coco --task auto --plan sweep.json --stop-after 55m",
		Args: exactly(0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.timed(cmd.Context(), cmd.OutOrStdout()) },
	}
	c.data.register(cmd, "split")
	cmd.Flags().StringVar(&c.only, "only", "*",
		"experiments to run: a pattern such as 'lr-*', or several separated by commas")
	cmd.Flags().Int64SliceVar(&c.seeds, "seeds", nil,
		"seeds to run, such as 1,2,3 (default: those that each experiment declares)")
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, "only show the plan")
	cmd.Flags().BoolVar(&c.again, "again", false, "repeat finished runs and report whether the weights are the same")
	c.registerTask(cmd.Flags())
	cmd.Flags().StringVar(&c.results, "results", "results", "folder of the records")
	return cmd
}

// reproduceCall is one call of captionlab reproduce.
type reproduceCall struct {
	data          dataFlags
	only, results string
	seeds         []int64
	dryRun, again bool
	task, plan    string
	stopAfter     time.Duration
	lease         time.Duration

	backend compute.Backend // nil for a dry run
	info    xla.Info
}

func (c *reproduceCall) run(ctx context.Context, out io.Writer) error {
	experiments, err := matching(c.only)
	if err != nil {
		return usageError{err}
	}
	part, err := c.part()
	if err != nil {
		return usageError{err}
	}
	if !c.dryRun {
		if c.backend, c.info, err = openBackend(); err != nil {
			return err
		}
	}
	data, err := c.data.open(ctx, c.backend)
	if err != nil {
		return err
	}
	defer data.Close()
	runs, err := cache.Runs()
	if err != nil {
		return err
	}
	r := captioning.Reproduction{Data: data, Results: c.results, Checkpoints: runs, Again: c.again}
	jobs, err := r.Plan(experiments, c.seeds)
	if err != nil {
		return err
	}
	if part != nil && !c.dryRun {
		if jobs, err = c.taskJobs(r, jobs, *part); err != nil {
			return err
		}
	}
	if err := printPlan(out, jobs); err != nil || c.dryRun {
		return err
	}
	// Before the first job, for a message of its own.
	if err := data.CheckSplits(ctx, []datasets.Split{datasets.Test}); err != nil {
		return err
	}
	if c.task == "plan" {
		return nil
	}
	return c.all(ctx, out, r, jobs)
}

// all completes the jobs that are not done. A failed job does not stop the others.
func (c *reproduceCall) all(ctx context.Context, out io.Writer, r captioning.Reproduction,
	jobs []captioning.Job) error {
	var failed []error
	for i, j := range jobs {
		if j.Done {
			continue
		}
		before, _ := experiment.ReadRun(j.Records)
		m := newMeter()
		m.say("%s (%d of %d)", j.Name(), i+1, len(jobs))
		err := c.one(ctx, r, j, m)
		switch {
		case errors.Is(err, captioning.ErrStopped) || err != nil && ctx.Err() != nil:
			return fmt.Errorf("stopped in %s; run the same command again to continue", j.Name())
		case errors.Is(err, captioning.ErrInUse):
			m.say("%s: another process is working on it", j.Name())
		case err != nil:
			m.say("%s failed: %v", j.Name(), err)
			failed = append(failed, fmt.Errorf("%s: %w", j.Name(), err))
		default:
			if err := printDone(out, j, before); err != nil {
				return err
			}
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d runs failed:\n%w", len(failed), len(jobs), errors.Join(failed...))
	}
	return nil
}

// commandFor is the command that repeats one job.
func (c *reproduceCall) commandFor(j captioning.Job) []string {
	command := []string{"captionlab", "reproduce", "--dataset", c.data.dataset, "--only", j.Experiment.Name,
		"--seeds", fmt.Sprint(j.Settings.Seed), "--again"}
	if split := c.data.options.Split; split != "" {
		command = append(command, "--split", split)
	}
	if dir := c.data.options.Dir; dir != "" && strings.HasPrefix(c.data.recordName(), "own-") {
		command = append(command, "--data", dir)
	}
	if c.data.changedShares() {
		command = append(command, "--split-by", c.data.options.Custom.Shares.String(), "--split-seed",
			fmt.Sprint(c.data.options.Custom.Seed))
	}
	if name := c.data.options.Encoder.Name; name != "" {
		command = append(command, "--encoder", name)
	}
	return command
}

// matching returns the declared experiments that match one of the comma-separated patterns.
func matching(patterns string) ([]experiment.Experiment, error) {
	all, err := experiment.Declared()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range all {
		names = append(names, e.Name)
	}
	var chosen []experiment.Experiment
	for pattern := range strings.SplitSeq(patterns, ",") {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("--only %q: %w", pattern, err)
		}
		before := len(chosen)
		for _, e := range all {
			if ok, _ := path.Match(pattern, e.Name); ok {
				chosen = append(chosen, e)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("--only %q matches no experiment: they are %s", pattern, strings.Join(names, ", "))
		}
	}
	return chosen, nil
}

func printPlan(out io.Writer, jobs []captioning.Job) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "run\tstate\ttraining takes at most about\n")
	var total time.Duration
	for _, j := range jobs {
		state, takes := "to do", short(j.AtMost).String()
		switch {
		case j.Done:
			state, takes = "done", ""
		case j.Epochs > 0:
			state = fmt.Sprintf("%d epochs done", j.Epochs)
		case j.StartMissing():
			state = "to do, starts from " + j.Start.Name()
		}
		total += j.AtMost
		fmt.Fprintf(w, "%s\t%s\t%s\n", j.Name(), state, takes)
	}
	fmt.Fprintf(w, "all\t\t%v; less if runs end early\n", short(total))
	return w.Flush()
}

// printDone prints a run's scores and, for a repeated run, whether it ended as before.
func printDone(out io.Writer, j captioning.Job, before experiment.Run) error {
	run, err := experiment.ReadRun(j.Records)
	if err != nil {
		return err
	}
	readouts, err := experiment.ReadReadouts(j.Records)
	if err != nil {
		return err
	}
	greedy, _ := readouts.Get(experiment.Greedy)
	again := ""
	if before.Identity == run.Identity {
		again = ", the same weights as before"
		if before.Weights != run.Weights {
			again = fmt.Sprintf(", other weights than before (those are from %s, %s)", before.Host.CPU, before.Started)
		}
	}
	_, err = fmt.Fprintf(out, "%s: best epoch %d of %d, pa4 BLEU-1 %.2f, BLEU-4 %.2f%s\n",
		j.Name(), run.BestEpoch, run.Epochs, greedy.PA4Value(score.BLEU1), greedy.PA4Value(score.BLEU4), again)
	return err
}
