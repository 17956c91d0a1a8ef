package main

import (
	"fmt"
	"math"

	"captionlab/captioning/score/meteor"
)

// benchMeteor compares captionlab score --metrics meteor with a script that calls pycocoevalcap's METEOR, which runs a
// Java program, on the same files.
func benchMeteor(b *bench) error {
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
	if _, _, err := meteor.Fetch(b.ctx); err != nil {
		return err
	}
	for range b.rounds {
		var ours struct {
			Chosen struct{ Scores map[string]float64 }
		}
		m, err := b.decode(&ours, program, "score", "--references", refs, "--captions", captions, "--metrics", "meteor",
			"--json")
		if err != nil {
			return err
		}
		b.record.add("captionlab score --metrics meteor, whole command", "s", m.seconds)
		b.record.add("captionlab score --metrics meteor, peak memory", "MB", m.peakMB)
		var theirs struct{ Meteor, Seconds float64 }
		if m, err = b.script(&theirs, "meteor_reference.py", refs, captions); err != nil {
			return err
		}
		b.record.add("pycocoevalcap, whole command", "s", m.seconds)
		b.record.add("pycocoevalcap, METEOR without the tokenizer", "s", theirs.Seconds)
		b.record.add("pycocoevalcap, peak memory of its largest process", "MB", m.peakMB)
		if own := ours.Chosen.Scores[meteor.Name]; math.Abs(own-theirs.Meteor) > 1e-9 {
			return fmt.Errorf("METEOR is %.12g in captionlab and %.12g in pycocoevalcap: "+
				"the two sides must agree to be compared", own, theirs.Meteor)
		}
	}
	b.record.compareMedians("time, pycocoevalcap / captionlab", "pycocoevalcap, whole command",
		"captionlab score --metrics meteor, whole command", 20)
	b.record.compareMedians("memory, pycocoevalcap / captionlab", "pycocoevalcap, peak memory of its largest process",
		"captionlab score --metrics meteor, peak memory", 1)
	b.record.Notes = append(b.record.Notes, "METEOR agreed within 1e-9 in every round.")
	return nil
}
