package serve

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
)

// captioner is the part of captioning.Captioner that a server uses.
type captioner interface {
	Decode(r io.Reader) (*encoder.Pixels, error)
	Encode(ctx context.Context, images []*encoder.Pixels) ([][]float32, error)
	Candidates(rows [][]float32, n int, o decoder.GenerateOptions) ([][]captioning.Candidate, error)
	Attends() bool
	Attention(rows [][]float32, captions []string) ([]captioning.Attention, error)
}

// request is how images are to be captioned. Those of equal requests are captioned together.
type request struct {
	beam, candidates  int
	temperature, topP float64
	seed              uint64
	attention         bool // also where the model looked, if it can say so
}

func (r request) options() decoder.GenerateOptions {
	return decoder.GenerateOptions{Beam: r.beam, Temperature: r.temperature, TopP: r.topP, Seed: r.seed}
}

// item is an image on its way: its pixels or, if it was encoded before, its features.
type item struct {
	pixels     *encoder.Pixels
	features   []float32
	candidates []captioning.Candidate
	attention  [][]float32 // of the first candidate; nil unless asked for
}

// job is a request with its images. Its results are in the items once done is closed.
type job struct {
	ctx     context.Context
	items   []*item
	request request
	err     error
	done    chan struct{}
}

// maxBatch is the number of images up to which waiting jobs are taken together.
const maxBatch = 32

var (
	errFull   = errors.New("too many images are waiting: try again in a second")
	errClosed = errors.New("the server is stopping")
)

// queue captions jobs one batch after another. While a batch is in work, others gather and become the next one.
type queue struct {
	model   captioner
	metrics *metrics
	limit   int
	coming  atomic.Int64 // requests whose images are being decoded

	mu      sync.Mutex
	more    *sync.Cond
	waiting []*job
	images  int // in waiting
	closed  bool
	ended   chan struct{}
}

func newQueue(model captioner, limit int, m *metrics) *queue {
	q := &queue{model: model, metrics: m, limit: limit, ended: make(chan struct{})}
	q.more = sync.NewCond(&q.mu)
	m.waiting = func() int {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.images
	}
	go q.work()
	return q
}

// caption captions items and returns once that is done, or ctx is. It calls arrived once they wait.
func (q *queue) caption(ctx context.Context, items []*item, r request, arrived func()) ([]*item, error) {
	j := &job{ctx: ctx, items: items, request: r, done: make(chan struct{})}
	err := q.push(j)
	arrived()
	if err != nil {
		return nil, err
	}
	select {
	case <-j.done:
		return items, j.err
	case <-ctx.Done(): // the worker drops the job, or nobody reads its results
		return nil, ctx.Err()
	}
}

func (q *queue) push(j *job) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errClosed
	case q.images+len(j.items) > q.limit:
		return errFull
	}
	q.waiting, q.images = append(q.waiting, j), q.images+len(j.items)
	q.more.Signal()
	return nil
}

// close refuses new jobs, and returns once those that wait are done.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.more.Signal()
	q.mu.Unlock()
	<-q.ended
}

// gathering is how long a batch waits for requests whose images are being decoded. One request alone never waits.
const gathering = 25 * time.Millisecond

// next waits for jobs and takes up to maxBatch images, or one job with more. It returns nil at the end.
func (q *queue) next() []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 {
		if q.closed {
			return nil
		}
		q.more.Wait()
	}
	for begun := time.Now(); q.images < maxBatch && q.coming.Load() > 0 && time.Since(begun) < gathering; {
		q.mu.Unlock()
		time.Sleep(time.Millisecond)
		q.mu.Lock()
	}
	taken, images := 0, 0
	for taken < len(q.waiting) && (taken == 0 || images+len(q.waiting[taken].items) <= maxBatch) {
		images += len(q.waiting[taken].items)
		taken++
	}
	jobs := slices.Clone(q.waiting[:taken])
	q.waiting = slices.Delete(q.waiting, 0, taken)
	q.images -= images
	return jobs
}

func (q *queue) work() {
	defer close(q.ended)
	for jobs := q.next(); jobs != nil; jobs = q.next() {
		jobs = slices.DeleteFunc(jobs, func(j *job) bool {
			if j.err = j.ctx.Err(); j.err != nil { // nobody waits for it any more
				close(j.done)
			}
			return j.err != nil
		})
		q.batch(jobs)
	}
}

// batch captions jobs: it encodes all images together, and decodes those of equal requests together.
func (q *queue) batch(jobs []*job) {
	defer func() {
		for _, j := range jobs {
			close(j.done)
		}
	}()
	var pixels []*encoder.Pixels
	var fresh []*item
	groups := make(map[request][]*job)
	var order []request
	images := 0
	for _, j := range jobs {
		if groups[j.request] == nil {
			order = append(order, j.request)
		}
		groups[j.request] = append(groups[j.request], j)
		images += len(j.items)
		for _, i := range j.items {
			if i.features == nil {
				pixels, fresh = append(pixels, i.pixels), append(fresh, i)
			}
		}
	}
	q.metrics.batch(images)
	if len(fresh) > 0 {
		rows, err := q.model.Encode(context.Background(), pixels)
		if err != nil {
			for _, j := range jobs {
				j.err = err
			}
			return
		}
		for k, i := range fresh {
			i.features = rows[k]
		}
	}
	for _, r := range order {
		q.decode(r, groups[r])
	}
}

// decode captions jobs with equal requests.
func (q *queue) decode(r request, jobs []*job) {
	if r.temperature > 0 { // a draw depends on the place of an image in its batch
		for _, j := range jobs {
			q.together(r, []*job{j})
		}
		return
	}
	q.together(r, jobs)
}

func (q *queue) together(r request, jobs []*job) {
	var rows [][]float32
	for _, j := range jobs {
		for _, i := range j.items {
			rows = append(rows, i.features)
		}
	}
	all, err := q.model.Candidates(rows, r.candidates, r.options())
	var looked []captioning.Attention
	if err == nil && r.attention && q.model.Attends() {
		best := make([]string, len(all))
		for i, candidates := range all {
			best[i] = candidates[0].Text
		}
		looked, err = q.model.Attention(rows, best)
	}
	at := 0
	for _, j := range jobs {
		if j.err = err; err != nil {
			continue
		}
		for _, i := range j.items {
			i.candidates = all[at]
			if looked != nil {
				i.attention = looked[at].Weights
			}
			at++
		}
	}
}
