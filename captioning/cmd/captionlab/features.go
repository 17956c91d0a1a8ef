package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/internal/shard"
)

func newFeaturesCommand() *cobra.Command {
	var flags dataFlags
	var cut shardFlags
	cmd := &cobra.Command{
		Use:   "features",
		Short: "Compute the features of all images of a dataset, once",
		Long: "Compute the features of all images of a dataset, once. They are computed from the pixels as they are\n" +
			"stored: an EXIF orientation is ignored, as other implementations do. Images that cannot be read are\n" +
			"left out and listed. Those left out before are tried again if --max-pixels is larger than it was.\n\n" +
			shardHelp,
		Example: "  captionlab features --dataset flickr8k --data ~/flickr8k\n" +
			"  captionlab features --dataset ~/photos\n" +
			"  captionlab features --dataset coco --shard 3/32 --shard-dir shards   # one of 32 processes\n" +
			"  captionlab merge shards",
		Args: exactly(0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkMaxPixels(flags.options.MaxPixels); err != nil {
				return err
			}
			part, planned, err := cut.parse()
			if err != nil {
				return err
			}
			backend, _, err := openBackend()
			if err != nil {
				return err
			}
			data, err := flags.open(cmd.Context(), backend)
			if err != nil {
				return err
			}
			defer data.Close()
			if planned > 0 {
				return planFeatures(cmd.OutOrStdout(), data, cut.dir, planned)
			}
			if part != nil {
				return shardFeatures(cmd, data, cut.dir, *part)
			}
			f, err := data.Features(cmd.Context())
			if err != nil {
				return err
			}
			m := f.Manifest
			fmt.Fprintf(cmd.OutOrStdout(), "%s, dataset fingerprint %s\n%s, weights %s\n%s\n"+
				"%d images of %d numbers in %d shards, %d unreadable\n",
				m.Dataset, m.Fingerprint, m.Encoder.Name, m.Encoder.WeightsSHA256, m.Encoder.Preprocessing,
				f.Len(), f.Dim(), len(m.Shards), len(m.Skipped))
			return nil
		},
	}
	flags.register(cmd, "split")
	registerMaxPixels(cmd, &flags.options.MaxPixels)
	cut.register(cmd)
	return cmd
}

// planFeatures writes the plan of a shard folder.
func planFeatures(out io.Writer, data *captioning.Data, dir string, shards int) error {
	f, err := data.PlanFeatures(dir, shards)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d images in %d shards\n", dir, f.Plan.Total(), shards)
	return err
}

// shardFeatures publishes one shard of the features.
func shardFeatures(cmd *cobra.Command, data *captioning.Data, dir string, part shard.Part) error {
	r, isNew, err := data.ShardFeatures(cmd.Context(), dir, part)
	if err != nil {
		return err
	}
	return printShard(cmd.OutOrStdout(), dir, *r, isNew)
}
