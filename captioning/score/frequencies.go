package score

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/datasets/jsonfile"
)

// DocumentFrequencies are what CIDEr-D weighs n-grams by: the number of images with a reference that contains them.
// Without any, CIDEr-D counts the references of the scored images. Those of a larger set, such as all of COCO's
// training images, make the scores of few images meaningful and comparable.
type DocumentFrequencies struct {
	Images int    `json:"images"`           // counted, also those without any n-gram
	Tokens string `json:"tokens,omitempty"` // the tokenizer, empty if not known
	// Frequency is the number of images by n-gram: one to four tokens, separated by single spaces.
	Frequency map[string]Frequency `json:"frequency"`
}

// Frequency is a number of images. In files, 3.0 is the same as 3.
type Frequency int32

// UnmarshalJSON reads a whole number.
func (n *Frequency) UnmarshalJSON(data []byte) error {
	x, err := jsonfile.WholeNumber(data)
	if err != nil {
		return err
	}
	if x < 0 || x > math.MaxInt32 {
		return fmt.Errorf("%d is not a number of images", x)
	}
	*n = Frequency(x)
	return nil
}

// CountFrequencies counts the n-grams in the references of all images. tokens names the tokenizer; empty means "ptb".
func CountFrequencies(refs References, tokens string) (*DocumentFrequencies, error) {
	if tokens == "" {
		tokens = "ptb"
	}
	captions := make([]Caption, 0, len(refs))
	for _, id := range slices.Sorted(maps.Keys(refs)) {
		captions = append(captions, Caption{ID: id})
	}
	p, _, err := prepare(refs, captions, Options{Tokens: tokens, AllowMissing: true})
	if err != nil {
		return nil, fmt.Errorf("document frequencies: %w", err)
	}
	df := &DocumentFrequencies{Images: p.Len(), Tokens: tokens, Frequency: make(map[string]Frequency)}
	for _, part := range p.frequencies(1).parts {
		for at, s := range part.slots {
			if s.images > 0 {
				df.Frequency[strings.Join(p.tokens(p.width.words(part.gram(at))), " ")] = Frequency(s.images)
			}
		}
	}
	return df, nil
}

// ReadFrequencies reads a file (see jsonfile.Read) that [DocumentFrequencies.Write] wrote, or one like it:
//
//	{"images": 113287, "tokens": "ptb", "frequency": {"a": 110012, "a dog": 4102, ...}}
func ReadFrequencies(file string) (*DocumentFrequencies, error) {
	var df DocumentFrequencies
	if err := jsonfile.Read(file, &df); err != nil {
		return nil, err
	}
	if err := df.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &df, nil
}

// Write writes the frequencies as JSON, n-grams in order. It replaces the file atomically.
func (df *DocumentFrequencies) Write(file string) error {
	if err := df.check(); err != nil {
		return err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(df); err != nil {
		return err
	}
	return atomicfile.WriteFile(file, out.Bytes())
}

// check fails unless the frequencies could have been counted.
func (df *DocumentFrequencies) check() error {
	if len(df.Frequency) == 0 || df.Images < 1 || df.Images > math.MaxInt32 {
		return fmt.Errorf("%d images and %d n-grams are no document frequencies: "+
			"want {\"images\": 123, \"frequency\": {\"a dog\": 7, ...}}", df.Images, len(df.Frequency))
	}
	for gram, n := range df.Frequency {
		words := strings.Split(gram, " ")
		for _, word := range words {
			if word == "" || len(words) > maxOrder {
				return fmt.Errorf("%.200q is not an n-gram: want one to four words with single spaces", gram)
			}
		}
		if n < 0 || int(n) > df.Images {
			return fmt.Errorf("the n-gram %.200q is in %d of %d images", gram, n, df.Images)
		}
	}
	return nil
}

// suit fails if the frequencies are damaged or of other tokens. None suit every tokenizer.
func (df *DocumentFrequencies) suit(tokens string) error {
	if df == nil {
		return nil
	}
	if err := df.check(); err != nil {
		return fmt.Errorf("document frequencies: %w", err)
	}
	if df.Tokens != "" && df.Tokens != tokens {
		return fmt.Errorf("the document frequencies count tokens of %q, the captions are scored with %q: "+
			"use the same tokenizer", df.Tokens, tokens)
	}
	return nil
}

func (df *DocumentFrequencies) images() int {
	if df == nil {
		return 0
	}
	return df.Images
}

// table returns the frequencies by word numbers, without those of n-grams with other words. It is nil for nil.
func (df *DocumentFrequencies) table(p *Prepared) *frequencies {
	if df == nil {
		return nil
	}
	f := newFrequencies(1, 0, p.width)
	f.parts[0] = newTable(len(df.Frequency), p.width)
next:
	for text, n := range df.Frequency {
		if n == 0 {
			continue
		}
		var g ngram
		for i, word := range strings.Split(text, " ") {
			number, known := p.numbers[word]
			if !known {
				continue next
			}
			g = p.width.with(g, i, number)
		}
		f.parts[0].use(g, g.hash()).images = int32(n)
	}
	return f
}
