package main

import (
	"io"
	"os"
	"path/filepath"
	"strconv"

	"captionlab/captioning"
	"captionlab/datasets"
)

// featureTasks are the networks that benchFeatures runs, on so many pictures, and what PyTorch may try for each.
var featureTasks = []struct {
	encoder  string
	pictures int
	modes    []string
}{
	{"resnet50", 136, []string{"eager", "channels_last_frozen"}},
	{"efficientnet-lite0", 400, []string{"eager", "channels_last", "channels_last_frozen"}},
}

// benchFeatures measures the way from JPEG files to pooled features, against torchvision and efficientnet-lite-pytorch with
// a data loader.
func benchFeatures(b *bench) error {
	b.record.Data = "the first training pictures of Flickr8k (224 x 224 JPEG); ResNet-50 sees 256 x 256, EfficientNet-Lite0 224 x 224"
	ds, err := captioning.OpenDataset("flickr8k", "")
	if err != nil {
		return err
	}
	for _, task := range featureTasks {
		if err := exportPictures(ds, filepath.Join(b.dir, task.encoder), task.pictures); err != nil {
			return err
		}
	}
	weights := map[string]string{"resnet50": filepath.Join(b.dir, "resnet50.pth"), "efficientnet-lite0": "-"}
	if _, err := b.script(new(any), "resnet50_reference.py", "weights", b.dir); err != nil {
		return err
	}
	for range b.rounds {
		for _, task := range featureTasks {
			var ours, theirs map[string]float64
			m, err := b.worker(&ours, "features", task.encoder, weights[task.encoder], strconv.Itoa(task.pictures))
			if err != nil {
				return err
			}
			b.record.add(task.encoder+", captionlab", "pictures/s", ours["pictures_per_second"])
			b.record.add(task.encoder+", captionlab, peak memory", "MB", m.peakMB)
			for _, mode := range task.modes {
				if m, err = b.script(&theirs, "features_reference.py", task.encoder, weights[task.encoder], filepath.Join(b.dir, task.encoder), mode); err != nil {
					return err
				}
				b.record.add(task.encoder+", PyTorch "+mode, "pictures/s", theirs["pictures_per_second"])
			}
			b.record.add(task.encoder+", PyTorch, peak memory", "MB", m.peakMB)
		}
	}
	resnet := max(b.record.median("resnet50, PyTorch eager"), b.record.median("resnet50, PyTorch channels_last_frozen"))
	b.record.compare("resnet50: pictures/s, captionlab / PyTorch's best", b.record.median("resnet50, captionlab")/resnet, 1)
	lite := b.record.median("efficientnet-lite0, captionlab")
	b.record.compare("efficientnet-lite0: pictures/s, captionlab / PyTorch eager", lite/b.record.median("efficientnet-lite0, PyTorch eager"), 1)
	best := max(b.record.median("efficientnet-lite0, PyTorch channels_last"), b.record.median("efficientnet-lite0, PyTorch channels_last_frozen"))
	b.record.compare("efficientnet-lite0: pictures/s, captionlab / PyTorch's best", lite/best, 0)
	b.record.Notes = append(b.record.Notes,
		"Decoding, resizing and encoding together, the first batch (compiling, warming up) left out. PyTorch's best is channels_last, traced, frozen and optimized for inference, batches of 16, a DataLoader with 2 workers.",
		"Won for ResNet-50: NHWC, batch normalisation folded, 3x3 convolutions of stride 1 with 128 channels or more by Winograd's F(2x2, 3x3) (14 ms against 24 for XLA's own at 16 x 16 x 256 and at 8 x 8 x 512, batch 16; at 32 x 32 x 128 9 ms against 13, batch 8), batches of 8: together a tenth faster. "+
			"Tried without gain: Winograd at 64 channels (44 ms against 26), a batch cut into parts inside the program, batches of 16 and 32, 1x1 convolutions as matrix products, XLA's flags for oneDNN, XNNPACK, fast math and 512-bit vectors.",
		"Other plugins, one round each in turns beside plugin 0.115's 12.6 (ResNet-50) and 68.4 (EfficientNet-Lite0) pictures/s at that minute: 0.106 12.9 and 69.5, 0.81 11.8 and 69.0.",
		"Won for EfficientNet-Lite0: depthwise layers as sums of shifted products, in one fused loop, batches of 16; grouped convolutions take several times as long.")
	return nil
}

// exportPictures writes pictures into a folder.
func exportPictures(ds datasets.Dataset, dir string, n int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, ex := range ds.Examples(datasets.Train)[:n] {
		in, err := ds.OpenImage(ex.ID)
		if err != nil {
			return err
		}
		data, err := io.ReadAll(in)
		in.Close()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(ex.ID)), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
