package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/datasets"
)

func newEvaluateCommand() *cobra.Command {
	var flags dataFlags
	var generation generationFlags
	var split, protocol string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "evaluate RUN",
		Short: "Measure losses and scores of a trained run on a split",
		Example: "  captionlab evaluate results/flickr8k/baseline/seed-1\n" +
			"  captionlab evaluate results/flickr8k/baseline/seed-1 --split val --beam 5 --json",
		Args: exactly(1, "the folder of a run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			part, err := datasets.ParseSplit(split)
			if err != nil {
				return usageError{err}
			}
			if protocol != "" && protocol != "coco" && protocol != "pa4" {
				return usageError{fmt.Errorf("unknown protocol %q: use coco or pa4", protocol)}
			}
			options, err := generation.options()
			if err != nil {
				return usageError{err}
			}
			backend, _, err := openBackend()
			if err != nil {
				return err
			}
			model, err := captioning.Open(backend, args[0])
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("dataset") {
				flags.dataset = model.Checkpoint.Dataset
			}
			if !cmd.Flags().Changed("encoder") {
				flags.encoder.Name = model.Checkpoint.Encoder.Name
			}
			d, err := flags.open(cmd.Context(), backend)
			if err != nil {
				return err
			}
			e, _, err := model.Evaluate(cmd.Context(), d.dataset, part, d.features, options)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(e)
			}
			return printEvaluation(cmd.OutOrStdout(), e, protocol)
		},
	}
	flags.register(cmd, "data-split")
	generation.register(cmd)
	cmd.Flags().StringVar(&split, "split", "test", "split: train, val or test")
	cmd.Flags().StringVar(&protocol, "protocol", "", "print this protocol alone: coco or pa4 (default: both)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print everything, each picture's scores too, as JSON")
	return cmd
}

// finish evaluates a trained model, writes its records and prints its scores.
func finish(ctx context.Context, out io.Writer, backend compute.Backend, d *data, c *captioning.Checkpoint, run experiment.Run, started time.Time, dir string) (*captioning.Evaluation, error) {
	model, err := captioning.NewModel(backend, c, nil)
	if err != nil {
		return nil, err
	}
	defer model.Finalize()
	e, captions, err := model.Evaluate(ctx, d.dataset, datasets.Test, d.features, decoder.GenerateOptions{})
	if err != nil {
		return nil, err
	}
	if err := model.WriteRecords(dir, dir, run, started, d.dataset, d.features, e, captions); err != nil {
		return nil, err
	}
	return e, printEvaluation(out, e, "")
}

// printEvaluation prints a score table.
func printEvaluation(out io.Writer, e *captioning.Evaluation, protocol string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	free := ", pads taken as free"
	if e.Losses.PadsMeasured {
		free = ", pads measured"
	}
	fmt.Fprintf(w, "%s split\t%d pictures\n", e.Split, e.Coco.Count)
	fmt.Fprintf(w, "loss_token\t%.4f nat\nloss_padded\t%.4f nat%s\n", e.Losses.Token, e.Losses.Padded, free)
	if protocol != "pa4" {
		c := e.Coco
		fmt.Fprintf(w, "protocol coco\tBLEU-1\tBLEU-2\tBLEU-3\tBLEU-4\tROUGE-L\tCIDEr-D\n")
		fmt.Fprintf(w, "\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\n", 100*c.BLEU[0], 100*c.BLEU[1], 100*c.BLEU[2], 100*c.BLEU[3], 100*c.ROUGEL, 100*c.CIDEr)
	}
	if protocol != "coco" {
		p := e.PA4
		fmt.Fprintf(w, "protocol pa4\tBLEU-1\tBLEU-4\tBLEU-4 individual\n\t%.3f\t%.3f\t%.3f\n", p.BLEU1, p.BLEU4, p.BLEU4Individual)
	}
	fmt.Fprintf(w, "captions\t%d different, %.1f words on average, %d different words\n", e.Distinct, e.MeanWords, e.Words)
	return w.Flush()
}

// generationFlags are the flags that choose how captions are generated.
type generationFlags struct {
	o decoder.GenerateOptions
}

func (f *generationFlags) register(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.o.Beam, "beam", 1, "search with so many hypotheses")
	cmd.Flags().Float64Var(&f.o.LengthPenalty, "length-penalty", 0, "power of the length by which a beam's scores are divided")
	cmd.Flags().Float64Var(&f.o.Temperature, "temperature", 0, "sample from softmax(logits/T); 0 takes the likeliest word")
	cmd.Flags().IntVar(&f.o.TopK, "top-k", 0, "sample among the K likeliest words")
	cmd.Flags().Float64Var(&f.o.TopP, "top-p", 0, "sample among the likeliest words that reach probability P")
	cmd.Flags().Uint64Var(&f.o.Seed, "sample-seed", 1, "seed of the sampling")
	cmd.Flags().IntVar(&f.o.MaxWords, "max-words", 20, "longest caption")
	cmd.Flags().BoolVar(&f.o.AllowUnknown, "allow-unk", false, "let <unk> be generated, as the paper's code does")
}

func (f *generationFlags) options() (decoder.GenerateOptions, error) { return f.o, f.o.Check() }
