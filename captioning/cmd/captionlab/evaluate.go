package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// evaluateCall is one call of captionlab evaluate.
type evaluateCall struct {
	data            dataFlags
	generation      generationFlags
	split, protocol string
	out             string // file for the captions
	asJSON          bool
}

func newEvaluateCommand() *cobra.Command {
	var c evaluateCall
	cmd := &cobra.Command{
		Use:   "evaluate RUN",
		Short: "Measure the losses and scores of a trained run on a split",
		Example: "  captionlab evaluate results/flickr8k/baseline/seed-1\n" +
			"  captionlab evaluate results/flickr8k/baseline/seed-1 --split val --beam 5 --json\n" +
			"  captionlab evaluate RUN1,RUN2,RUN3   # as an ensemble",
		Args: exactly(1, "the folder of a run"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	c.data.register(cmd, "data-split")
	c.generation.register(cmd)
	cmd.Flags().StringVar(&c.split, "split", "test", "split: train, val or test")
	cmd.Flags().StringVar(&c.protocol, "protocol", "", "print only this protocol: coco or pa4 (default: both)")
	cmd.Flags().StringVar(&c.out, "out", "", "write the captions to this file, in COCO result format")
	cmd.Flags().BoolVar(&c.asJSON, "json", false, "print everything as JSON, including the scores of single images")
	return cmd
}

func (c *evaluateCall) run(cmd *cobra.Command, run string) error {
	split, err := datasets.ParseSplit(c.split)
	if err != nil {
		return usageError{err}
	}
	if c.protocol != "" {
		if err := checkProtocol(c.protocol); err != nil {
			return usageError{err}
		}
	}
	options, err := c.generation.options()
	if err != nil {
		return usageError{err}
	}
	backend, _, err := openBackend()
	if err != nil {
		return err
	}
	model, err := captioning.OpenModel(backend, run, captioning.ModelOptions{})
	if err != nil {
		return err
	}
	defer model.Close()
	if !cmd.Flags().Changed("dataset") {
		c.data.dataset = model.Checkpoint.Dataset
	}
	c.data.resume(model.Checkpoint.Source)
	if !cmd.Flags().Changed("encoder") {
		c.data.options.Encoder.Name = model.Checkpoint.Encoder.Name
	}
	data, err := c.data.open(cmd.Context(), backend)
	if errors.Is(err, fs.ErrNotExist) && model.Checkpoint.Source != nil && !cmd.Flags().Changed("dataset") {
		return fmt.Errorf("%w; if the data of the run has moved, name its place with --dataset", err)
	}
	if err != nil {
		return err
	}
	defer data.Close()
	if source := model.Checkpoint.Source; source != nil && data.Fingerprint != model.Checkpoint.Data {
		newMeter().say("%s is not the data that the model was trained on: images, captions or splits have changed "+
			"since, or it is another folder", data.Name())
	}
	e, err := model.Evaluate(cmd.Context(), data, split, options)
	if err != nil {
		return err
	}
	if c.out != "" {
		if err := score.WriteCaptions(c.out, e.Captions); err != nil {
			return err
		}
	}
	if c.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(e)
	}
	return printEvaluation(cmd.OutOrStdout(), e, c.protocol)
}

// checkProtocol reports a protocol that does not exist.
func checkProtocol(name string) error {
	if name != "coco" && name != "pa4" {
		return fmt.Errorf("unknown protocol %q: use coco or pa4", name)
	}
	return nil
}

// printEvaluation prints a score table, of both protocols or, if protocol is not empty, of that one.
func printEvaluation(out io.Writer, e *captioning.Evaluation, protocol string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	pads := "pads taken as free"
	if e.Losses.PadsMeasured {
		pads = "pads measured"
	}
	fmt.Fprintf(w, "%s split\t%d images\n", e.Split, e.Coco.Count)
	fmt.Fprintf(w, "loss_token\t%.4f nat\nloss_padded\t%.4f nat, %s\n", e.Losses.Token, e.Losses.Padded, pads)
	if protocol != "pa4" {
		names, values := e.Coco.Metrics(), e.Coco.Values()
		if e.METEOR != nil {
			names, values = append(names, score.METEOR), append(values, *e.METEOR)
		}
		for i := range values {
			values[i] *= 100
		}
		printScores(w, "coco", names, values, 2)
	}
	if protocol != "coco" {
		printScores(w, "pa4", e.PA4.Metrics(), e.PA4.Values(), 3)
	}
	fmt.Fprintf(w, "captions\t%d different, %.1f words on average, %d different words\n", e.Distinct, e.MeanWords,
		e.Words)
	return w.Flush()
}

// printScores prints the names and, below them, the values of a protocol's metrics.
func printScores(w io.Writer, protocol string, names []string, values []float64, digits int) {
	fmt.Fprintf(w, "protocol %s\t%s\n", protocol, strings.Join(names, "\t"))
	for _, x := range values {
		fmt.Fprintf(w, "\t%.*f", digits, x)
	}
	fmt.Fprintln(w)
}

// generationFlags are the flags that choose how captions are generated.
type generationFlags struct {
	o decoder.GenerateOptions
}

func (f *generationFlags) register(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.o.Beam, "beam", 1, "number of hypotheses of a beam search")
	cmd.Flags().Float64Var(&f.o.LengthPenalty, "length-penalty", 0,
		"divide a hypothesis's log-probability by its length to this power")
	cmd.Flags().Float64Var(&f.o.Temperature, "temperature", 0,
		fmt.Sprintf("sample from softmax(logits/T), with T from %g to %g; 0 takes the likeliest word",
			decoder.MinTemperature, decoder.MaxTemperature))
	cmd.Flags().IntVar(&f.o.TopK, "top-k", 0, "sample only among the K likeliest words")
	cmd.Flags().Float64Var(&f.o.TopP, "top-p", 0,
		fmt.Sprintf("sample only among the likeliest words that together reach probability P, from %g to 1",
			decoder.MinTopP))
	cmd.Flags().Uint64Var(&f.o.Seed, "sample-seed", 1, "seed of the sampling")
	cmd.Flags().IntVar(&f.o.MaxWords, "max-words", 20, "longest caption, in words")
	cmd.Flags().BoolVar(&f.o.AllowUnknown, "allow-unk", false, "allow <unk> in captions, as the paper's code does")
}

func (f *generationFlags) options() (decoder.GenerateOptions, error) { return f.o, f.o.Check() }
