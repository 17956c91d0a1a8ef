package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"captionlab/captioning"
)

// Options configure a server. The zero value is for a server on this machine alone.
type Options struct {
	// Name is what the page calls the model.
	Name string
	// Token, if it is not empty, must come with every request but those of the page and of health, as
	// "Authorization: Bearer TOKEN".
	Token string
	// Public accepts requests for any host name. Without it, only those for this machine are answered, so that no web
	// page can reach the server through a name of its own (DNS rebinding).
	Public bool
	// MaxBody is the size of the largest request in bytes; 0 means 32 MiB.
	MaxBody int64
	// MaxImages is the largest number of images in a request; 0 means 32.
	MaxImages int
	// MaxWaiting is the number of images that may wait to be captioned; more are refused with status 503. 0 means 256.
	MaxWaiting int
	// MaxRequests is the number of requests that are read and answered at the same time; more are refused with status
	// 503. 0 means 64.
	MaxRequests int
	// Kept is the number of images whose features are kept, to be captioned again without being sent; 0 means 4096.
	// Those of models that look at feature maps are large, so that fewer are kept: 64 MB.
	Kept int
}

func (o Options) withDefaults() Options {
	o.MaxBody = cmp.Or(o.MaxBody, 32<<20)
	o.MaxImages = cmp.Or(o.MaxImages, 32)
	o.MaxWaiting = cmp.Or(o.MaxWaiting, 256)
	o.MaxRequests = cmp.Or(o.MaxRequests, 64)
	o.Kept = cmp.Or(o.Kept, 4096)
	return o
}

// Server captions images over HTTP.
type Server struct {
	options  Options
	model    captioner
	info     modelInfo
	kept     *kept
	queue    *queue
	metrics  *metrics
	decoding chan struct{} // a place for every image that may be decoded at the same time
	requests chan struct{} // a place for every request that may be in work
	ready    atomic.Bool
}

// New makes a server of an opened captioner, which it does not close. Call Run, or Warm and Close with Handler.
func New(c *captioning.Captioner, o Options) *Server {
	s := newServer(c, o)
	s.info = describe(c.Model(), c.Spec(), s.options)
	return s
}

func newServer(c captioner, o Options) *Server {
	s := &Server{options: o.withDefaults(), model: c, metrics: newMetrics()}
	s.kept = newKept(s.options.Kept)
	s.queue = newQueue(c, s.options.MaxWaiting, s.metrics)
	s.decoding = make(chan struct{}, runtime.NumCPU())
	s.requests = make(chan struct{}, s.options.MaxRequests)
	return s
}

// Warm captions an image, which compiles the programs for one, and then makes the server ready.
func (s *Server) Warm(ctx context.Context) error {
	pixels, err := s.model.Decode(blank())
	if err != nil {
		return err
	}
	first := request{beam: 1, candidates: 1, attention: true}
	if _, err := s.queue.caption(ctx, []*item{{pixels: pixels}}, first, func() {}); err != nil {
		return fmt.Errorf("the first caption: %w", err)
	}
	s.ready.Store(true)
	return nil
}

// Close ends the work on images that wait. Call it after the last request.
func (s *Server) Close() { s.queue.close() }

// stopTime is how long Run waits for requests in work once it is to end.
const stopTime = 30 * time.Second

// Run serves on a listener until ctx is done. Then it takes no more requests, finishes those in work and returns nil.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	defer s.Close()
	h := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
		WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	failed := make(chan error, 2)
	go func() { failed <- h.Serve(l) }()
	go func() {
		if err := s.Warm(ctx); err != nil && ctx.Err() == nil {
			failed <- err
		}
	}()
	select {
	case err := <-failed:
		h.Close()
		return err
	case <-ctx.Done():
	}
	s.ready.Store(false)
	late, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if err := h.Shutdown(late); err != nil && !errors.Is(err, http.ErrServerClosed) {
		h.Close()
		return fmt.Errorf("requests were still in work after %v: %w", stopTime, err)
	}
	return nil
}
