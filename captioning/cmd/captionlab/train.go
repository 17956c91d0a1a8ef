package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/datasets"
)

// trainCall is one call of captionlab train.
type trainCall struct {
	data         dataFlags
	name, out    string
	from         string
	seed         int64
	set          []string
	resume       bool
	devices      int
	seedIsChosen bool
	nameIsChosen bool
}

func newTrainCommand() *cobra.Command {
	var c trainCall
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train one model and evaluate it on the test split",
		Example: "  captionlab train --dataset shapes\n" +
			"  captionlab train --dataset flickr8k --data ~/flickr8k --experiment baseline --seed 2\n" +
			"  captionlab train --dataset ~/photos --split-by 0.8,0.1,0.1   # see captionlab data check\n" +
			"  captionlab train --dataset flickr8k --set hidden=1024 --out ~/runs/wide\n" +
			"  captionlab train --dataset flickr8k --set hidden=1024 --out ~/runs/wide --resume\n" +
			"  captionlab train --dataset flickr8k --from ~/runs/wide --out ~/runs/rewarded   # self-critical",
		Args: exactly(0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.nameIsChosen = cmd.Flags().Changed("experiment")
			c.seedIsChosen = cmd.Flags().Changed("seed")
			return c.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	c.data.register(cmd, "split")
	cmd.Flags().StringVar(&c.name, "experiment", "baseline", "declared experiment whose settings to use")
	cmd.Flags().StringArrayVar(&c.set, "set", nil, "change a setting, as in --set hidden=1024 (may be repeated)")
	cmd.Flags().Int64Var(&c.seed, "seed", 1, "seed of the initial weights and of shuffling")
	cmd.Flags().StringVar(&c.out, "out", "", "run folder (default: results/DATASET/EXPERIMENT/seed-N)")
	cmd.Flags().StringVar(&c.from, "from", "", "trained run whose weights to start with; without --experiment, its "+
		"model is trained with the settings of "+experiment.SelfCritical)
	cmd.Flags().IntVar(&c.devices, "devices", 1,
		"devices that share each batch, and the images to encode; on a CPU, parts of it (for tests)")
	cmd.Flags().BoolVar(&c.resume, "resume", false, "continue a run that was stopped")
	return cmd
}

// settings are those of the experiment with the changes of the command line.
func (c *trainCall) settings() (experiment.Settings, error) {
	if c.from != "" && !c.nameIsChosen {
		c.name = experiment.SelfCritical
	}
	s, err := experiment.Named(c.name)
	if err != nil {
		return s, err
	}
	if c.from != "" && !c.nameIsChosen {
		start, err := captioning.RunSettings(c.from)
		if err != nil {
			return s, err
		}
		s = s.WithModelOf(start)
	}
	if c.seedIsChosen {
		s.Seed = c.seed
	}
	for _, assignment := range c.set {
		if err := s.Set(assignment); err != nil {
			return s, err
		}
	}
	if s.Loss == experiment.SelfCritical && c.from == "" && !c.resume {
		return s, fmt.Errorf("loss=%s improves a trained run: name its folder with --from", s.Loss)
	}
	return s, s.Check(nil)
}

// run trains, evaluates, writes the run's records and prints its scores.
func (c *trainCall) run(ctx context.Context, out io.Writer) error {
	started := time.Now()
	settings, err := c.settings()
	if err != nil {
		return usageError{err}
	}
	c.chooseOut(settings.Seed)
	if _, err := os.Stat(filepath.Join(c.out, experiment.ReadoutsFile)); err == nil {
		return fmt.Errorf("%s holds the records of a run by captionlab reproduce, which this run would overwrite: "+
			"choose another folder with --out", c.out)
	}
	if err := checkDevices(c.devices); err != nil {
		return err
	}
	c.data.options.Encoder.Devices = c.devices
	backend, info, err := openDevices(c.devices)
	if err != nil {
		return err
	}
	data, err := c.data.open(ctx, backend)
	if err != nil {
		return err
	}
	defer data.Close()
	m := newMeter()
	config := captioning.TrainConfig{Dir: c.out, Settings: settings, From: c.from, Resume: c.resume, Devices: c.devices,
		Progress: trainMeter(m),
		Evaluate: []datasets.Split{datasets.Test}, Warn: func(line string) { m.say("%s", line) }}
	model, err := captioning.Train(ctx, backend, data, config)
	switch {
	case errors.Is(err, captioning.ErrStopped):
		return fmt.Errorf("stopped; run the same command with --resume to continue (run folder %s)", c.out)
	case errors.Is(err, captioning.ErrRunExists):
		return fmt.Errorf("%s already holds a run: continue it with --resume, or choose another folder with --out",
			c.out)
	}
	if err != nil {
		return err
	}
	defer model.Close()
	run := experiment.Run{Experiment: c.name, Backend: info, Command: commandLine()}
	e, err := finish(ctx, model, data, captioning.RecordOptions{Dir: c.out, Run: run, Started: started})
	if err != nil {
		return err
	}
	return printEvaluation(out, e, "")
}

// chooseOut names the run folder unless a flag did. A run that resumes keeps its data.
func (c *trainCall) chooseOut(seed int64) {
	if c.out == "" {
		c.out = filepath.Join("results", c.data.recordName(), c.name, fmt.Sprintf("seed-%d", seed))
	}
	if c.resume {
		if source, err := captioning.ReadSource(c.out); err == nil {
			c.data.resume(source)
		}
	}
}

// finish evaluates a trained model on the test split and writes its records.
func finish(ctx context.Context, model *captioning.Model, data *captioning.Data, o captioning.RecordOptions) (
	*captioning.Evaluation, error) {
	e, err := model.Evaluate(ctx, data, datasets.Test, decoder.GenerateOptions{})
	if err != nil {
		return nil, err
	}
	return e, model.WriteRecords(ctx, data, e, o)
}

// trainMeter shows training on a meter.
func trainMeter(m *meter) func(captioning.TrainProgress) {
	return func(p captioning.TrainProgress) {
		if p.Point != nil {
			m.say("epoch %d: training loss %.4f, validation loss_token %.4f, loss_padded %.4f, %.0f s, %.0f tokens/s",
				p.Point.Epoch, p.Point.TrainLoss, p.Point.Val.Token, p.Point.Val.Padded, p.Point.Seconds, p.Rate)
			if s := p.Point.Sampled; s != nil {
				m.say("epoch %d: reward %.4f, entropy %.4f, validation CIDEr-D %.2f", p.Point.Epoch,
					s.Reward, s.Entropy, 100*s.CIDErD)
			}
			return
		}
		if p.Sampled != nil {
			m.show(false, "epoch %d of at most %d, batch %d of %d: reward %.4f, entropy %.4f, %.0f tokens/s, "+
				"at most %v left", p.Epoch, p.Epochs, p.Batch, p.Batches, p.Sampled.Reward, p.Sampled.Entropy,
				p.Rate, short(p.Remaining))
			return
		}
		m.show(false, "epoch %d of at most %d, batch %d of %d: loss %.4f, %.0f tokens/s, at most %v left",
			p.Epoch, p.Epochs, p.Batch, p.Batches, p.Loss, p.Rate, short(p.Remaining))
	}
}

// commandLine is the program's command line, with its path cut to the name and without --resume: a resumed run is the
// same run as one that was never stopped.
func commandLine() []string {
	args := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(arg string) bool { return arg == "--resume" })
	return append([]string{filepath.Base(os.Args[0])}, args...)
}
