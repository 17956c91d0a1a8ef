package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"captionlab/captioning"
)

func newCaptionCommand() *cobra.Command {
	var generation generationFlags
	var options captioning.EncoderOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "caption RUN IMAGE...",
		Short: "Caption photographs (JPEG, PNG, WebP, GIF) with a trained run",
		Example: "  captionlab caption results/flickr8k/baseline/seed-1 holiday.jpg\n" +
			"  captionlab caption results/flickr8k/baseline/seed-1 *.jpg --beam 5 --json\n" +
			"  captionlab caption results/flickr8k/baseline/seed-1 holiday.jpg --temperature 0.7 --sample-seed 3",
		Args: atLeast(2, "the folder of a run and at least one picture"),
		RunE: func(cmd *cobra.Command, args []string) error {
			generate, err := generation.options()
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
			options.Name = model.Checkpoint.Encoder.Name
			e, err := captioning.OpenEncoder(cmd.Context(), backend, options)
			if err != nil {
				return err
			}
			open := func(name string) (io.ReadCloser, error) { return os.Open(name) }
			captions, problems, err := model.CaptionImages(cmd.Context(), e, args[1:], open, generate)
			if err != nil {
				return err
			}
			if err := printCaptions(cmd.OutOrStdout(), captions, problems, asJSON); err != nil {
				return err
			}
			return errors.Join(problems...)
		},
	}
	generation.register(cmd)
	cmd.Flags().StringVar(&options.Weights, "weights", "", "weights of the run's encoder, .pth or safetensors (default: where they are kept)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON in COCO result format, with the log-probability beside")
	return cmd
}

func printCaptions(out io.Writer, captions []captioning.Caption, problems []error, asJSON bool) error {
	type row struct {
		ID      string  `json:"image_id"`
		Caption string  `json:"caption"`
		LogProb float64 `json:"log_prob"`
	}
	rows := []row{}
	for i, c := range captions {
		if problems[i] == nil {
			rows = append(rows, row{c.ID, c.Text, c.LogProb})
		}
	}
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		return encoder.Encode(rows)
	}
	for _, r := range rows {
		if len(captions) == 1 {
			fmt.Fprintln(out, r.Caption)
		} else {
			fmt.Fprintf(out, "%s\t%s\n", r.ID, r.Caption)
		}
	}
	return nil
}
