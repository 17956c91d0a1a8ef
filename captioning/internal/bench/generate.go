package main

import (
	"errors"
	"os"
	"path/filepath"

	"captionlab/captioning"
	"captionlab/captioning/safetensors"
)

// generateRun is the trained run that benchGenerate reads out.
var generateRun = filepath.Join("results", "flickr8k", "baseline", "seed-1")

// benchGenerate measures greedy and beam search over 1,000 cached features against batched loops in PyTorch with the same
// weights.
func benchGenerate(b *bench) error {
	b.record.Data = "features of Flickr8k's 1,000 test pictures; weights of " + filepath.ToSlash(generateRun)
	best, err := captioning.CheckpointFile(generateRun)
	if err != nil {
		return err
	}
	if err := exportTest(b.ctx, b.dir); err != nil {
		return err
	}
	if err := exportWeights(best, b.dir); err != nil {
		return err
	}
	features := filepath.Join(b.dir, "features.bin")
	for range b.rounds {
		var ours, theirs generated
		if _, err := b.worker(&ours, "generate", generateRun, features); err != nil {
			return err
		}
		b.record.add("greedy, captionlab", "captions/s", ours.Greedy)
		b.record.add("beam 5, captionlab", "captions/s", ours.Beam)
		if _, err := b.script(&theirs, "generate_reference.py", b.dir); err != nil {
			return err
		}
		b.record.add("greedy, PyTorch", "captions/s", theirs.Greedy)
		b.record.add("beam 5, PyTorch", "captions/s", theirs.Beam)
		same, sameBeams := sameShare(ours.Captions, theirs.Captions), sameShare(ours.Beams, theirs.Beams)
		b.record.add("greedy, share of captions that are the same", "", same)
		b.record.add("beam 5, share of captions that are the same", "", sameBeams)
		if same < 0.98 || sameBeams < 0.98 {
			return errors.New("the captions of the two sides differ: what is not the same cannot be compared")
		}
	}
	b.record.compare("greedy: captions/s, captionlab / PyTorch", b.record.median("greedy, captionlab")/b.record.median("greedy, PyTorch"), 2)
	b.record.compare("beam 5: captions/s, captionlab / PyTorch", b.record.median("beam 5, captionlab")/b.record.median("beam 5, PyTorch"), 3)
	b.record.Notes = append(b.record.Notes,
		"Compiled or warmed up before; the better of two passes on either side. PyTorch's loop is given the batch size, of 100, 250 and 1,000, that is fastest for it, and stops when every caption is finished. captionlab keeps a fixed number of pictures in work, gives a finished one's place to the next, and leaves a beam as soon as its likeliest hypothesis is finished; the captions are the same.")
	return nil
}

// exportWeights writes the checkpoint's weights as a plain safetensors file, and its words as words.txt.
func exportWeights(checkpoint, dir string) error {
	c, err := captioning.ReadCheckpoint(checkpoint)
	if err != nil {
		return err
	}
	arrays, _, err := safetensors.Read(checkpoint)
	if err != nil {
		return err
	}
	if err := safetensors.Write(filepath.Join(dir, "weights.safetensors"), arrays, nil); err != nil {
		return err
	}
	var words string
	for _, w := range c.Vocabulary.Words() {
		words += w + "\n"
	}
	return os.WriteFile(filepath.Join(dir, "words.txt"), []byte(words), 0o644)
}

func sameShare(a, b []string) float64 {
	same := 0
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			same++
		}
	}
	return float64(same) / float64(max(len(a), len(b)))
}
