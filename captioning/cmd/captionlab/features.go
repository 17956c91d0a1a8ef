package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/internal/shard"
)

func newFeaturesCommand() *cobra.Command {
	var flags dataFlags
	var grids bool
	var cut shardFlags
	cmd := &cobra.Command{
		Use:   "features",
		Short: "Compute the features of all images of a dataset, once",
		Long: "Compute the features of all images of a dataset, once. They are computed from the pixels as they are\n" +
			"stored: an EXIF orientation is ignored, as other implementations do. Images that cannot be read are\n" +
			"left out and listed. Those left out before are tried again if --max-pixels is larger than it was.\n\n" +
			"With --grids they include the feature map of each image, for the cells attention and top-down, which\n" +
			"compute it when they need it. It takes 125 kB an image with EfficientNet-Lite0, 262 kB with\n" +
			"ResNet-50.\n\n" +
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
			if err := checkDevices(flags.options.Encoder.Devices); err != nil {
				return err
			}
			backend, _, err := openDevices(flags.options.Encoder.Devices)
			if err != nil {
				return err
			}
			data, err := flags.open(cmd.Context(), backend)
			if err != nil {
				return err
			}
			defer data.Close()
			if planned > 0 {
				return planFeatures(cmd, data, shardWork{cut.dir, grids}, planned)
			}
			if part != nil {
				return shardFeatures(cmd, data, shardWork{cut.dir, grids}, *part)
			}
			compute := data.Features
			if grids {
				compute = data.Grids
			}
			f, err := compute(cmd.Context())
			if err != nil {
				return err
			}
			m := f.Manifest
			fmt.Fprintf(cmd.OutOrStdout(), "%s, dataset fingerprint %s\n%s, weights %s\n%s\n"+
				"%d images of %d numbers in %d shards, %d unreadable\n",
				m.Dataset, m.Fingerprint, m.Encoder.Name, m.Encoder.WeightsSHA256, m.Encoder.Preprocessing,
				f.Len(), f.Dim()*(1+m.Places), len(m.Shards), len(m.Skipped))
			return nil
		},
	}
	flags.register(cmd, "split")
	cmd.Flags().BoolVar(&grids, "grids", false, "also the feature map of each image")
	registerMaxPixels(cmd, &flags.options.MaxPixels)
	cmd.Flags().IntVar(&flags.options.Encoder.Devices, "devices", 1,
		"devices that encode images, each a batch at a time; on a CPU, parts of it (for tests)")
	cut.register(cmd)
	return cmd
}

// shardWork are features in parts: the folder of the parts, and whether they have grids.
type shardWork struct {
	dir   string
	grids bool
}

// planFeatures writes the plan of a shard folder.
func planFeatures(cmd *cobra.Command, data *captioning.Data, w shardWork, shards int) error {
	f, err := data.PlanFeatures(w.dir, shards, w.grids)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d images in %d shards\n", w.dir, f.Plan.Total(), shards)
	return err
}

// shardFeatures publishes one shard of the features.
func shardFeatures(cmd *cobra.Command, data *captioning.Data, w shardWork, part shard.Part) error {
	r, isNew, err := data.ShardFeatures(cmd.Context(), w.dir, part, w.grids)
	if err != nil {
		return err
	}
	return printShard(cmd.OutOrStdout(), w.dir, *r, isNew)
}
