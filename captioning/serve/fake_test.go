package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
)

// fake captions an "image" of text with the text itself. It counts batches, and waits for hold before each.
type fake struct {
	hold    chan struct{} // nil means that it never waits
	attends bool

	mu      sync.Mutex
	batches []int // images encoded together
	decodes []int // images captioned together
}

func (f *fake) Decode(r io.Reader) (*encoder.Pixels, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(data, []byte("bad")) {
		return nil, errors.New("not an image")
	}
	return &encoder.Pixels{RGB: data}, nil
}

func (f *fake) Encode(_ context.Context, images []*encoder.Pixels) ([][]float32, error) {
	if f.hold != nil {
		<-f.hold
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.batches = append(f.batches, len(images))
	var rows [][]float32
	for _, p := range images {
		row := []float32{}
		for _, b := range p.RGB {
			row = append(row, float32(b))
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (f *fake) Candidates(rows [][]float32, n int, o decoder.GenerateOptions) ([][]captioning.Candidate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.decodes = append(f.decodes, len(rows))
	var all [][]captioning.Candidate
	for _, row := range rows {
		var text strings.Builder
		for _, x := range row {
			text.WriteByte(byte(x))
		}
		if strings.HasPrefix(text.String(), "fail") {
			return nil, errors.New("the device is on fire")
		}
		var candidates []captioning.Candidate
		for range n {
			candidates = append(candidates, captioning.Candidate{Text: text.String(), LogProb: math.Log(0.5),
				Words: []captioning.Word{{Text: "w", LogProb: -o.Temperature}}})
		}
		all = append(all, candidates)
	}
	return all, nil
}

func (f *fake) Attends() bool { return f.attends }

// Attention looks at as many places as a caption has letters.
func (f *fake) Attention(rows [][]float32, texts []string) ([]captioning.Attention, error) {
	var all []captioning.Attention
	for i, text := range texts {
		if len(rows[i]) != len(text) {
			return nil, errors.New("the captions are not those of the images")
		}
		all = append(all, captioning.Attention{Words: []string{"w"}, Weights: [][]float32{make([]float32, len(text))}})
	}
	return all, nil
}

// start returns a server of the fake that is ready.
func start(t *testing.T, f *fake, o Options) (*Server, *httptest.Server) {
	t.Helper()
	s := newServer(f, o)
	s.ready.Store(true)
	h := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		if f.hold != nil {
			close(f.hold) // whatever failed, the worker ends
		}
		h.Close()
		s.Close()
	})
	return s, h
}

// field is a field of a form; fields called image are files.
type field struct{ name, value string }

func form(t *testing.T, fields ...field) (contentType string, body *bytes.Buffer) {
	t.Helper()
	body = new(bytes.Buffer)
	w := multipart.NewWriter(body)
	for _, f := range fields {
		create := w.CreateFormField
		if f.name == "image" {
			create = func(name string) (io.Writer, error) { return w.CreateFormFile(name, f.value+".jpg") }
		}
		part, err := create(f.name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(part, f.value)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), body
}

// post posts a form and decodes the answer.
func post(t *testing.T, h *httptest.Server, fields ...field) (status int, out captions, message string) {
	t.Helper()
	kind, body := form(t, fields...)
	answer, err := http.Post(h.URL+captionRoute, kind, body)
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, answer)
}

func decoded(t *testing.T, answer *http.Response) (status int, out captions, message string) {
	t.Helper()
	defer answer.Body.Close()
	var both struct {
		captions
		Error string `json:"error"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&both); err != nil {
		t.Fatalf("status %d: %v", answer.StatusCode, err)
	}
	return answer.StatusCode, both.captions, both.Error
}
