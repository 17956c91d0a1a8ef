package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/experiment"
)

func newTrainCommand() *cobra.Command {
	var flags dataFlags
	var name, out string
	var seed int64
	var set []string
	var resume bool
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train one model and evaluate it on the test split",
		Example: "  captionlab train --dataset shapes\n" +
			"  captionlab train --dataset flickr8k --data ~/flickr8k --experiment baseline --seed 2\n" +
			"  captionlab train --dataset flickr8k --set hidden=1024 --set learning_rate=1e-4 --out ~/runs/wide\n" +
			"  captionlab train --dataset flickr8k --out ~/runs/wide --set hidden=1024 --set learning_rate=1e-4 --resume",
		Args: exactly(0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := experiment.Named(name)
			if err != nil {
				return usageError{err}
			}
			if cmd.Flags().Changed("seed") {
				settings.Seed = seed
			}
			for _, assignment := range set {
				if err := settings.Set(assignment); err != nil {
					return usageError{err}
				}
			}
			if err := settings.Check(nil); err != nil {
				return usageError{err}
			}
			if out == "" {
				out = filepath.Join("results", flags.dataset, name, fmt.Sprintf("seed-%d", settings.Seed))
			}
			if _, err := os.Stat(filepath.Join(out, experiment.ReadoutsFile)); err == nil {
				return fmt.Errorf("%s holds the records of a run that captionlab reproduce made, which this one would write over: choose another folder with --out", out)
			}
			return train(cmd, flags, settings, name, out, resume)
		},
	}
	flags.register(cmd, "split")
	cmd.Flags().StringVar(&name, "experiment", "baseline", "declared experiment whose settings to use")
	cmd.Flags().StringArrayVar(&set, "set", nil, "change a setting, as in --set hidden=1024 (may be repeated)")
	cmd.Flags().Int64Var(&seed, "seed", 1, "seed of initial weights and shuffling")
	cmd.Flags().StringVar(&out, "out", "", "folder of the run (default: results/DATASET/EXPERIMENT/seed-N)")
	cmd.Flags().BoolVar(&resume, "resume", false, "go on with a run that was stopped")
	return cmd
}

// train trains, evaluates, writes the run's records and prints its scores.
func train(cmd *cobra.Command, flags dataFlags, settings experiment.Settings, name, out string, resume bool) error {
	ctx, started := cmd.Context(), time.Now()
	backend, info, err := openBackend()
	if err != nil {
		return err
	}
	d, err := flags.open(ctx, backend)
	if err != nil {
		return err
	}
	m := newMeter()
	config := captioning.TrainConfig{Dir: out, Dataset: d.dataset, Fingerprint: d.fingerprint, Features: d.features,
		Settings: settings, Resume: resume, Progress: trainMeter(m), Warn: func(line string) { m.say("%s", line) }}
	checkpoint, err := captioning.Train(ctx, backend, config)
	if errors.Is(err, captioning.ErrStopped) {
		return fmt.Errorf("%w (run folder %s)", err, out)
	}
	if err != nil {
		return err
	}
	run := experiment.Run{Experiment: name, Backend: info, Command: commandLine()}
	_, err = finish(ctx, cmd.OutOrStdout(), backend, d, checkpoint, run, started, out)
	return err
}

// trainMeter shows training on a meter.
func trainMeter(m *meter) func(captioning.TrainProgress) {
	return func(p captioning.TrainProgress) {
		if p.Point != nil {
			m.say("epoch %d: training loss %.4f, validation loss_token %.4f, loss_padded %.4f, %.0f s, %.0f tokens/s",
				p.Point.Epoch, p.Point.TrainLoss, p.Point.Val.Token, p.Point.Val.Padded, p.Point.Seconds, p.Rate)
			return
		}
		m.show(false, "epoch %d of at most %d, batch %d of %d: loss %.4f, %.0f tokens/s, at most %v left",
			p.Epoch, p.Epochs, p.Batch, p.Batches, p.Loss, p.Rate, short(p.Remaining))
	}
}

// commandLine is how the program was called, with its path cut to the name and without --resume: a run that went on is the
// run that was never stopped.
func commandLine() []string {
	args := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(arg string) bool { return arg == "--resume" })
	return append([]string{filepath.Base(os.Args[0])}, args...)
}
