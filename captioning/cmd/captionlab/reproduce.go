package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/experiment"
	"captionlab/captioning/weights"
)

func newReproduceCommand() *cobra.Command {
	var c reproduceCall
	cmd := &cobra.Command{
		Use:   "reproduce",
		Short: "Make every declared run that is not done yet, and its records",
		Long: "Trains every declared experiment on a dataset, each seed once, reads every model out in many ways, and leaves the\n" +
			"records in results/DATASET/EXPERIMENT/seed-N. What is done is left alone; what was stopped goes on. Checkpoints stay in\n" +
			"the cache folder. Then: captionlab report",
		Example: "  captionlab reproduce --dataset flickr8k --data ~/flickr8k --dry-run\n" +
			"  captionlab reproduce --dataset flickr8k --only 'lr-*'\n" +
			"  captionlab reproduce --dataset coco --split pa4 --encoder resnet50   # the paper's own setting\n" +
			"  captionlab reproduce --dataset flickr8k --only baseline --seeds 1,2,3,4,5\n" +
			"  captionlab reproduce --dataset flickr8k --only baseline --seeds 1 --again   # are these still the numbers?",
		Args: exactly(0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	c.data.register(cmd, "split")
	cmd.Flags().StringVar(&c.only, "only", "*", "experiments to run, as a pattern: 'lr-*', or several with commas between")
	cmd.Flags().Int64SliceVar(&c.seeds, "seeds", nil, "seeds to run, as in 1,2,3 (default: those that each experiment declares)")
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, "show the plan alone")
	cmd.Flags().BoolVar(&c.again, "again", false, "make runs anew that are done, and tell whether the weights are the same")
	cmd.Flags().StringVar(&c.results, "results", "results", "folder of the records")
	return cmd
}

// reproduceCall is one call of captionlab reproduce.
type reproduceCall struct {
	data          dataFlags
	only, results string
	seeds         []int64
	dryRun, again bool
}

func (c *reproduceCall) run(ctx context.Context, out io.Writer) error {
	experiments, err := matching(c.only)
	if err != nil {
		return usageError{err}
	}
	backend, info, err := openBackend()
	if err != nil {
		return err
	}
	d, err := c.data.openEncoder(ctx, backend)
	if err != nil {
		return err
	}
	cache, err := weights.CacheDir()
	if err != nil {
		return err
	}
	r := captioning.Reproduction{Dataset: d.dataset, Fingerprint: d.fingerprint, Encoder: d.encoder.Identity(),
		Results: c.results, Checkpoints: filepath.Join(cache, "runs"), Again: c.again}
	jobs, err := r.Plan(experiments, c.seeds)
	if err != nil {
		return err
	}
	if err := printPlan(out, jobs); err != nil || c.dryRun {
		return err
	}
	if err := d.openFeatures(ctx); err != nil {
		return err
	}
	var failed []error
	for i, j := range jobs {
		if j.Done {
			continue
		}
		before, _ := experiment.ReadRun(j.Records)
		err := c.one(ctx, backend, r, d, j, experiment.Run{Backend: info, Command: c.commandFor(j)}, fmt.Sprintf("%s (%d of %d)", j.Name(), i+1, len(jobs)))
		switch {
		case errors.Is(err, captioning.ErrStopped) || ctx.Err() != nil:
			return fmt.Errorf("stopped in %s; run the same command again to go on", j.Name())
		case errors.Is(err, captioning.ErrInUse):
			newMeter().say("%s: another process is at it", j.Name())
		case err != nil:
			newMeter().say("%s failed: %v", j.Name(), err)
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

func (c *reproduceCall) one(ctx context.Context, backend compute.Backend, r captioning.Reproduction, d *data, j captioning.Job, run experiment.Run, name string) error {
	m := newMeter()
	m.say("%s", name)
	return r.Run(ctx, backend, d.features, j, run, trainMeter(m), func(line string) { m.say("%s", line) })
}

// commandFor is the command that makes one job again.
func (c *reproduceCall) commandFor(j captioning.Job) []string {
	command := []string{"captionlab", "reproduce", "--dataset", c.data.dataset, "--only", j.Experiment.Name, "--seeds", fmt.Sprint(j.Settings.Seed), "--again"}
	if c.data.split != "" {
		command = append(command, "--split", c.data.split)
	}
	if c.data.encoder.Name != "" {
		command = append(command, "--encoder", c.data.encoder.Name)
	}
	return command
}

// matching returns the declared experiments that one of the patterns, with commas between, matches.
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
		}
		total += j.AtMost
		fmt.Fprintf(w, "%s\t%s\t%s\n", j.Name(), state, takes)
	}
	fmt.Fprintf(w, "all\t\t%v; less where it ends early\n", short(total))
	return w.Flush()
}

// printDone tells a run's scores, and for one that was made again whether it ended as before.
func printDone(out io.Writer, j captioning.Job, before experiment.Run) error {
	run, err := experiment.ReadRun(j.Records)
	if err != nil {
		return err
	}
	readouts, err := experiment.ReadReadouts(j.Records)
	if err != nil {
		return err
	}
	pa4 := readouts.Readouts[0].PA4
	again := ""
	if before.Identity == run.Identity {
		again = ", the same weights as before"
		if before.Weights != run.Weights {
			again = fmt.Sprintf(", other weights than before (those came from %s, %s)", before.Host.CPU, before.Started)
		}
	}
	_, err = fmt.Fprintf(out, "%s: best epoch %d of %d, pa4 BLEU-1 %.2f, BLEU-4 %.2f%s\n", j.Name(), run.BestEpoch, run.Epochs, pa4[0].Value, pa4[1].Value, again)
	return err
}
