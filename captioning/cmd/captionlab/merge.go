package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/internal/shard"
)

func newMergeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "merge SHARD-DIR",
		Short: "Put the shards of features together",
		Long: "Put the shards that features --shard published together. Features go to the cache folder, where\n" +
			"the other commands look for them, in the same bytes as if one process had computed them. The command\n" +
			"fails if shards are missing or damaged, and names them.",
		Example: "  captionlab merge shards",
		Args:    exactly(1, "the folder of the shards"),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := shard.Open(args[0])
			if err != nil {
				return err
			}
			m := newMeter()
			at, images, bad, err := captioning.MergeFeatures(cmd.Context(), folder,
				func(line string) { m.say("%s", line) })
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d images of %d shards, %d unreadable: %s\n", images,
				folder.Plan.Shards, bad, at)
			return err
		},
	}
}
