package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/captioning/xla"
	"captionlab/datasets/custom"
)

// dataFlags are the flags that choose a dataset and an encoder.
type dataFlags struct {
	dataset string
	options captioning.DataOptions
	splitBy string
	cmd     *cobra.Command
}

// register adds the flags to a command. splitFlag is the name of the flag that chooses a dataset's split.
func (f *dataFlags) register(cmd *cobra.Command, splitFlag string) {
	flags, o := cmd.Flags(), &f.options
	f.cmd = cmd
	flags.StringVar(&f.dataset, "dataset", "shapes", "dataset: "+strings.Join(captioning.DatasetNames(), ", ")+
		", or the path of your own images and captions")
	flags.StringVar(&o.Dir, "data", "",
		"folder of the dataset (default: its folder under $CAPTIONLAB_DATA) or, for a path, "+
			"of its images (default: around the captions)")
	registerShares(flags, &f.splitBy, &o.Custom.Seed)
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

// registerShares adds the flags that divide your own data.
func registerShares(flags *pflag.FlagSet, splitBy *string, seed *int64) {
	flags.StringVar(splitBy, "split-by", custom.DefaultShares.String(),
		"shares of train, val and test among your own images, unless they have splits")
	flags.Int64Var(seed, "split-seed", 1, "seed that decides which of your own images come into which split")
}

// checkDataset checks the flags for the dataset.
func (f *dataFlags) checkDataset() (err error) {
	if err := captioning.CheckDatasetName(f.dataset); err != nil {
		return usageError{err}
	}
	if f.cmd == nil || !f.changedShares() && f.options.Custom.Shares != (custom.Shares{}) {
		return nil // those of a run
	}
	if slices.Contains(captioning.DatasetNames(), f.dataset) && f.changedShares() {
		return usageError{fmt.Errorf("--split-by and --split-seed divide your own data, and %s has splits: "+
			"leave them out", f.dataset)}
	}
	if f.options.Custom.Shares, err = custom.ParseShares(f.splitBy); err != nil {
		return usageError{fmt.Errorf("--split-by: %w", err)}
	}
	return nil
}

// recordName is the name of the dataset in records, or the dataset itself if it has none.
func (f *dataFlags) recordName() string {
	if name, err := captioning.RecordName(f.dataset); err == nil {
		return name
	}
	return f.dataset
}

func (f *dataFlags) changedShares() bool { return f.changed("split-by") || f.changed("split-seed") }

// changed reports whether a flag was given. Some commands choose the dataset without flags.
func (f *dataFlags) changed(flag string) bool { return f.cmd != nil && f.cmd.Flags().Changed(flag) }

// resume takes from a run where its data is and how it was divided, unless the flags say otherwise.
func (f *dataFlags) resume(source *captioning.Source) {
	if source == nil {
		return
	}
	if !f.changed("dataset") {
		f.dataset = source.Path
		if !f.changed("data") {
			f.options.Dir = source.Options.Images
		}
	}
	if !f.changedShares() {
		f.options.Custom.Shares, f.options.Custom.Seed = source.Options.Shares, source.Options.Seed
	}
}

// open opens the dataset. backend may be nil if the features are not needed or complete.
func (f *dataFlags) open(ctx context.Context, backend compute.Backend) (*captioning.Data, error) {
	if err := f.checkDataset(); err != nil {
		return nil, err
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
func openBackend() (compute.Backend, xla.Info, error) { return openDevices(1) }

// checkDevices checks the flag --devices.
func checkDevices(n int) error {
	if n < 1 {
		return usageError{fmt.Errorf("--devices is %d, must be at least 1", n)}
	}
	return nil
}

// openDevices is openBackend with several devices: those of the platform or, on a CPU, parts of it.
func openDevices(devices int) (compute.Backend, xla.Info, error) {
	m := newMeter()
	return xla.Open(xla.OpenOptions{AllowGo: true, Warn: func(line string) { m.say("%s", line) }, HostDevices: devices})
}
