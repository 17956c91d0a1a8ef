package captioning

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"

	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
	"captionlab/captioning/vocab"
)

// Candidate is one caption of an image.
type Candidate struct {
	Text    string
	LogProb float64 // of all Words, in nats; see decoder.Caption
	// Words holds the caption's words and, as the last one, <end> if the caption ended before the maximum of words.
	Words []Word
}

// Word is a word of a caption.
type Word struct {
	Text    string
	LogProb float64 // given the image and the words before it, in nats; see decoder.Decoder.WordLogProbs
}

// CheckCandidates returns an error if a decoding strategy cannot give n different captions of an image: sampling can,
// and a beam search of n hypotheses or more.
func CheckCandidates(n int, o decoder.GenerateOptions) error {
	if err := o.Check(); err != nil {
		return err
	}
	if n < 1 {
		return fmt.Errorf("%d candidates: use at least 1", n)
	}
	if n > 1 && o.Temperature == 0 && o.Beam < n {
		return fmt.Errorf("a beam of %d does not find %d candidates: use a beam of at least %d, or sample",
			max(o.Beam, 1), n, n)
	}
	return nil
}

// Candidates captions images given by their features (see CaptionFeatures), and returns up to n captions of each, the
// best first, with the probability of every word. A beam search of o.Beam hypotheses returns the best n of them.
// Sampling draws n captions and drops those that it has drawn before, likeliest first.
func (m *Model) Candidates(rows [][]float32, n int, o decoder.GenerateOptions) ([][]Candidate, error) {
	if err := CheckCandidates(n, o); err != nil {
		return nil, err
	}
	draws := 1
	if o.Temperature > 0 {
		draws = n
	}
	in, err := m.inputs(rows, strconv.Itoa)
	if err != nil {
		return nil, err
	}
	o.BestOnly, o.Draws = n == 1, draws
	generated, err := m.decoder.GenerateFrom(in, o)
	if err != nil {
		return nil, fmt.Errorf("the model in %s: %w", m.source, err)
	}
	var images []int // of each caption
	var chosen []decoder.Caption
	for i := range rows {
		for _, c := range best(generated[i], n, draws > 1) {
			images, chosen = append(images, i), append(chosen, c)
		}
	}
	return m.describe(in, images, chosen, o)
}

// best returns the first n of an image's captions. Drawn ones are sorted by probability, without repetitions.
func best(captions []decoder.Caption, n int, drawn bool) []decoder.Caption {
	if drawn {
		slices.SortStableFunc(captions, func(a, b decoder.Caption) int { return cmp.Compare(b.LogProb, a.LogProb) })
		var kept []decoder.Caption
		for _, c := range captions {
			if !slices.ContainsFunc(kept, func(k decoder.Caption) bool { return slices.Equal(k.IDs, c.IDs) }) {
				kept = append(kept, c)
			}
		}
		captions = kept
	}
	return captions[:min(n, len(captions))]
}

// describe turns captions into candidates; images holds the image of in that each belongs to.
func (m *Model) describe(in decoder.Inputs, images []int, captions []decoder.Caption, o decoder.GenerateOptions) (
	[][]Candidate, error) {
	ids := make([][]int32, len(captions))
	for i, c := range captions {
		ids[i] = c.IDs
	}
	dim := m.decoder.Features
	logProbs, err := m.decoder.WordLogProbsFrom(repeated(in, dim, images), ids, o)
	if err != nil {
		return nil, fmt.Errorf("the model in %s: %w", m.source, err)
	}
	out := make([][]Candidate, len(in.Features)/dim)
	for i, c := range captions {
		candidate := Candidate{Text: m.Checkpoint.Vocabulary.Decode(c.IDs), LogProb: c.LogProb}
		for t, p := range logProbs[i] {
			id := vocab.End
			if t < len(c.IDs) {
				id = c.IDs[t]
			}
			candidate.Words = append(candidate.Words, Word{m.Checkpoint.Vocabulary.Word(id), p})
		}
		out[images[i]] = append(out[images[i]], candidate)
	}
	return out, nil
}

// Decode reads an image (JPEG, PNG, WebP or GIF; of an animation the first frame), turns it upright and preprocesses it
// for the encoder. The error for one that cannot be read says why and, if its format is known, how to convert it.
func (c *Captioner) Decode(r io.Reader) (*encoder.Pixels, error) {
	return c.encoder.Spec().DecodeWith(r, c.images)
}

// Encode returns what the model reads of decoded images (see Model.Rows). A few images take less than a batch; see
// encoder.Encoder.EncodeFew. It is safe for concurrent use.
func (c *Captioner) Encode(ctx context.Context, images []*encoder.Pixels) ([][]float32, error) {
	flat, err := c.encoder.EncodeFew(ctx, images)
	if err != nil {
		return nil, err
	}
	return slices.Collect(slices.Chunk(flat, c.encoder.Spec().RowDim())), nil
}

// EncodeFiles is Encode for images in files, decoding ahead while the encoder computes.
// For a file that cannot be read, problems holds an error in its place, which names it, and rows holds nil.
func (c *Captioner) EncodeFiles(ctx context.Context, paths []string, progress func(encoded, unreadable int)) (
	rows [][]float32, problems []error, err error) {
	rows, problems, err = c.encoder.EncodeImagesWith(ctx, paths, openFile,
		encoder.EncodeOptions{Images: c.images, Progress: progress})
	for i, problem := range problems {
		if problem != nil {
			problems[i] = fmt.Errorf("%s: %w", paths[i], problem)
		}
	}
	return rows, problems, err
}

// Candidates is Model.Candidates, and safe for concurrent use.
func (c *Captioner) Candidates(rows [][]float32, n int, o decoder.GenerateOptions) ([][]Candidate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.model.Candidates(rows, n, o)
}
