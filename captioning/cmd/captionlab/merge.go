package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/captioning/internal/shard"
)

func newMergeCommand() *cobra.Command {
	var out string
	var perFile int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "merge SHARD-DIR",
		Short: "Put the shards of features, captions or scores together",
		Long: "Put the shards that features, caption or score published with --shard together, in the same bytes\n" +
			"as if one process had computed them. Features go to the cache folder, where the other commands look\n" +
			"for them, captions to the file of --out, and scores are printed. The command fails if shards are\n" +
			"missing or damaged, and names them.",
		Example: "  captionlab merge shards\n  captionlab merge shards --out captions.jsonl\n" +
			"  captionlab merge shards --json",
		Args: exactly(1, "the folder of the shards"),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := shard.Open(args[0])
			if err != nil {
				return err
			}
			if (folder.Plan.Kind == shard.Captions) != (out != "") {
				return usageError{fmt.Errorf("%s holds shards of %s: --out FILE is for captions, which need it",
					args[0], folder.Plan.Kind)}
			}
			if asJSON && folder.Plan.Kind != shard.Scores {
				return usageError{fmt.Errorf("%s holds shards of %s: --json is for scores", args[0], folder.Plan.Kind)}
			}
			if folder.Plan.Kind == shard.Scores {
				return mergeScores(cmd.OutOrStdout(), folder, asJSON)
			}
			m, at := newMeter(), out
			var images, bad int
			if out != "" {
				images, bad, err = mergeCaptions(folder, out)
			} else {
				at, images, bad, err = captioning.MergeFeatures(cmd.Context(), folder, encoder.FeatureOptions{
					ShardSize: perFile, Warn: func(line string) { m.say("%s", line) }})
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d images of %d shards, %d unreadable: %s\n", images,
				folder.Plan.Shards, bad, at)
			return err
		},
	}
	cmd.Flags().IntVar(&perFile, "images-per-file", 0,
		"images in each file of merged features (default: 512, as in a single process); 65536 suits millions of images")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print scores as JSON, including those of single images")
	cmd.Flags().StringVar(&out, "out", "", "file of the captions, lines of JSON")
	return cmd
}
