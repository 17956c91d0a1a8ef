package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newFeaturesCommand() *cobra.Command {
	var flags dataFlags
	var grids bool
	cmd := &cobra.Command{
		Use:   "features",
		Short: "Compute the features of all images of a dataset, once",
		Long: "Compute the features of all images of a dataset, once. They are computed from the pixels as they are\n" +
			"stored: an EXIF orientation is ignored, as other implementations do. Images that cannot be read are\n" +
			"left out and listed. Those left out before are tried again if --max-pixels is larger than it was.\n\n" +
			"With --grids they include the feature map of each image, for the cells attention and top-down, which\n" +
			"compute it when they need it. It takes 125 kB an image with EfficientNet-Lite0, 262 kB with ResNet-50.",
		Example: "  captionlab features --dataset flickr8k --data ~/flickr8k\n" +
			"  captionlab features --dataset ~/photos",
		Args: exactly(0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkMaxPixels(flags.options.MaxPixels); err != nil {
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
	return cmd
}
