package main

import (
	"fmt"
	"strconv"

	"captionlab/captioning/experiment"
)

// trainSizes are the models that benchTrain trains: so many steps are not counted (programs are compiled then), and so many
// are, on either side.
var trainSizes = []struct {
	name              string
	embedding, hidden int
	warm, steps       int
	theirSteps        int
}{
	{"baseline 300/512", 300, 512, 60, 150, 60},
	{"best 800/2048", 800, 2048, 24, 16, 8},
}

// benchTrain measures training, in real tokens a second, against PyTorch with packed sequences and with plain padding.
func benchTrain(b *bench) error {
	b.record.Data = "Flickr8k, all 30,000 training captions with EfficientNet-Lite0 features, batches of 64, captions cut to 20 tokens"
	if err := exportTraining(b.ctx, b.dir); err != nil {
		return err
	}
	for range b.rounds {
		for _, size := range trainSizes {
			e, h := strconv.Itoa(size.embedding), strconv.Itoa(size.hidden)
			settings := experiment.Settings{Cell: "lstm", Embedding: size.embedding, Hidden: size.hidden}
			var ours trained
			m, err := b.worker(&ours, "train", e, h, strconv.Itoa(size.warm), strconv.Itoa(size.steps))
			if err != nil {
				return err
			}
			b.record.add(size.name+", captionlab", "tokens/s", ours.TokensPerSecond)
			b.record.add(size.name+", captionlab, start to first step", "s", ours.FirstStep)
			b.record.add(size.name+", captionlab, peak memory", "MB", m.peakMB)
			b.record.add(size.name+", captionlab, share of matmul peak", "", ours.TokensPerSecond*settings.FLOPsPerToken(ours.Vocabulary)/1e9/ours.PeakGFLOPS)
			b.record.add("XLA matmul 2048", "GFLOP/s", ours.PeakGFLOPS)
			for _, mode := range []string{"packed", "padded"} {
				var theirs struct {
					TokensPerSecond float64 `json:"tokens_per_second"`
					FirstStep       float64 `json:"first_step"`
					PeakGFLOPS      float64 `json:"peak_gflops"`
				}
				if m, err = b.script(&theirs, "train_reference.py", b.dir, mode, e, h, strconv.Itoa(size.theirSteps)); err != nil {
					return err
				}
				b.record.add(size.name+", PyTorch "+mode, "tokens/s", theirs.TokensPerSecond)
				b.record.add(size.name+", PyTorch "+mode+", peak memory", "MB", m.peakMB)
				b.record.add("PyTorch matmul 2048", "GFLOP/s", theirs.PeakGFLOPS)
			}
		}
	}
	for _, size := range trainSizes {
		theirs := max(b.record.median(size.name+", PyTorch packed"), b.record.median(size.name+", PyTorch padded"))
		b.record.compare(size.name+": tokens/s, captionlab / the faster PyTorch", b.record.median(size.name+", captionlab")/theirs, 1.3)
		memory := min(b.record.median(size.name+", PyTorch packed, peak memory"), b.record.median(size.name+", PyTorch padded, peak memory"))
		b.record.compare(size.name+": peak memory, the smaller PyTorch / captionlab", memory/b.record.median(size.name+", captionlab, peak memory"), 1)
	}
	first := b.record.median("best 800/2048, captionlab, start to first step")
	b.record.compare("best 800/2048: 10 s / start to first step", 10/first, 1)
	b.record.Notes = append(b.record.Notes,
		"captionlab trains through captioning.Train, as captionlab train does: batches of similar length, planned and filled on the host, the loss read back after every step.",
		"Where a step of 300/512 with 768 positions goes, about 135 ms at a matmul peak of 190 to 200 GFLOP/s, each part timed by itself: output layer 64 (three products at 150 to 190 GFLOP/s), its loss 4, recurrent loops 22 (with the gates) and the gradient of their matrix 9, input matrices 6 (each word of the batch once; 15 before), Adam 13 (memory), the rest host, embedding and copies. 85 ms are products at peak, so that 1.3 times PyTorch needs three quarters of the peak in real tokens; PyTorch's own products run at about the same rate.",
		"Where a step of 800/2048 with 768 positions goes, about 1,030 ms: recurrent loops 147 forward and 164 backward (129 each at peak), the gradient of their matrix 150 to 175, output layer 219, input matrices 75, Adam 130 (37 million parameters, seven passes over memory).",
		"Tried without gain (within 3 %): XLA's flags for YNN fusions (off: a quarter slower), XNNPACK, oneDNN, fast math, 512-bit vectors, the scheduler; huge pages; the loss through gathers, split or transposed reductions; the backward recurrent product from the left (XLA is three times slower with a transposed left factor, and transposing the matrix first costs what it wins); sums of the words' gradients by a product with an indicator matrix instead of a scatter. Won: a While loop with the gradient by hand (as fast as unrolled, a second less to compile each shape), C heap that keeps its pages, five shapes of batches, gates of each word of a batch computed once (an eighth of 800/2048), the forward recurrent matrix as left factor (a quarter of that product at 2048, nothing at 512).",
		"Other plugins, one round each in turns beside plugin 0.115's 4,210 and 539 tokens/s at that minute: 0.106 4,327 and 401, 0.81 3,872 and 481.",
		"Peak memory includes the checkpoint that is written at the end.",
		"Peak memory of 800/2048 is 7 % above PyTorch's: weights and Adam's moments are 446 MB and stand twice during a step, the new beside the old, since GoMLX's PJRT programs alias no buffers; PyTorch changes them in place. What a step computes takes 340 MB less than PyTorch's.",
		fmt.Sprintf("PyTorch: nn.LSTM, Adam, loss over real tokens alone, shuffled batches; %d threads.", b.record.Threads))
	return nil
}
