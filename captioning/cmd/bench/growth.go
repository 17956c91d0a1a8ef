package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/gomlx/compute"

	"captionlab/captioning/decoder"
)

// growth holds the sizes at which benchGrowth measures.
var growth = struct{ images, beams, scored []int }{
	images: []int{1_000, 10_000, 100_000},
	beams:  []int{1, 2, 4, 8, 16},
	scored: []int{1_000, 10_000, 100_000, 1_000_000},
}

// benchGrowth measures what becomes of training, generation and scoring as their inputs grow.
func benchGrowth(b *bench) error {
	b.record.Data = "random features of 1,280 numbers and 5 synthetic captions for each image; for score, captions " +
		"and 2 references for each image"
	program, err := b.build()
	if err != nil {
		return err
	}
	for round := range b.rounds {
		for _, n := range growth.images {
			var trained grown
			if _, err := b.worker(&trained, "growth", strconv.Itoa(n)); err != nil {
				return err
			}
			name := fmt.Sprintf("training on %d images", n)
			b.record.add(name, "tokens/s", trained.TokensPerSecond)
			b.record.add(name+", memory without mapped files", "MB", trained.MemoryMB)
		}
		var rates []float64
		if _, err := b.worker(&rates, "beams"); err != nil {
			return err
		}
		for i, beam := range growth.beams {
			b.record.add(fmt.Sprintf("generation, beam %d", beam), "captions/s", rates[i])
		}
		for _, n := range growth.scored {
			// In a process of its own: the peak memory that the system reports of a process includes its parent's.
			var files captionFiles
			if _, err := b.worker(&files, "captions", b.dir, strconv.Itoa(n), strconv.Itoa(round)); err != nil {
				return err
			}
			m, err := b.process(program, "score", "--references", files.References, "--captions", files.Captions)
			if err != nil {
				return err
			}
			b.record.add(fmt.Sprintf("score, %d images", n), "s", m.seconds)
			b.record.add(fmt.Sprintf("score, %d images, peak memory", n), "MB", m.peakMB)
		}
	}
	b.record.compareMedians("training: tokens/s on 100,000 / on 1,000 images", "training on 100000 images",
		"training on 1000 images", 0.95)
	features := 4 * 1280 * 99_000 / 1e6
	more := b.record.median("training on 100000 images, memory without mapped files") -
		b.record.median("training on 1000 images, memory without mapped files")
	b.record.compare("training: size of 99,000 images' features / memory that these images add", features/more, 2)
	b.record.compare("generation: 16 x captions/s with beam 16 / with beam 1",
		16*b.record.median("generation, beam 16")/b.record.median("generation, beam 1"), 1)
	b.record.compare("score: 10 x time for 100,000 / for 1,000,000 images",
		10*b.record.median("score, 100000 images")/b.record.median("score, 1000000 images"), 0.9)
	b.record.compare("score: 2,000 MB / peak memory for 1,000,000 images",
		2000/b.record.median("score, 1000000 images, peak memory"), 1)
	b.record.Notes = append(b.record.Notes,
		"Memory that images add: their ids, their captions as text and as token ids, and the plan of an epoch. "+
			"Features of more than 256 MB stay in files that are mapped to memory.",
		"Generation uses an untrained model of 300/512 with a vocabulary of 4,521. Its captions have full length.")
	return nil
}

// captionFiles are files that captionsWorker wrote.
type captionFiles struct{ References, Captions string }

// captionsWorker writes a caption and two references for each image. Its arguments are folder, number of images, seed.
func captionsWorker(args []string) (files captionFiles, err error) {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return files, err
	}
	seed, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return files, err
	}
	files.References, files.Captions, err = writeCaptions(args[0], n, 2, seed)
	return files, err
}

// beamsWorker returns the captions per second of beam searches of each width.
func beamsWorker(backend compute.Backend) ([]float64, error) {
	m := decoder.Model{Cell: decoder.LSTM{}, Vocabulary: 4521, Features: 1280, Embedding: 300, Hidden: 512}
	d, err := decoder.New(backend, m, m.Initialize(1))
	if err != nil {
		return nil, err
	}
	defer d.Finalize()
	random := rand.New(rand.NewPCG(1, 1))
	features := make([]float32, 256*m.Features)
	for i := range features {
		features[i] = random.Float32()
	}
	rates := make([]float64, len(growth.beams))
	for i, beam := range growth.beams {
		for run := range 3 { // the first run compiles
			started := time.Now()
			if _, err := d.Generate(features, decoder.GenerateOptions{Beam: beam}); err != nil {
				return nil, err
			}
			if run > 0 {
				rates[i] = max(rates[i], 256/time.Since(started).Seconds())
			}
		}
	}
	return rates, nil
}
