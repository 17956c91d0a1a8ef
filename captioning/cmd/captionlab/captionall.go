package main

import (
	"context"
	"slices"

	"captionlab/captioning"
	"captionlab/captioning/internal/pace"
	"captionlab/captioning/score"
)

// captioned is an image of a call of captionlab caption with its captions, the best first.
type captioned struct {
	file       string
	id         score.ID
	isNumber   bool // the id is a number, not a path
	candidates []captioning.Candidate
}

// captionChunk is the number of images that are captioned before their captions are written to files.
const captionChunk = 128

// captionAll captions files, whose ids are the files themselves unless ids are given, and returns an error for each
// that has no caption.
func (c *captionCall) captionAll(ctx context.Context, captioner *captioning.Captioner, to sink, files []string,
	ids []score.ID) (problems []error, err error) {
	images := make([]captioned, len(files))
	left := 0
	for i, file := range files {
		images[i] = captioned{file: file, id: score.ID(file), isNumber: len(ids) > 0}
		if len(ids) > 0 {
			images[i].id = ids[i]
		}
		if !to.has(images[i].id) {
			left++
		}
	}
	progress := func(encoded, unreadable int) {}
	if left > captioner.Spec().BatchSize {
		progress = captionMeter(newMeter(), left)
	}
	size := captionChunk
	if c.out == "" && !c.sidecar.on {
		size = max(len(images), 1)
	}
	seed := c.generate.Seed
	for part := range slices.Chunk(images, size) {
		c.generate.Seed = seed
		seed += 1 << 32 // each part draws from its own streams, whatever has been done before
		wanted := slices.Clone(part)
		if wanted = slices.DeleteFunc(wanted, func(i captioned) bool { return to.has(i.id) }); len(wanted) == 0 {
			continue
		}
		if c.generate.Temperature == 0 {
			part = wanted // a draw depends on the place in its part, so that the part has to stay whole
		}
		bad, err := c.captionPart(ctx, captioner, part, progress)
		if err != nil {
			return nil, err
		}
		problems = append(problems, bad...)
		part = slices.DeleteFunc(part, func(i captioned) bool { return len(i.candidates) == 0 || to.has(i.id) })
		if err := to.add(part); err != nil {
			return nil, err
		}
	}
	return problems, nil
}

// captionPart sets the candidates of the images that can be read, and returns an error for each of the others.
func (c *captionCall) captionPart(ctx context.Context, captioner *captioning.Captioner, part []captioned,
	progress func(encoded, unreadable int)) (bad []error, err error) {
	var files []string
	for _, i := range part {
		files = append(files, i.file)
	}
	rows, problems, err := captioner.EncodeFiles(ctx, files, progress)
	if err != nil {
		return nil, err
	}
	var good []int
	var features [][]float32
	for i, problem := range problems {
		if problem != nil {
			bad = append(bad, problem)
			continue
		}
		good, features = append(good, i), append(features, rows[i])
	}
	if len(good) == 0 {
		return bad, nil
	}
	if c.candidates > 0 {
		all, err := captioner.Candidates(features, c.candidates, c.generate)
		for row := range all {
			part[good[row]].candidates = all[row]
		}
		return bad, err
	}
	all, err := captioner.CaptionFeatures(features, c.generate)
	for row, caption := range all {
		part[good[row]].candidates = []captioning.Candidate{{Text: caption.Text, LogProb: caption.LogProb}}
	}
	return bad, err
}

// captionMeter shows how many of the files are encoded.
func captionMeter(m *meter, files int) func(encoded, unreadable int) {
	done, bad, p := 0, 0, pace.New()
	return func(encoded, unreadable int) {
		done, bad = done+encoded+unreadable, bad+unreadable
		rate, left := p.At(float64(done), float64(files-done))
		m.show(done == files, "images: %d of %d, %d unreadable, %.1f/s, %v left", done, files, bad, rate, short(left))
	}
}
