package serve

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// metrics are the figures of /metrics.
type metrics struct {
	waiting func() int

	mu       sync.Mutex
	requests map[string]int // by route and status
	images   map[string]int // by result
	latency  histogram      // of POST /api/caption, in seconds
	batches  histogram      // images in a batch
}

// histogram counts values up to each bound, and above the last.
type histogram struct {
	bounds []float64
	counts []int
	sum    float64
	total  int
}

func newHistogram(bounds ...float64) histogram {
	return histogram{bounds: bounds, counts: make([]int, len(bounds))}
}

func (h *histogram) add(v float64) {
	for i, b := range h.bounds {
		if v <= b {
			h.counts[i]++
		}
	}
	h.sum += v
	h.total++
}

func (h *histogram) write(w io.Writer, name, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name)
	for i, b := range h.bounds {
		fmt.Fprintf(w, "%s_bucket{le=\"%g\"} %d\n", name, b, h.counts[i])
	}
	fmt.Fprintf(w, "%s_bucket{le=\"+Inf\"} %d\n%s_sum %g\n%s_count %d\n", name, h.total, name, h.sum, name, h.total)
}

func newMetrics() *metrics {
	return &metrics{requests: make(map[string]int), images: make(map[string]int),
		latency: newHistogram(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
		batches: newHistogram(1, 2, 4, 8, 16, 32)}
}

// answered counts a request.
func (m *metrics) answered(route string, status int, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[fmt.Sprintf("route=%q,code=\"%d\"", route, status)]++
	if route == captionRoute {
		m.latency.add(took.Seconds())
	}
}

// image counts an image by its result: "captioned", "unreadable" or "forgotten".
func (m *metrics) image(result string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.images[fmt.Sprintf("result=%q", result)]++
}

func (m *metrics) batch(images int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batches.add(float64(images))
}

// write writes Prometheus's text format, version 0.0.4.
func (m *metrics) write(w io.Writer) {
	waiting := m.waiting()
	m.mu.Lock()
	defer m.mu.Unlock()
	counter := func(name, help string, values map[string]int) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s counter\n", name, help, name)
		for _, labels := range slices.Sorted(maps.Keys(values)) {
			fmt.Fprintf(w, "%s{%s} %d\n", name, labels, values[labels])
		}
	}
	counter("captionlab_requests_total", "Requests, by route and status.", m.requests)
	counter("captionlab_images_total", "Images, by result.", m.images)
	fmt.Fprintf(w, "# HELP captionlab_waiting_images Images that wait to be captioned.\n"+
		"# TYPE captionlab_waiting_images gauge\ncaptionlab_waiting_images %d\n", waiting)
	m.batches.write(w, "captionlab_batch_images", "Images captioned together.")
	m.latency.write(w, "captionlab_caption_seconds", "Time of a request for captions.")
}
