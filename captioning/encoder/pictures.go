package encoder

import (
	"context"
	"iter"
	"time"

	"captionlab/datasets"
)

// picture is one decoded and preprocessed picture, or the reason why there is none.
type picture struct {
	id     string
	pixels *Pixels
	err    error
}

// decodeAll yields the pictures of ids in order, decoded ahead by a few goroutines. It stops early, without a word, when
// ctx is done. Memory is bounded: at most two encoder batches of pictures wait.
func decodeAll(ctx context.Context, ds datasets.Dataset, spec Spec, ids []string, workers int) iter.Seq[picture] {
	return func(yield func(picture) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		type job struct {
			id   string
			done chan picture
		}
		queue := make(chan job, 2*spec.BatchSize) // in order, for the consumer
		jobs := make(chan job)                    // for the decoders
		for range workers {
			go func() {
				for j := range jobs {
					pixels, err := load(ds, spec, j.id)
					j.done <- picture{j.id, pixels, err}
				}
			}()
		}
		go func() {
			defer close(queue)
			defer close(jobs)
			for _, id := range ids {
				j := job{id, make(chan picture, 1)}
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
func load(ds datasets.Dataset, spec Spec, id string) (*Pixels, error) {
	f, err := ds.OpenImage(id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := Decode(f)
	if err != nil {
		return nil, err
	}
	return spec.Preprocess(p)
}

// reporter turns counts into Progress.
type reporter struct {
	total, done, skipped int
	start                time.Time
	hook                 func(Progress)
}

func newReporter(total int, hook func(Progress)) *reporter {
	return &reporter{total: total, start: time.Now(), hook: hook}
}

func (r *reporter) tell() {
	if r.hook == nil {
		return
	}
	p := Progress{Done: r.done + r.skipped, Total: r.total, Skipped: r.skipped, Elapsed: time.Since(r.start)}
	if p.Done > 0 {
		p.Rate = float64(p.Done) / p.Elapsed.Seconds()
		p.Remaining = time.Duration(float64(p.Total-p.Done) / p.Rate * float64(time.Second))
	}
	r.hook(p)
}
