package encoder

import (
	"context"
	"io"
	"iter"
	"runtime"
)

// picture is one decoded and preprocessed picture, or the reason why there is none.
type picture struct {
	pixels *Pixels
	err    error
}

// EncodeImages opens, decodes, preprocesses and encodes pictures, decoding ahead with so many goroutines (0: one a core) while
// the network computes. It returns the features [FeatureDim] of each picture, or in their place the reason why there are none.
// Memory is bounded by the features and a few batches of pictures. progress, which may be nil, is told after every batch how
// many pictures were encoded since, and how many could not be. Fails when ctx is done or the network fails.
func (e *Encoder) EncodeImages(ctx context.Context, names []string, open func(name string) (io.ReadCloser, error), workers int, progress func(encoded, unreadable int)) (rows [][]float32, problems []error, err error) {
	if workers < 1 {
		workers = runtime.NumCPU()
	}
	if progress == nil {
		progress = func(int, int) {}
	}
	rows, problems = make([][]float32, len(names)), make([]error, len(names))
	var batch []*Pixels
	var places []int // of the batch's pictures
	unreadable := 0
	flush := func() error {
		out, err := e.Encode(ctx, batch)
		if err != nil {
			return err
		}
		dim := e.spec.FeatureDim
		for i, at := range places {
			rows[at] = out[i*dim : (i+1)*dim : (i+1)*dim]
		}
		progress(len(batch), unreadable)
		batch, places, unreadable = batch[:0], places[:0], 0
		return nil
	}
	at := -1
	for p := range decodeAll(ctx, e.spec, names, open, workers) {
		if at++; p.err != nil {
			problems[at] = p.err
			unreadable++
			continue
		}
		batch, places = append(batch, p.pixels), append(places, at)
		if len(batch) == e.spec.BatchSize {
			if err := flush(); err != nil {
				return nil, nil, err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	return rows, problems, flush()
}

// decodeAll yields the pictures called names in order, decoded ahead by a few goroutines. It stops early, without a word, when
// ctx is done. Memory is bounded: at most two encoder batches of pictures wait.
func decodeAll(ctx context.Context, spec Spec, names []string, open func(name string) (io.ReadCloser, error), workers int) iter.Seq[picture] {
	return func(yield func(picture) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		type job struct {
			name string
			done chan picture
		}
		queue := make(chan job, 2*spec.BatchSize) // in order, for the consumer
		jobs := make(chan job)                    // for the decoders
		for range workers {
			go func() {
				for j := range jobs {
					pixels, err := load(open, spec, j.name)
					j.done <- picture{pixels, err}
				}
			}()
		}
		go func() {
			defer close(queue)
			defer close(jobs)
			for _, name := range names {
				j := job{name, make(chan picture, 1)}
				select {
				case queue <- j:
				case <-ctx.Done():
					return
				}
				select {
				case jobs <- j:
				case <-ctx.Done():
					return
				}
			}
		}()
		for j := range queue {
			select {
			case p := <-j.done:
				if !yield(p) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// load opens, decodes and preprocesses one picture.
func load(open func(name string) (io.ReadCloser, error), spec Spec, name string) (*Pixels, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return spec.Decode(f)
}
