package main

import (
	"fmt"
	"path/filepath"
)

// benchStart measures how long users wait for the command line before it works: whole commands, from process start to
// exit, and for training to the end of the first step.
func benchStart(b *bench) error {
	const images = 1000
	b.record.Data = fmt.Sprintf("one drawn JPEG of 640 x 480; synthetic captions of %d images with 5 references each; "+
		"Flickr8k with EfficientNet-Lite0 features", images)
	program, err := b.build()
	if err != nil {
		return err
	}
	refs, captions, err := writeCaptions(b.dir, images, 5, 1)
	if err != nil {
		return err
	}
	pictures, run := filepath.Join(b.dir, "images"), filepath.Join(b.dir, "run")
	if _, err := writeImages(pictures, drawn{n: 1, width: 640, height: 480}); err != nil {
		return err
	}
	if _, err := b.worker(new(float64), "run", "efficientnet-lite0", "-", run, "32"); err != nil {
		return err
	}
	names, err := filesIn(pictures)
	if err != nil {
		return err
	}
	commands := []struct {
		name   string
		target float64 // seconds
		args   []string
	}{
		{"caption, one photograph", 1.5, []string{"caption", run, names[0]}},
		{"score, captions of 1,000 images", 0.1, []string{"score", "--references", refs, "--captions", captions}},
		{"reproduce --dry-run, Flickr8k", 0.3, []string{"reproduce", "--dataset", "flickr8k", "--dry-run"}},
	}
	for round := range b.rounds + 1 {
		for _, c := range commands {
			m, err := b.process(program, c.args...)
			if err != nil {
				return err
			}
			if round > 0 { // the first one fills the caches
				b.record.add(c.name, "s", m.seconds)
			}
		}
		m, err := b.process("env", append([]string{"CAPTIONLAB_PROGRAMS=off", program}, commands[0].args...)...)
		if err != nil {
			return err
		}
		var step trained
		if _, err := b.worker(&step, "train", "float32", "300", "512", "1", "1"); err != nil {
			return err
		}
		if round > 0 {
			b.record.add("caption, one photograph, no program kept", "s", m.seconds)
			b.record.add("train, start to first step, Flickr8k", "s", step.FirstStep)
		}
	}
	for _, c := range commands {
		b.record.compare(fmt.Sprintf("%g s / %s", c.target, c.name), c.target/b.record.median(c.name), 1)
	}
	b.record.compare("2 s / train, start to first step",
		2/b.record.median("train, start to first step, Flickr8k"), 1)
	b.record.Notes = append(b.record.Notes, "One uncounted round goes first. Programs that it compiled are "+
		"kept in the cache folder, except where the name says otherwise.")
	return nil
}
