package main

import (
	"fmt"
	"math"

	"captionlab/captioning/score"
)

// pythonScores are the scores that score_reference.py prints.
type pythonScores struct {
	BLEU   [4]float64 `json:"bleu"`
	ROUGEL float64    `json:"rouge_l"`
	CIDEr  float64    `json:"cider"`
}

// benchScore compares the whole command captionlab score with a script that calls pycocoevalcap on the same files.
func benchScore(b *bench) error {
	const images, references = 5000, 5
	b.record.Data = fmt.Sprintf("%d synthetic images with %d references each, from a seeded grammar",
		images, references)
	b.record.Threads = 2
	refs, captions, err := writeCaptions(b.dir, images, references, 1)
	if err != nil {
		return err
	}
	program, err := b.build()
	if err != nil {
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
		var theirs pythonScores
		if m, err = b.script(&theirs, "score_reference.py", refs, captions); err != nil {
			return err
		}
		b.record.add("pycocoevalcap, whole command", "s", m.seconds)
		b.record.add("pycocoevalcap, peak memory of its largest process", "MB", m.peakMB)
		if err := sameScores(ours.Coco, theirs); err != nil {
			return err
		}
	}
	b.record.compareMedians("time, pycocoevalcap / captionlab",
		"pycocoevalcap, whole command", "captionlab score, whole command", 30)
	b.record.compareMedians("memory, pycocoevalcap / captionlab",
		"pycocoevalcap, peak memory of its largest process", "captionlab score, peak memory", 1)
	b.record.Notes = append(b.record.Notes, "BLEU, ROUGE-L and CIDEr-D agreed within 1e-9 in every round.")
	return nil
}

// sameScores fails unless both sides' scores agree within 1e-9.
func sameScores(ours score.CocoScores, theirs pythonScores) error {
	for name, other := range map[string]float64{
		score.BLEU1: theirs.BLEU[0], score.BLEU4: theirs.BLEU[3],
		score.ROUGEL: theirs.ROUGEL, score.CIDErD: theirs.CIDEr,
	} {
		own, ok := ours.Value(name)
		if !ok || math.Abs(own-other) > 1e-9 {
			return fmt.Errorf("%s is %.12g in captionlab and %.12g in pycocoevalcap: "+
				"the two sides must agree to be compared", name, own, other)
		}
	}
	return nil
}
