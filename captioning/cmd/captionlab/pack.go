package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/pretrained"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// packCall is one call of captionlab pack.
type packCall struct {
	data         dataFlags
	packing, out string
	card         bool
}

func newPackCommand() *cobra.Command {
	var c packCall
	cmd := &cobra.Command{
		Use:   "pack RUN",
		Short: "Store the model of a run in one small file",
		Long: "The file takes the place of the run's folder wherever a command reads one. With --as int8 it is a\n" +
			"quarter of the size. It cannot be trained further.\n\n" +
			"Several runs that started from the same weights, or checkpoint files of one run, separated by commas,\n" +
			"give one model with the mean of their weights.\n\n" +
			"With --card, --out is a folder, and the model in it, " + pretrained.ModelFile + ", gets a model card\n" +
			"with the scores of the test split, before and after rounding. captioning/pretrained was made so.",
		Example: "  captionlab pack results/flickr8k/baseline/seed-1 --out baseline.safetensors\n" +
			"  captionlab caption baseline.safetensors holiday.jpg\n" +
			"  captionlab pack run/best.safetensors,run/last.safetensors --out mean.safetensors\n" +
			"  captionlab pack ~/runs/small --out captioning/pretrained --card",
		Args: exactly(1, "the folder of a run, or several separated by commas"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	cmd.Flags().StringVar(&c.packing, "as", captioning.Packings[0],
		"how weights are stored: "+strings.Join(captioning.Packings, ", "))
	cmd.Flags().StringVar(&c.out, "out", "", "the file to write or, with --card, the folder (required)")
	cmd.Flags().BoolVar(&c.card, "card", false, "write a model card as well")
	return cmd
}

func (c *packCall) run(cmd *cobra.Command, run string) error {
	if c.out == "" {
		return usageError{errors.New("--out is missing: name the file to write")}
	}
	if !slices.Contains(captioning.Packings, c.packing) {
		return usageError{fmt.Errorf("--as is %q, must be %s", c.packing, strings.Join(captioning.Packings, ", "))}
	}
	if c.card && strings.Contains(run, ",") {
		return usageError{errors.New("--card describes a single run: name one")}
	}
	checkpoint, err := captioning.OpenAverage(run)
	if err != nil {
		return err
	}
	to := c.out
	if c.card {
		to = filepath.Join(c.out, pretrained.ModelFile)
	}
	if err := checkpoint.Pack(to, c.packing); err != nil {
		return err
	}
	packed, err := os.ReadFile(to)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %.1f MB, %s\n", to, float64(len(packed))/1e6, c.packing)
	if !c.card {
		return nil
	}
	record, err := experiment.ReadRun(run)
	if err != nil {
		return err
	}
	record.Command = withoutPlaces(record.Command)
	sum := sha256.Sum256(packed)
	card := pretrained.Card{File: hex.EncodeToString(sum[:]), Bytes: len(packed), Packing: c.packing,
		Command: strings.Join(withoutPlaces(commandLine()), " "), Run: record}
	if card.Scores, err = c.scores(cmd.Context(), run, to); err != nil {
		return err
	}
	return card.Write(c.out)
}

// withoutPlaces shortens the absolute paths in a command to their last names: a card is read on other machines.
func withoutPlaces(command []string) []string {
	out := slices.Clone(command)
	for i, word := range out {
		if filepath.IsAbs(word) {
			out[i] = filepath.Base(word)
		}
	}
	return out
}

// scores evaluates the model of a run as it was trained and as it was packed.
func (c *packCall) scores(ctx context.Context, run, packed string) ([]pretrained.Score, error) {
	backend, _, err := openBackend()
	if err != nil {
		return nil, err
	}
	scores := []pretrained.Score{{Strategy: "greedy", Beam: 1}, {Strategy: "beam 3", Beam: 3}}
	for _, from := range []string{run, packed} {
		if err := c.evaluate(ctx, backend, from, scores); err != nil {
			return nil, err
		}
		for i := range scores {
			if from == run {
				scores[i].Trained, scores[i].Packed = scores[i].Packed, nil
			}
		}
	}
	return scores, nil
}

// evaluate scores the captions of one model, as those of a packed one.
func (c *packCall) evaluate(ctx context.Context, backend compute.Backend, from string,
	scores []pretrained.Score) error {
	model, err := captioning.OpenModel(backend, from, captioning.ModelOptions{})
	if err != nil {
		return err
	}
	defer model.Close()
	c.data.dataset, c.data.options.Encoder.Name = model.Checkpoint.Dataset, model.Checkpoint.Encoder.Name
	c.data.resume(model.Checkpoint.Source)
	data, err := c.data.open(ctx, backend)
	if err != nil {
		return err
	}
	defer data.Close()
	for i := range scores {
		s := &scores[i]
		e, err := model.Evaluate(ctx, data, datasets.Test, decoder.GenerateOptions{Beam: s.Beam})
		if err != nil {
			return err
		}
		s.Images, s.Distinct, s.Words = e.Coco.Count, e.Distinct, e.Words
		if s.Packed, err = score.Bootstrap(e.Coco, score.BootstrapOptions{}); err != nil {
			return err
		}
	}
	return nil
}
