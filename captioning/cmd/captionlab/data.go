package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/captioning/xla"
	"captionlab/datasets"
)

// dataFlags are the flags that name a dataset and an encoder.
type dataFlags struct {
	dataset, data, split string
	encoder              captioning.EncoderOptions
}

// register adds the flags to a command. splitFlag is the name of the one that chooses a dataset's split.
func (f *dataFlags) register(cmd *cobra.Command, splitFlag string) {
	cmd.Flags().StringVar(&f.dataset, "dataset", "shapes", "dataset: "+strings.Join(captioning.DatasetNames, ", "))
	cmd.Flags().StringVar(&f.data, "data", "", "folder of the dataset (default: its folder under $CAPTIONLAB_DATA)")
	cmd.Flags().StringVar(&f.split, splitFlag, "", "split of COCO: pa4, the paper's; karpathy; or the path of lists of ids (default: pa4)")
	cmd.Flags().StringVar(&f.encoder.Name, "encoder", "", "encoder: "+strings.Join(encoder.Names(), " or ")+", with -bfloat16 behind it in that precision (default: resnet50 where its weights are found, else the small one)")
	cmd.Flags().StringVar(&f.encoder.Weights, "weights", "", "weights of the encoder, .pth or safetensors (default: where they are kept)")
}

// data is an opened dataset with its features.
type data struct {
	dataset     datasets.Dataset
	fingerprint string
	encoder     *encoder.Encoder
	features    *encoder.Features
}

// open opens dataset and encoder and makes or opens the features, with progress.
func (f *dataFlags) open(ctx context.Context, backend compute.Backend) (*data, error) {
	d, err := f.openEncoder(ctx, backend)
	if err != nil {
		return nil, err
	}
	return d, d.openFeatures(ctx)
}

// openEncoder opens dataset and encoder alone.
func (f *dataFlags) openEncoder(ctx context.Context, backend compute.Backend) (*data, error) {
	if known, _, _ := strings.Cut(f.dataset, "-"); !slices.Contains(captioning.DatasetNames, known) {
		return nil, usageError{fmt.Errorf("unknown dataset %q: the datasets are %s", f.dataset, strings.Join(captioning.DatasetNames, ", "))}
	}
	if f.encoder.Name != "" {
		if _, err := encoder.Lookup(f.encoder.Name); err != nil {
			return nil, usageError{err}
		}
	}
	m := newMeter()
	d := new(data)
	var err error
	if d.dataset, err = captioning.OpenDataset(f.dataset, f.data, captioning.WithSplit(f.split)); err != nil {
		return nil, err
	}
	for _, oddity := range d.dataset.Oddities() {
		m.say("%s: %s", d.dataset.Name(), oddity)
	}
	if d.encoder, err = captioning.OpenEncoder(ctx, backend, f.encoder); err != nil {
		return nil, err
	}
	d.fingerprint, err = datasets.Fingerprint(ctx, d.dataset)
	return d, err
}

// openFeatures makes or opens the features, with progress.
func (d *data) openFeatures(ctx context.Context) (err error) {
	m := newMeter()
	d.features, err = captioning.Features(ctx, d.dataset, d.fingerprint, d.encoder, func(p encoder.Progress) {
		skipped := ""
		if p.Skipped > 0 {
			skipped = fmt.Sprintf(", %d unreadable", p.Skipped)
		}
		m.show(p.Done == p.Total, "features: %d of %d pictures, %.1f/s, %v left%s", p.Done, p.Total, p.Rate, short(p.Remaining), skipped)
	})
	if err != nil {
		return err
	}
	for _, s := range d.features.Manifest.Skipped {
		m.say("left out: picture %s: %s", s.ID, s.Reason)
	}
	return nil
}

// openBackend opens the device, with a loud warning where only the pure Go backend is there.
func openBackend() (compute.Backend, xla.Info, error) {
	m := newMeter()
	return xla.Open(xla.OpenOptions{AllowGo: true, Warn: func(line string) { m.say("%s", line) }})
}
