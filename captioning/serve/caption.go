package serve

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"strconv"
	"sync"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
)

// captions is the answer to a request for captions.
type captions struct {
	Images []captionedImage `json:"images"` // in the order of the request
}

type captionedImage struct {
	Name       string      `json:"name,omitempty"` // of the file, as the client gave it
	Key        string      `json:"key,omitempty"`  // names the image in later requests
	Candidates []candidate `json:"candidates,omitempty"`
	Error      string      `json:"error,omitempty"`
	// Forgotten says that the image of a key is no longer known and has to be sent again.
	Forgotten bool `json:"forgotten,omitempty"`
}

type candidate struct {
	Caption     string  `json:"caption"`
	LogProb     float64 `json:"log_prob"` // nats
	Probability float64 `json:"probability"`
	Words       []word  `json:"words"` // <end> included
	// Attention, if it is asked for, holds for each word the weights of the places at which the model looked, row by
	// row from the top left of the square that it sees (see modelInfo). Only the first candidate has it.
	Attention [][]float32 `json:"attention,omitempty"`
}

type word struct {
	Word        string  `json:"word"`
	LogProb     float64 `json:"log_prob"`
	Probability float64 `json:"probability"`
}

// modelInfo is the answer of /api/model.
type modelInfo struct {
	Name       string `json:"name"`
	Cell       string `json:"cell"`
	Embedding  int    `json:"embedding"`
	Hidden     int    `json:"hidden"`
	Vocabulary int    `json:"vocabulary"`
	Parameters int    `json:"parameters"`
	Encoder    string `json:"encoder"`
	Dataset    string `json:"dataset"`
	MaxBody    int64  `json:"max_body_bytes"`
	MaxImages  int    `json:"max_images"`
	MaxBeam    int    `json:"max_beam"`
	// Places is the number of places of which attention gives weights; 0 for a model without attention. Seen is the
	// side of the square in the middle of the image that they cover, relative to its shorter side.
	Places int     `json:"places,omitempty"`
	Seen   float64 `json:"seen,omitempty"`
}

func describe(m *captioning.Model, spec encoder.Spec, o Options) modelInfo {
	c := m.Checkpoint
	info := modelInfo{Name: o.Name, Cell: c.Settings.Cell, Embedding: c.Settings.Embedding, Hidden: c.Settings.Hidden,
		Vocabulary: c.Vocabulary.Len(), Parameters: m.NumParameters(), Encoder: c.Encoder.Name, Dataset: c.Dataset,
		MaxBody: o.MaxBody, MaxImages: o.MaxImages, MaxBeam: maxBeam}
	if m.Attends() {
		info.Places, info.Seen = c.Places, float64(spec.Crop)/float64(spec.Resize)
	}
	return info
}

// maxBeam bounds the number of hypotheses and of candidates.
const maxBeam = 10

// sent is an image of a request: the bytes of a file, or the key of an earlier one.
type sent struct {
	name, key string
	data      []byte
	item      *item
	err       error
	forgotten bool
}

// tooLarge is an error with the status 413.
type tooLarge struct{ error }

