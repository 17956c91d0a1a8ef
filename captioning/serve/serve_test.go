package serve

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCaptionsOfAForm(t *testing.T) {
	f := &fake{}
	_, h := start(t, f, Options{})
	status, out, message := post(t, h, field{"image", "one"}, field{"image", "bad"}, field{"image", "two"},
		field{"candidates", "2"}, field{"temperature", "0.5"}, field{"top_p", "0.9"}, field{"seed", "3"})
	if status != http.StatusOK || len(out.Images) != 3 {
		t.Fatalf("status %d, %s, %+v", status, message, out)
	}
	first, bad := out.Images[0], out.Images[1]
	if first.Name != "one.jpg" || len(first.Candidates) != 2 || first.Candidates[0].Caption != "one" ||
		first.Candidates[0].Probability < 0.49 || first.Candidates[0].Words[0].LogProb != -0.5 || len(first.Key) != 64 {
		t.Errorf("first image %+v", first)
	}
	if bad.Error != "not an image" || bad.Key != "" || bad.Candidates != nil {
		t.Errorf("bad image %+v", bad)
	}
	encoded := len(f.batches)
	status, out, _ = post(t, h, field{"key", first.Key}, field{"key", "nosuch"}, field{"image", "two"})
	if status != http.StatusOK || out.Images[0].Candidates[0].Caption != "one" || !out.Images[1].Forgotten ||
		out.Images[2].Candidates[0].Caption != "two" {
		t.Errorf("by key: status %d, %+v", status, out)
	}
	if len(f.batches) != encoded {
		t.Error("an image that is known was encoded again")
	}
	status, out, _ = post(t, h, field{"image", "bad"})
	if status != http.StatusUnprocessableEntity || out.Images[0].Error == "" {
		t.Errorf("only a bad image: status %d, %+v", status, out)
	}
	if status, _, message := post(t, h, field{"image", "fail"}); status != http.StatusInternalServerError ||
		!strings.Contains(message, "on fire") {
		t.Errorf("a failure: status %d, %s", status, message)
	}
}

func TestCaptionOfABody(t *testing.T) {
	_, h := start(t, &fake{}, Options{})
	answer, err := http.Post(h.URL+captionRoute+"?candidates=3", "image/jpeg", strings.NewReader("raw"))
	if err != nil {
		t.Fatal(err)
	}
	if status, out, _ := decoded(t, answer); status != http.StatusOK || len(out.Images) != 1 ||
		len(out.Images[0].Candidates) != 3 || out.Images[0].Candidates[0].Caption != "raw" {
		t.Errorf("status %d, %+v", status, out)
	}
}

func TestWrongRequests(t *testing.T) {
	_, h := start(t, &fake{}, Options{MaxBody: 1000, MaxImages: 2})
	for _, c := range []struct {
		fields []field
		status int
		want   string
	}{
		{nil, 400, "no image"},
		{[]field{{"image", "a"}, {"beam", "11"}}, 400, "beam=\"11\": use a whole number from 1 to 10"},
		{[]field{{"image", "a"}, {"beam", "x"}}, 400, "beam=\"x\""},
		{[]field{{"image", "a"}, {"beam", "2"}, {"temperature", "1"}}, 400, "exclude each other"},
		{[]field{{"image", "a"}, {"temperature", "NaN"}}, 400, "temperature NaN"},
		{[]field{{"image", "a"}, {"top_p", "2"}, {"temperature", "1"}}, 400, "top-p 2"},
		{[]field{{"image", "a"}, {"seed", "-1"}}, 400, "seed"},
		{[]field{{"image", "a"}, {"size", "3"}}, 400, "the options are"},
		{[]field{{"image", "a"}, {"image", "b"}, {"image", "c"}}, 413, "more than 2 images"},
		{[]field{{"image", strings.Repeat("a", 2000)}}, 413, "more than 1000 bytes"},
	} {
		if status, _, message := post(t, h, c.fields...); status != c.status || !strings.Contains(message, c.want) {
			t.Errorf("%.40v: status %d, %q; want %d and %q", c.fields, status, message, c.status, c.want)
		}
	}
	for path, want := range map[string]int{
		"/nosuch": 404, "/page/": 404, "/api/caption": 405, "/api/model": 200, "/": 200,
		"/page.js": 200, "/healthz": 200, "/readyz": 200, "/metrics": 200,
	} {
		answer, err := http.Get(h.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("GET %s: status %d, want %d", path, answer.StatusCode, want)
		}
		if policy := answer.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
			t.Errorf("GET %s: content security policy %q", path, policy)
		}
	}
}

