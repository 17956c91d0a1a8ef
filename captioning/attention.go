package captioning

import (
	"fmt"
	"image"
	"slices"
	"strconv"
	"strings"

	"captionlab/captioning/decoder"
	"captionlab/captioning/internal/heatmap"
	"captionlab/captioning/vocab"
)

// Attention says where a model looks when it says a caption.
type Attention struct {
	Words []string // of the caption and, unless it is cut, <end>
	// Weights holds for each word the weights of the places of the feature map, row by row from the top left. Those of
	// a word are not negative and sum to 1.
	Weights [][]float32
}

// Attention returns where the model looks when it says captions, words separated by blanks, one for each image; rows
// are what it reads of the images (see Rows). For captions that the model wrote, this is where it looked. They may also
// be others: unknown words count as <unk>. Fails for a model whose cell has no attention, and for a caption without
// words.
func (m *Model) Attention(rows [][]float32, captions []string) ([]Attention, error) {
	if len(rows) != len(captions) {
		return nil, fmt.Errorf("%d captions for %d images", len(captions), len(rows))
	}
	in, err := m.inputs(rows, strconv.Itoa)
	if err != nil {
		return nil, err
	}
	o := decoder.GenerateOptions{AllowUnknown: true}.WithDefaults()
	words, ids := make([][]string, len(captions)), make([][]int32, len(captions))
	for i, caption := range captions {
		words[i] = strings.Fields(caption)
		o.MaxWords = max(o.MaxWords, len(words[i]))
		for _, w := range words[i] {
			id := m.Checkpoint.Vocabulary.ID(w)
			if id < vocab.NumSpecials {
				id = vocab.Unknown
			}
			ids[i] = append(ids[i], id)
		}
	}
	weights, err := m.decoder.Attention(in, ids, o)
	if err != nil {
		return nil, fmt.Errorf("the model in %s: %w", m.source, err)
	}
	out := make([]Attention, len(captions))
	for i, w := range weights {
		said := slices.Clone(words[i])
		if len(w) > len(said) {
			said = append(said, m.Checkpoint.Vocabulary.Word(vocab.End))
		}
		out[i] = Attention{said, w}
	}
	return out, nil
}

// Attends reports whether the model can say where it looks; see Attention.
func (m *Model) Attends() bool { return m.decoder.Attends() }

// Draw returns a sheet: the image, and for each word the image with the places bright at which the model looked. img is
// the part of the image that the encoder sees (see encoder.Pixels.Image).
func (a Attention) Draw(img image.Image) (image.Image, error) {
	return heatmap.Sheet(img, a.Words, a.Weights)
}

// Attends is Model.Attends.
func (c *Captioner) Attends() bool { return c.model.Attends() }

// Attention is Model.Attention, and safe for concurrent use.
func (c *Captioner) Attention(rows [][]float32, captions []string) ([]Attention, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.model.Attention(rows, captions)
}
