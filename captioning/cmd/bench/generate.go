package main

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/safetensors"
)

// generateRun is the trained run from which benchGenerate generates captions.
var generateRun = filepath.Join("results", "flickr8k", "baseline", "seed-1")

// benchGenerate compares greedy and beam search over 1,000 cached feature vectors with batched PyTorch loops that use
// the same weights.
func benchGenerate(b *bench) error {
	b.record.Data = "features of Flickr8k's 1,000 test images; weights of " + filepath.ToSlash(generateRun)
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
			return errors.New("the captions of the two sides differ: the two sides must agree to be compared")
		}
	}
	b.record.compareMedians("greedy: captions/s, captionlab / PyTorch", "greedy, captionlab", "greedy, PyTorch", 2)
	b.record.compareMedians("beam 5: captions/s, captionlab / PyTorch", "beam 5, captionlab", "beam 5, PyTorch", 3)
	b.record.Notes = append(b.record.Notes,
		"Both sides are compiled or warmed up first; the better of two passes counts. PyTorch's loop uses the fastest "+
			"of the batch sizes 100, 250 and 1,000 and stops when every caption is finished. captionlab keeps a fixed "+
			"number of images in progress, replaces a finished one by the next, and ends a beam search as soon as its "+
			"likeliest hypothesis is finished; this does not change the captions.")
	return nil
}

// exportWeights writes the checkpoint's weights as a plain safetensors file, and its words to words.txt.
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

// sameShare returns the fraction of positions at which a and b hold the same caption.
func sameShare(a, b []string) float64 {
	same := 0
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			same++
		}
	}
	return float64(same) / float64(max(len(a), len(b)))
}

// generated holds what either side measures of generation: captions per second, and the captions.
type generated struct {
	Greedy   float64  `json:"greedy"`
	Beam     float64  `json:"beam"`
	Captions []string `json:"captions"`
	Beams    []string `json:"beams"`
}

// generateWorker captions feature vectors from a raw float32 file with the run in dir.
func generateWorker(backend compute.Backend, dir, features string) (generated, error) {
	var out generated
	model, err := captioning.OpenModel(backend, dir, captioning.ModelOptions{})
	if err != nil {
		return out, err
	}
	rows, err := readRows(features, model.Checkpoint.Encoder.FeatureDim)
	if err != nil {
		return out, err
	}
	ids := make([]string, len(rows))
	for _, task := range []struct {
		options  decoder.GenerateOptions
		rate     *float64
		captions *[]string
	}{
		{decoder.GenerateOptions{}, &out.Greedy, &out.Captions},
		{decoder.GenerateOptions{Beam: 5}, &out.Beam, &out.Beams},
	} {
		for run := range 3 { // the first run compiles
			started := time.Now()
			captions, err := model.CaptionFeatures(ids, rows, task.options)
			if err != nil {
				return out, err
			}
			if run == 0 {
				for _, c := range captions {
					*task.captions = append(*task.captions, c.Text)
				}
				continue
			}
			*task.rate = max(*task.rate, float64(len(rows))/time.Since(started).Seconds())
		}
	}
	return out, nil
}