// caption answers POST /api/caption.
func (s *Server) caption(w http.ResponseWriter, r *http.Request) {
	select {
	case s.requests <- struct{}{}:
		defer func() { <-s.requests }()
	default:
		fail(w, http.StatusServiceUnavailable, "too many requests are in work: try again in a second")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, s.options.MaxBody)
	images, wanted, err := s.read(r)
	var body *http.MaxBytesError
	var large tooLarge
	switch {
	case errors.As(err, &body):
		fail(w, http.StatusRequestEntityTooLarge,
			fmt.Sprintf("the request has more than %d bytes: send fewer or smaller images", s.options.MaxBody))
		return
	case errors.As(err, &large):
		fail(w, http.StatusRequestEntityTooLarge, err.Error())
		return
	case err != nil:
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	s.queue.coming.Add(1)
	arrived := sync.OnceFunc(func() { s.queue.coming.Add(-1) })
	defer arrived()
	s.decode(r.Context(), images)
	var items []*item
	for _, i := range images {
		if i.err == nil {
			items = append(items, i.item)
		}
	}
	if len(items) > 0 {
		if _, err := s.queue.caption(r.Context(), items, wanted, arrived); err != nil {
			status := http.StatusInternalServerError
			if errors.Is(err, errFull) || errors.Is(err, errClosed) || r.Context().Err() != nil {
				status = http.StatusServiceUnavailable
			}
			fail(w, status, err.Error())
			return
		}
	}
	status := http.StatusOK
	if len(items) == 0 {
		status = http.StatusUnprocessableEntity
	}
	answer(w, status, s.answerOf(images))
}

// answerOf lists the results, and keeps the features.
func (s *Server) answerOf(images []*sent) captions {
	var out captions
	for _, i := range images {
		one := captionedImage{Name: i.name, Key: i.key}
		switch {
		case i.forgotten:
			one.Error, one.Forgotten = i.err.Error(), true
			s.metrics.image("forgotten")
		case i.err != nil:
			one.Error, one.Key = i.err.Error(), ""
			s.metrics.image("unreadable")
		default:
			s.kept.put(i.key, i.item.features)
			for k, c := range i.item.candidates {
				shown := candidate{Caption: c.Text, LogProb: c.LogProb, Probability: math.Exp(c.LogProb),
					Words: []word{}}
				if k == 0 {
					shown.Attention = i.item.attention
				}
				for _, w := range c.Words {
					shown.Words = append(shown.Words, word{w.Text, w.LogProb, math.Exp(w.LogProb)})
				}
				one.Candidates = append(one.Candidates, shown)
			}
			s.metrics.image("captioned")
		}
		out.Images = append(out.Images, one)
	}
	return out
}

// decode decodes the images that are not known yet, some at a time.
func (s *Server) decode(ctx context.Context, images []*sent) {
	var all sync.WaitGroup
	for _, i := range images {
		if i.data == nil {
			features, ok := s.kept.get(i.key)
			if i.item = (&item{features: features}); !ok {
				i.err, i.forgotten = errors.New("the image of this key is not known (any more): send it again"), true
			}
			continue
		}
		sum := sha256.Sum256(i.data)
		i.key = hex.EncodeToString(sum[:])
		if features, ok := s.kept.get(i.key); ok {
			i.item = &item{features: features}
			continue
		}
		all.Go(func() {
			select {
			case s.decoding <- struct{}{}:
				defer func() { <-s.decoding }()
			case <-ctx.Done():
				i.err = ctx.Err()
				return
			}
			var pixels *encoder.Pixels
			if pixels, i.err = s.model.Decode(bytes.NewReader(i.data)); i.err == nil {
				i.item = &item{pixels: pixels}
			}
			i.data = nil
		})
	}
	all.Wait()
}

// read reads the images and options of a request.
func (s *Server) read(r *http.Request) (images []*sent, wanted request, err error) {
	wanted = request{beam: 1, candidates: 1, seed: 1}
	for name, values := range r.URL.Query() {
		for _, value := range values {
			if err := wanted.set(name, value); err != nil {
				return nil, wanted, err
			}
		}
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && kind == "multipart/form-data" {
		images, err = s.readForm(r, &wanted)
	} else {
		var data []byte
		if data, err = io.ReadAll(r.Body); len(data) > 0 {
			images = []*sent{{data: data}}
		}
	}
	if err != nil {
		return nil, wanted, err
	}
	if len(images) == 0 {
		return nil, wanted, errors.New("no image: send one as the body, or a form with fields called image")
	}
	if wanted.temperature == 0 && wanted.beam < wanted.candidates {
		wanted.beam = wanted.candidates
	}
	return images, wanted, captioning.CheckCandidates(wanted.candidates, wanted.options())
}

// readForm reads a multipart form.
func (s *Server) readForm(r *http.Request, wanted *request) (images []*sent, err error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, fmt.Errorf("the form cannot be read: %w", err)
	}
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			return images, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the form cannot be read: %w", err)
		}
		limit := int64(4096)
		if part.FormName() == "image" {
			limit = s.options.MaxBody
		}
		data, err := io.ReadAll(io.LimitReader(part, limit))
		if err != nil {
			return nil, fmt.Errorf("the form cannot be read: %w", err)
		}
		switch part.FormName() {
		case "image":
			images = append(images, &sent{name: part.FileName(), data: data})
		case "key":
			images = append(images, &sent{key: string(data)})
		default:
			if err := wanted.set(part.FormName(), string(data)); err != nil {
				return nil, err
			}
		}
		if len(images) > s.options.MaxImages {
			return nil, tooLarge{fmt.Errorf("more than %d images in a request: send them in several",
				s.options.MaxImages)}
		}
	}
}

// set sets an option by its name.
func (r *request) set(name, value string) (err error) {
	number := func(low, high int) (n int) {
		if n, err = strconv.Atoi(value); err == nil && (n < low || n > high) {
			err = errors.New("out of range")
		}
		if err != nil {
			err = fmt.Errorf("%s=%.40q: use a whole number from %d to %d", name, value, low, high)
		}
		return n
	}
	fraction := func() (x float64) {
		if x, err = strconv.ParseFloat(value, 64); err != nil {
			err = fmt.Errorf("%s=%.40q: use a number such as 0.7", name, value)
		}
		return x
	}
	switch name {
	case "beam":
		r.beam = number(1, maxBeam)
	case "candidates":
		r.candidates = number(1, maxBeam)
	case "temperature":
		r.temperature = fraction()
	case "top_p":
		r.topP = fraction()
	case "attention":
		r.attention = number(0, 1) == 1
	case "seed":
		if r.seed, err = strconv.ParseUint(value, 10, 64); err != nil {
			err = fmt.Errorf("seed=%.40q: use a whole number from 0", value)
		}
	default:
		err = fmt.Errorf("unknown option %.40q: the options are "+
			"beam, candidates, temperature, top_p, seed and attention", name)
	}
	return err
}
