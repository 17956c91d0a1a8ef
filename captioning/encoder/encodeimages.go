package encoder

import (
	"context"
	"io"
	"iter"
	"runtime"
)

// decoded is an image that is ready for the network, or the reason why there is none.
type decoded struct {
	pixels *Pixels
	err    error
}

// opener opens the file of the image called name.
type opener = func(name string) (io.ReadCloser, error)

// EncodeOptions change how EncodeImagesWith works.
type EncodeOptions struct {
	Images  ImageOptions
	Workers int // goroutines that decode images; 0 means one for each core
	// Progress is called after every batch with the numbers of images that were encoded, and that could not be read,
	// since the last call; may be nil.
	Progress func(encoded, unreadable int)
}

// EncodeImages is EncodeImagesWith for images of datasets.
func (e *Encoder) EncodeImages(ctx context.Context, names []string, open func(name string) (io.ReadCloser, error),
	workers int, progress func(encoded, unreadable int)) (rows [][]float32, problems []error, err error) {
	return e.EncodeImagesWith(ctx, names, open, EncodeOptions{Workers: workers, Progress: progress})
}

// EncodeImagesWith opens, decodes, preprocesses and encodes images. While the network computes, goroutines decode the
// next images. It returns the features [RowDim] of each image (see Encode) or, at the same index, the reason why there
// are none.
// Memory is bounded by the features, a few batches of images, and what decoding takes (see Decode). Fails if ctx is
// done or the network fails.
func (e *Encoder) EncodeImagesWith(ctx context.Context, names []string,
	open func(name string) (io.ReadCloser, error), o EncodeOptions) (rows [][]float32, problems []error, err error) {
	if o.Workers < 1 {
		o.Workers = runtime.NumCPU()
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	rows, problems = make([][]float32, len(names)), make([]error, len(names))
	running := e.begin(ctx, func(b encoding, features []float32) {
		dim := e.spec.RowDim()
		for i, at := range b.places {
			rows[at] = features[i*dim : (i+1)*dim : (i+1)*dim]
		}
		o.Progress(len(b.images), b.unreadable)
	})
	var next encoding
	flush := func() {
		if len(next.images) == 0 && next.unreadable == 0 {
			return // the last batch was full
		}
		if len(next.images) > 0 {
			next.size = e.sizeFor(len(next.images))
		}
		running.queue <- next
		next = encoding{}
	}
	at := -1
	for p := range e.decodeAll(running.failed, names, open, o) {
		if at++; p.err != nil {
			problems[at] = p.err
			next.unreadable++
			continue
		}
		next.images, next.places = append(next.images, p.pixels), append(next.places, at)
		if len(next.images) == e.spec.BatchSize {
			flush()
		}
	}
	flush()
	if err := running.end(); err != nil {
		return nil, nil, err
	}
	return rows, problems, nil
}

// decodeAll yields the images called names in order, while o.Workers goroutines decode the next ones: at most two
// batches for each device. It stops early, without an error, when ctx is done.
func (e *Encoder) decodeAll(ctx context.Context, names []string, open opener, o EncodeOptions) iter.Seq[decoded] {
	return func(yield func(decoded) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		type job struct {
			name string
			done chan decoded
		}
		queue := make(chan job, 2*e.spec.BatchSize*(1+len(e.others))) // in order, for the consumer
		jobs := make(chan job)                                        // for the decoders
		for range o.Workers {
			go func() {
				for j := range jobs {
					pixels, err := load(open, e.spec, j.name, o.Images)
					j.done <- decoded{pixels, err}
				}
			}()
		}
		go func() {
			defer close(queue)
			defer close(jobs)
			for _, name := range names {
				j := job{name, make(chan decoded, 1)}
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

// load opens, decodes and preprocesses one image.
func load(open opener, spec Spec, name string, o ImageOptions) (*Pixels, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return spec.DecodeWith(f, o)
}
