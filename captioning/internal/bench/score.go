package main

import (
	"fmt"
	"math"
	"path/filepath"

	"captionlab/captioning/score"
)

// benchScore measures the whole command captionlab score against a script that calls pycocoevalcap, on the same files.
func benchScore(b *bench) error {
	const pictures, references = 5000, 5
	b.record.Data = fmt.Sprintf("%d made-up pictures with %d references each, from a seeded grammar", pictures, references)
	b.record.Threads = 2
	refs, captions, err := writeCaptions(b.dir, pictures, references, 1)
	if err != nil {
		return err
	}
	program := filepath.Join(b.dir, "captionlab")
	if _, err := b.process("go", "build", "-o", program, "./captioning/cmd/captionlab"); err != nil {
		return err
	}
	for range b.rounds {
		var ours struct{ Coco score.CocoScores }
		m, err := b.decode(&ours, program, "score", "--references", refs, "--captions", captions, "--json")
		if err != nil {
			return err
		}
		b.record.add("captionlab score, whole command", "s", m.seconds)
		b.record.add("captionlab score, peak memory", "MB", m.peakMB)
		var theirs struct {
			BLEU   [4]float64 `json:"bleu"`
			ROUGEL float64    `json:"rouge_l"`
			CIDEr  float64    `json:"cider"`
		}
		if m, err = b.script(&theirs, "score_reference.py", refs, captions); err != nil {
			return err
		}
		b.record.add("pycocoevalcap, whole command", "s", m.seconds)
		b.record.add("pycocoevalcap, peak memory of its largest process", "MB", m.peakMB)
		for name, pair := range map[string][2]float64{"BLEU-1": {ours.Coco.BLEU[0], theirs.BLEU[0]}, "BLEU-4": {ours.Coco.BLEU[3], theirs.BLEU[3]},
			"ROUGE-L": {ours.Coco.ROUGEL, theirs.ROUGEL}, "CIDEr-D": {ours.Coco.CIDEr, theirs.CIDEr}} {
			if math.Abs(pair[0]-pair[1]) > 1e-9 {
				return fmt.Errorf("%s is %.12g here and %.12g in pycocoevalcap: what is not the same cannot be compared", name, pair[0], pair[1])
			}
		}
	}
	b.record.compare("time, pycocoevalcap / captionlab", b.record.median("pycocoevalcap, whole command")/b.record.median("captionlab score, whole command"), 30)
	b.record.compare("memory, pycocoevalcap / captionlab",
		b.record.median("pycocoevalcap, peak memory of its largest process")/b.record.median("captionlab score, peak memory"), 1)
	b.record.Notes = append(b.record.Notes, "BLEU, ROUGE-L and CIDEr-D agreed within 1e-9 in every round.")
	return nil
}
