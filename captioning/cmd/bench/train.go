package main

import (
	"fmt"
	"strconv"

	"captionlab/captioning/experiment"
)

// trainSize is a model that benchTrain trains.
type trainSize struct {
	name              string
	embedding, hidden int
	precision         string
	warm, steps       int     // uncounted steps, during which programs are compiled, and counted ones
	theirSteps        int     // counted steps of the PyTorch side
	target            float64 // captionlab / the faster PyTorch
}

var trainSizes = []trainSize{
	{"baseline 300/512", 300, 512, "float32", 60, 150, 60, 1.3},
	{"best 800/2048", 800, 2048, "float32", 24, 16, 8, 1.6},
	{"baseline 300/512 in bfloat16", 300, 512, "bfloat16", 60, 150, 60, 1},
	{"best 800/2048 in bfloat16", 800, 2048, "bfloat16", 24, 16, 8, 1},
}

// benchTrain compares training, in real tokens per second, with PyTorch on packed and on padded sequences.
func benchTrain(b *bench) error {
	b.record.Data = "Flickr8k, all 30,000 training captions with EfficientNet-Lite0 features, batches of 64, " +
		"captions cut to 20 tokens"
	if err := exportTraining(b.ctx, b.dir); err != nil {
		return err
	}
	for range b.rounds {
		for _, size := range trainSizes {
			if err := size.measure(b); err != nil {
				return err
			}
		}
	}
	for _, size := range trainSizes {
		packed, padded := size.name+", PyTorch packed", size.name+", PyTorch padded"
		theirs := max(b.record.median(packed), b.record.median(padded))
		b.record.compare(size.name+": tokens/s, captionlab / the faster PyTorch",
			b.record.median(size.name+", captionlab")/theirs, size.target)
		memory := min(b.record.median(packed+", peak memory"), b.record.median(padded+", peak memory"))
		b.record.compare(size.name+": peak memory, the smaller PyTorch / captionlab",
			memory/b.record.median(size.name+", captionlab, peak memory"), 1)
	}
	first := b.record.median("best 800/2048, captionlab, start to first step")
	b.record.compare("best 800/2048: 10 s / start to first step", 10/first, 1)
	b.record.Notes = append(b.record.Notes,
		"captionlab trains through captioning.Train, as captionlab train does: batches of similar length, planned and "+
			"filled on the host; the host reads the loss after every step.",
		"Peak memory includes the checkpoint that is written at the end.",
		fmt.Sprintf("PyTorch: nn.LSTM, Adam, loss over real tokens only, shuffled batches; %d threads. In bfloat16, "+
			"model and loss are computed under torch.autocast.", b.record.Threads))
	return nil
}

// measure trains the model once on either side.
func (size trainSize) measure(b *bench) error {
	e, h := strconv.Itoa(size.embedding), strconv.Itoa(size.hidden)
	settings := experiment.Settings{Cell: "lstm", Embedding: size.embedding, Hidden: size.hidden}
	var ours trained
	m, err := b.worker(&ours, "train", size.precision, e, h, strconv.Itoa(size.warm), strconv.Itoa(size.steps))
	if err != nil {
		return err
	}
	share := ours.TokensPerSecond * settings.FLOPsPerToken(ours.Vocabulary) / 1e9 / ours.PeakGFLOPS
	b.record.add(size.name+", captionlab", "tokens/s", ours.TokensPerSecond)
	b.record.add(size.name+", captionlab, start to first step", "s", ours.FirstStep)
	b.record.add(size.name+", captionlab, peak memory", "MB", m.peakMB)
	b.record.add(size.name+", captionlab, share of matmul peak", "", share)
	b.record.add("XLA matmul 2048", "GFLOP/s", ours.PeakGFLOPS)
	for _, mode := range []string{"packed", "padded"} {
		var theirs trained
		m, err = b.script(&theirs, "train_reference.py",
			b.dir, mode, size.precision, e, h, strconv.Itoa(size.theirSteps))
		if err != nil {
			return err
		}
		b.record.add(size.name+", PyTorch "+mode, "tokens/s", theirs.TokensPerSecond)
		b.record.add(size.name+", PyTorch "+mode+", peak memory", "MB", m.peakMB)
		b.record.add("PyTorch matmul 2048", "GFLOP/s", theirs.PeakGFLOPS)
	}
	return nil
}
