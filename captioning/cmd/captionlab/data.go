package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/captioning/xla"
)

// dataFlags are the flags that choose a dataset and an encoder.
type dataFlags struct {
	dataset string
	options captioning.DataOptions
}

// register adds the flags to a command. splitFlag is the name of the flag that chooses a dataset's split.
func (f *dataFlags) register(cmd *cobra.Command, splitFlag string) {
	flags, o := cmd.Flags(), &f.options
	flags.StringVar(&f.dataset, "dataset", "shapes", "dataset: "+strings.Join(captioning.DatasetNames(), ", "))
	flags.StringVar(&o.Dir, "data", "", "folder of the dataset (default: its folder under $CAPTIONLAB_DATA)")
	flags.StringVar(&o.Split, splitFlag, "",
		"split of COCO: pa4 (the paper's), karpathy, or a path to lists of ids (default: pa4)")
	flags.StringVar(&o.Encoder.Name, "encoder", "", "encoder: "+strings.Join(encoder.Names(), " or ")+
		"; append -bfloat16 for that precision (default: resnet50 if its weights are found, "+
		"otherwise efficientnet-lite0)")
	flags.StringVar(&o.Encoder.Weights, "weights", "",
		"weights of the encoder, .pth or safetensors (default: where they are kept)")
	flags.BoolVar(&o.Verify, "verify", false,
		"read and hash all images and stored features again, even if their files look unchanged")
}

// open opens the dataset. backend may be nil if the features are not needed or complete.
func (f *dataFlags) open(ctx context.Context, backend compute.Backend) (*captioning.Data, error) {
	if err := captioning.CheckDatasetName(f.dataset); err != nil {
		return nil, usageError{err}
	}
	if f.options.Encoder.Name != "" {
		if _, err := encoder.Lookup(f.options.Encoder.Name); err != nil {
			return nil, usageError{err}
		}
	}
	m := newMeter()
	f.options.Notice = func(line string) { m.say("%s", line) }
	f.options.Progress = func(p encoder.Progress) {
		skipped := ""
		if p.Skipped > 0 {
			skipped = fmt.Sprintf(", %d unreadable", p.Skipped)
		}
		m.show(p.Done == p.Total, "features: %d of %d images, %.1f/s, %v left%s", p.Done, p.Total, p.Rate,
			short(p.Remaining), skipped)
	}
	return captioning.OpenData(ctx, backend, f.dataset, f.options)
}

// openBackend opens the device, with a loud warning if only the pure Go backend is available.
func openBackend() (compute.Backend, xla.Info, error) {
	m := newMeter()
	return xla.Open(xla.OpenOptions{AllowGo: true, Warn: func(line string) { m.say("%s", line) }})
}
