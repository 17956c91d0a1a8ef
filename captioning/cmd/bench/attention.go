package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"captionlab/datasets"
)

// The model that benchAttention trains: the declared experiment attention, in captionlab's and in PyTorch's steps.
const (
	attentionEmbedding, attentionHidden, attentionSize = 300, 1024, 512

	attentionWarm, attentionSteps, attentionTheirs = 40, 40, 15
)

// benchAttention compares the training of a decoder that looks at feature maps, in real tokens per second, with the
// same model in PyTorch.
func benchAttention(b *bench) error {
	b.record.Data = "Flickr8k, all 30,000 training captions with EfficientNet-Lite0 feature maps of 7 x 7 places and " +
		"1,280 channels, batches of 64, captions cut to 20 tokens"
	if err := exportTraining(b.ctx, b.dir); err != nil {
		return err
	}
	if err := exportGrids(b); err != nil {
		return err
	}
	e, h, a := strconv.Itoa(attentionEmbedding), strconv.Itoa(attentionHidden), strconv.Itoa(attentionSize)
	for range b.rounds {
		for _, cell := range []string{"attention", "top-down"} {
			var ours trained
			m, err := b.worker(&ours, "train", "float32", e, h, strconv.Itoa(attentionWarm),
				strconv.Itoa(attentionSteps), cell)
			if err != nil {
				return err
			}
			b.record.add(cell+", captionlab", "tokens/s", ours.TokensPerSecond)
			b.record.add(cell+", captionlab, peak memory", "MB", m.peakMB)
		}
		var theirs trained
		m, err := b.script(&theirs, "attention_reference.py", b.dir, e, h, a, strconv.Itoa(attentionTheirs))
		if err != nil {
			return err
		}
		b.record.add("attention, PyTorch", "tokens/s", theirs.TokensPerSecond)
		b.record.add("attention, PyTorch, peak memory", "MB", m.peakMB)
	}
	b.record.compare("attention: tokens/s, captionlab / PyTorch",
		b.record.median("attention, captionlab")/b.record.median("attention, PyTorch"), 1.2)
	b.record.Notes = append(b.record.Notes,
		fmt.Sprintf("Embedding %s, hidden state %s, attention space %s, float32, without the regulariser. Peak memory "+
			"of captionlab includes the mapped feature maps that it has read.", e, h, a),
		fmt.Sprintf("PyTorch: a loop over the words, for the captions that are not at their end; what depends on the "+
			"image alone, on all words or on all outputs is computed once for the batch; Adam; %d threads.",
			b.record.Threads))
	return nil
}

// exportGrids writes the feature maps of the training images to grids.bin in the benchmark's folder, in the order of
// exportTraining: bfloat16, little-endian.
func exportGrids(b *bench) error {
	backend, data, err := openFlickr8kData(b.ctx)
	if err != nil {
		return err
	}
	defer backend.Finalize()
	grids, err := data.Grids(b.ctx)
	if err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(b.dir, "grids.bin"))
	if err != nil {
		return err
	}
	defer out.Close()
	for _, ex := range data.Dataset.Examples(datasets.Train) {
		grid := grids.Grid(ex.ID)
		bits := make([]byte, 0, 2*len(grid))
		for _, x := range grid {
			bits = append(bits, byte(x), byte(x>>8))
		}
		if _, err := out.Write(bits); err != nil {
			return err
		}
	}
	return out.Close()
}