// TestWhoIsAnswered: other names, other sites and requests without the token are refused.
func TestWhoIsAnswered(t *testing.T) {
	_, local := start(t, &fake{}, Options{})
	_, open := start(t, &fake{}, Options{Public: true, Token: "secret"})
	for _, c := range []struct {
		url, method, host string
		header            [2]string
		want              int
	}{
		{local.URL + "/healthz", "GET", "", [2]string{}, 200},
		{local.URL + "/healthz", "GET", "localhost:80", [2]string{}, 200},
		{local.URL + "/healthz", "GET", "[::1]:80", [2]string{}, 200},
		{local.URL + "/healthz", "GET", "example.com", [2]string{}, 421},
		{local.URL + "/healthz", "GET", "127.0.0.1.example.com", [2]string{}, 421},
		{local.URL + captionRoute, "POST", "", [2]string{"Origin", "http://example.com"}, 403},
		{local.URL + captionRoute, "POST", "", [2]string{"Sec-Fetch-Site", "cross-site"}, 403},
		{local.URL + captionRoute, "POST", "", [2]string{"Origin", local.URL}, 200},
		{open.URL + "/", "GET", "example.com", [2]string{}, 200},
		{open.URL + "/readyz", "GET", "example.com", [2]string{}, 200},
		{open.URL + "/api/model", "GET", "example.com", [2]string{}, 401},
		{open.URL + "/metrics", "GET", "", [2]string{"Authorization", "Bearer wrong"}, 401},
		{open.URL + "/metrics", "GET", "", [2]string{"Authorization", "secret"}, 401},
		{open.URL + captionRoute, "POST", "", [2]string{}, 401},
		{open.URL + captionRoute, "POST", "", [2]string{"Authorization", "Bearer secret"}, 200},
	} {
		r, err := http.NewRequest(c.method, c.url, strings.NewReader("raw"))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		if c.header[0] != "" {
			r.Header.Set(c.header[0], c.header[1])
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != c.want {
			t.Errorf("%s %s, host %q, %v: status %d, want %d", c.method, c.url, c.host, c.header, answer.StatusCode,
				c.want)
		}
	}
}

// TestRequestsShareABatch: what arrives during a batch becomes the next one; more than may wait is refused.
func TestRequestsShareABatch(t *testing.T) {
	f := &fake{hold: make(chan struct{})}
	s, h := start(t, f, Options{MaxWaiting: 4})
	var all sync.WaitGroup
	send := func(text string) {
		all.Go(func() {
			if status, out, message := post(t, h, field{"image", text}); status != 200 ||
				out.Images[0].Candidates[0].Caption != text {
				t.Errorf("%s: status %d, %s, %+v", text, status, message, out)
			}
		})
	}
	waiting := func(n int) {
		for begun := time.Now(); s.metrics.waiting() != n; time.Sleep(time.Millisecond) {
			if time.Since(begun) > 10*time.Second {
				t.Fatalf("%d images wait, want %d", s.metrics.waiting(), n)
			}
		}
	}
	send("first")
	taken := func() bool {
		s.metrics.mu.Lock()
		defer s.metrics.mu.Unlock()
		return s.metrics.batches.total > 0
	}
	for begun := time.Now(); !taken() && time.Since(begun) < 10*time.Second; {
		time.Sleep(time.Millisecond)
	}
	for i := range 4 {
		send(fmt.Sprint("later ", i))
	}
	waiting(4)
	kind, body := form(t, field{"image", "too many"})
	answer, err := http.Post(h.URL+captionRoute, kind, body)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, message := decoded(t, answer); status != 503 || answer.Header.Get("Retry-After") != "1" ||
		!strings.Contains(message, "waiting") {
		t.Errorf("a full queue: status %d, %s", status, message)
	}
	f.hold <- struct{}{}
	f.hold <- struct{}{}
	all.Wait()
	if len(f.batches) != 2 || f.batches[1] != 4 || len(f.decodes) != 2 || f.decodes[1] != 4 {
		t.Errorf("encoded in batches of %v, captioned in %v; want 1 and 4", f.batches, f.decodes)
	}
	var text bytes.Buffer
	s.metrics.write(&text)
	for _, want := range []string{`captionlab_requests_total{route="/api/caption",code="200"} 5`,
		`captionlab_requests_total{route="/api/caption",code="503"} 1`, `captionlab_images_total{result="captioned"} 5`,
		"captionlab_waiting_images 0", `captionlab_batch_images_bucket{le="4"} 2`,
		"captionlab_caption_seconds_count 6"} {
		if !strings.Contains(text.String(), want+"\n") {
			t.Errorf("metrics lack %s:\n%s", want, text.String())
		}
	}
}

// TestGoneClients: a job whose client has gone is dropped.
func TestGoneClients(t *testing.T) {
	f := &fake{hold: make(chan struct{})}
	s, h := start(t, f, Options{})
	ctx, leave := context.WithCancel(context.Background())
	done := make(chan error, 2)
	for _, text := range []string{"in work", "waits"} {
		go func() {
			r, _ := http.NewRequestWithContext(ctx, "POST", h.URL+captionRoute, strings.NewReader(text))
			_, err := http.DefaultClient.Do(r)
			done <- err
		}()
		time.Sleep(50 * time.Millisecond)
	}
	leave()
	for range 2 {
		if err := <-done; err == nil {
			t.Error("a client that left got an answer")
		}
	}
	f.hold <- struct{}{}
	for begun := time.Now(); s.metrics.waiting() > 0 && time.Since(begun) < 10*time.Second; {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.batches) > 1 {
		t.Errorf("batches %v: a job without a client was done", f.batches)
	}
}

// TestStop: Run finishes the request in work, refuses new ones, and returns nil.
func TestStop(t *testing.T) {
	f := &fake{hold: make(chan struct{}, 1)}
	f.hold <- struct{}{} // for the first image, which warms up
	s := newServer(f, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, l) }()
	url := "http://" + l.Addr().String()
	for begun := time.Now(); !s.ready.Load() && time.Since(begun) < 10*time.Second; {
		time.Sleep(time.Millisecond)
	}
	answered := make(chan int, 1)
	go func() {
		answer, err := http.Post(url+captionRoute, "image/jpeg", strings.NewReader("last"))
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		answer.Body.Close()
		answered <- answer.StatusCode
	}()
	time.Sleep(100 * time.Millisecond)
	stop()
	time.Sleep(100 * time.Millisecond)
	select {
	case err := <-ended:
		t.Fatalf("the server ended with a request in work: %v", err)
	default:
	}
	f.hold <- struct{}{}
	if status := <-answered; status != 200 {
		t.Errorf("the request in work: status %d", status)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := http.Get(url + "/healthz"); err == nil {
		t.Error("a stopped server answers")
	}
}

func TestKept(t *testing.T) {
	k := newKept(2)
	k.put("a", []float32{1})
	k.put("b", []float32{2})
	k.get("a")
	k.put("c", []float32{3})
	if _, ok := k.get("b"); ok {
		t.Error("the image used least recently was kept")
	}
	if a, ok := k.get("a"); !ok || a[0] != 1 {
		t.Errorf("a is %v, %v", a, ok)
	}

	large := newKept(100)
	for _, key := range []string{"a", "b", "c"} {
		large.put(key, make([]float32, keptBytes/4/2))
	}
	_, first := large.get("a")
	_, last := large.get("c")
	if first || !last || large.bytes != keptBytes {
		t.Errorf("of three halves of the memory, the first is kept: %v, the last: %v, %d bytes", first, last,
			large.bytes)
	}
}

// Where the model looked is told of the first candidate, if it is asked for and if the model can say so.
func TestAttention(t *testing.T) {
	_, h := start(t, &fake{attends: true}, Options{})
	fields := []field{{"image", "a dog"}, {"image", "two cats"}, {"candidates", "2"}, {"temperature", "1"}}
	status, out, message := post(t, h, append(fields, field{"attention", "1"})...)
	if status != 200 || len(out.Images) != 2 {
		t.Fatalf("status %d, %s", status, message)
	}
	for i, places := range []int{5, 8} {
		first, second := out.Images[i].Candidates[0], out.Images[i].Candidates[1]
		if len(first.Attention) != 1 || len(first.Attention[0]) != places || second.Attention != nil {
			t.Errorf("image %d: %v and %v", i, first.Attention, second.Attention)
		}
	}
	_, silent := start(t, &fake{}, Options{})
	for _, c := range []struct {
		server *httptest.Server
		fields []field
	}{{h, fields}, {silent, append(fields, field{"attention", "1"})}} {
		if _, out, _ := post(t, c.server, c.fields...); out.Images[0].Candidates[0].Attention != nil {
			t.Errorf("attention %v", out.Images[0].Candidates[0].Attention)
		}
	}
	if status, _, message := post(t, h, field{"image", "a"}, field{"attention", "2"}); status != 400 {
		t.Errorf("attention=2: status %d, %s", status, message)
	}
}
