package main

import (
	"context"
	"hash/fnv"
	"slices"
	"sync"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
)

// captionJob captions images part by part, so that what is done can be written while the rest is computed.
type captionJob struct {
	captioner  *captioning.Captioner
	generate   decoder.GenerateOptions
	candidates int
	words      bool             // also the probabilities of words
	part       int              // images; 0 means a number that keeps the encoder's batches full
	sheets     *attentionSheets // nil unless asked for
	// fill is the number of images of the whole job. Parts are filled up to it, at most to a whole part, so that the
	// last bits of a probability do not depend on how many images are decoded together.
	fill     int
	progress func(encoded, unreadable int)
}

// partSize is about the number of images that are captioned, and lost if the command is stopped, together.
const partSize = 64

// encodedPart is a part whose features were computed.
type encodedPart struct {
	files    []string
	rows     [][]float32
	problems []error
	err      error
}

// each captions images and passes them to write, part by part and in order, while the next part is encoded. problems
// holds an error for each image that could not be read. If ctx is done, what was written is complete and err is that of
// ctx.
func (j captionJob) each(ctx context.Context, files []string, write func([]captioned) error) (
	problems []error, err error) {
	size := j.size()
	parts := make(chan encodedPart)
	var working sync.WaitGroup
	defer working.Wait() // the captioner may be closed only afterwards
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	working.Go(func() {
		defer close(parts)
		for files := range slices.Chunk(files, size) {
			p := encodedPart{files: files}
			p.rows, p.problems, p.err = j.captioner.EncodeFiles(ctx, files, j.progress)
			select {
			case parts <- p:
			case <-ctx.Done():
				return
			}
			if p.err != nil {
				return
			}
		}
	})
	done := 0
	for p := range parts {
		if p.err != nil {
			return problems, p.err
		}
		captions, err := j.caption(p)
		if err != nil {
			return problems, err
		}
		problems = append(problems, slices.DeleteFunc(p.problems, func(err error) bool { return err == nil })...)
		if err := write(captions); err != nil {
			return problems, err
		}
		done += len(p.files)
	}
	if done < len(files) {
		err = ctx.Err()
	}
	return problems, err
}

// size is the number of images in a part.
func (j captionJob) size() int {
	if j.part > 0 {
		return j.part
	}
	batch := j.captioner.Spec().BatchSize
	return (partSize + batch - 1) / batch * batch
}

// caption captions the readable images of a part.
func (j captionJob) caption(p encodedPart) ([]captioned, error) {
	var files []string
	var rows [][]float32
	for i, file := range p.files {
		if p.problems[i] == nil {
			files, rows = append(files, file), append(rows, p.rows[i])
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	if j.generate.Temperature == 0 {
		real := len(files)
		for len(files) < min(j.fill, j.size()) {
			files, rows = append(files, files[0]), append(rows, rows[0])
		}
		captions, err := j.decode(files, rows, j.generate)
		if err != nil {
			return nil, err
		}
		return captions[:real], nil
	}
	// Sampling: each image has random numbers of its own, so that a command that was stopped and continued draws the
	// same captions as one that was not.
	var all []captioned
	for i, file := range files {
		o := j.generate
		o.Seed ^= seedOf(file)
		one, err := j.decode(files[i:i+1], rows[i:i+1], o)
		if err != nil {
			return nil, err
		}
		all = append(all, one...)
	}
	return all, nil
}

// seedOf spreads the names of images over the seeds.
func seedOf(file string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(recordKey(file))) // never fails
	return h.Sum64()
}

// decode captions features, and draws where the model looked if that is asked for.
func (j captionJob) decode(files []string, rows [][]float32, o decoder.GenerateOptions) ([]captioned, error) {
	out, err := j.captions(files, rows, o)
	if err != nil || j.sheets == nil {
		return out, err
	}
	texts := make([]string, len(out))
	for i, c := range out {
		texts[i] = c.best().Text
	}
	return out, j.sheets.draw(files, rows, texts)
}

// captions captions features.
func (j captionJob) captions(files []string, rows [][]float32, o decoder.GenerateOptions) ([]captioned, error) {
	out := make([]captioned, len(files))
	if j.candidates == 1 && !j.words {
		captions, err := j.captioner.CaptionFeatures(rows, o)
		if err != nil {
			return nil, err
		}
		for i, c := range captions {
			out[i] = captioned{files[i], []captioning.Candidate{fromCaption(c)}}
		}
		return out, nil
	}
	candidates, err := j.captioner.Candidates(rows, j.candidates, o)
	if err != nil {
		return nil, err
	}
	for i, c := range candidates {
		out[i] = captioned{files[i], c}
	}
	return out, nil
}
