package custom

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"captionlab/datasets"
)

// CheckOptions say how thoroughly data is checked, and lend what this package does not know.
type CheckOptions struct {
	Options
	// Decode fails for an image that cannot be decoded; nil means that no image is read.
	Decode func(io.Reader) error
	// Words splits a caption into words, as training will.
	Words func(caption string) []string
	// MinCount is the number of occurrences in the training captions from which a word is in the vocabulary.
	MinCount int
	// MaxWords is the number of words to which training cuts captions; 0 means that it does not.
	MaxWords int
	// Progress is called after every image that is decoded, from one goroutine at a time; may be nil.
	Progress func(done, total int)
}

// Report is what Check finds.
type Report struct {
	Path   string   `json:"path"`
	Name   string   `json:"name"`
	Layout Layout   `json:"layout,omitempty"`
	Why    string   `json:"why,omitempty"`
	Files  []string `json:"files"` // with captions, as paths below the folder
	// Splits are the images and captions of each split, and how the splits came about.
	Splits   []SplitCount `json:"splits"`
	SplitBy  string       `json:"split_by,omitempty"`
	Images   int          `json:"images"`
	Captions int          `json:"captions"`
	Decoded  bool         `json:"images_decoded"` // the images were read
	PerImage Range        `json:"captions_per_image"`
	Words    Range        `json:"words_per_caption"`
	Cut      int          `json:"captions_cut"` // those with more than MaxWords words
	// Different is the number of different words in the training captions, Vocabulary that of those frequent enough.
	Different  int     `json:"different_words"`
	Vocabulary int     `json:"vocabulary"`
	Problems   []Group `json:"problems"` // what is not used
	Oddities   []Group `json:"oddities"` // what is used, but may surprise
	Missing    string  `json:"missing,omitempty"`
	Trainable  bool    `json:"trainable"`
}

// SplitCount is the size of a split.
type SplitCount struct {
	Split    datasets.Split `json:"split"`
	Images   int            `json:"images"`
	Captions int            `json:"captions"`
}

// Range is the least, the mean and the largest of several numbers.
type Range struct {
	Least   int     `json:"least"`
	Mean    float64 `json:"mean"`
	Largest int     `json:"largest"`
	count   int
}

func (r *Range) add(n int) {
	if r.count == 0 {
		r.Least = n
	}
	r.Least, r.Largest = min(r.Least, n), max(r.Largest, n)
	r.Mean = (r.Mean*float64(r.count) + float64(n)) / float64(r.count+1)
	r.count++
}

// The values of Problem.Kind for oddities.
const (
	Repeated  = "captions that an image has more than once"
	Shared    = "captions that several images share"
	Long      = "captions of more than 50 words"
	Short     = "captions of a single word"
	NotASCII  = "captions with other characters than ASCII"
	SameBytes = "images with the same content in two splits, which makes scores too good"
	TwiceHere = "images with the same content"
)

const longCaption = 50 // words

// Check examines the data at a path. Whatever is wrong with the data is in the report. Fails only if ctx is done.
func Check(ctx context.Context, path string, o CheckOptions) (*Report, error) {
	r := &Report{Path: path}
	r.Name, _ = Name(path)
	ds, err := open(path, o.Options)
	if ds == nil {
		r.Missing = err.Error()
		return r, nil
	}
	defer ds.Close()
	r.Layout, r.Why, r.Files, r.SplitBy = ds.layout, ds.why, ds.files, ds.splitBy
	problems := slices.Clone(ds.problems)
	unreadable := make(map[string]bool)
	var odd []Problem
	if o.Decode != nil {
		r.Decoded = true
		bad, same, err := decodeAll(ctx, ds, o)
		if err != nil {
			return nil, err
		}
		for _, p := range bad {
			unreadable[p.Image] = true
		}
		problems, odd = append(problems, bad...), same
	}
	odd = append(odd, r.count(ds, o, unreadable)...)
	r.Problems, r.Oddities = grouped(problems), grouped(odd)
	r.judge(ds, err)
	return r, nil
}

// judge decides whether training could start.
func (r *Report) judge(ds *Dataset, err error) {
	if err == nil {
		err = ds.usable()
	}
	if err == nil {
		err = ds.Trainable()
	}
	for _, s := range r.Splits {
		if err == nil && s.Images == 0 {
			err = fmt.Errorf("the %s split has no image that can be used (splits: %s): training needs images in "+
				"train, val and test", s.Split, r.SplitBy)
		}
	}
	if err == nil && r.Vocabulary == 0 {
		err = fmt.Errorf("none of the %d different words in the training captions is frequent enough for the "+
			"vocabulary: add captions, or train with --set min_count=1", r.Different)
	}
	if r.Trainable = err == nil; err != nil {
		r.Missing = err.Error()
	}
}

// count measures the captions of the images that are not in unreadable. It returns what may surprise.
func (r *Report) count(ds *Dataset, o CheckOptions, unreadable map[string]bool) []Problem {
	var odd []Problem
	words := make(map[string]int)
	first := make(map[string]string) // image by caption
	shared := make(map[string]bool)
	for _, split := range datasets.Splits {
		n := SplitCount{Split: split}
		for _, ex := range ds.examples[split] {
			if unreadable[ex.ID] {
				continue
			}
			n.Images++
			n.Captions += len(ex.Captions)
			r.PerImage.add(len(ex.Captions))
			own := make(map[string]bool)
			for _, caption := range ex.Captions {
				all := o.Words(caption)
				if r.Words.add(len(all)); o.MaxWords > 0 && len(all) > o.MaxWords {
					r.Cut++
				}
				if split == datasets.Train {
					for _, w := range all {
						words[w]++
					}
				}
				for _, kind := range surprises(caption, len(all)) {
					odd = append(odd, Problem{Kind: kind, Image: ex.ID, Detail: cut(caption)})
				}
				if own[caption] {
					odd = append(odd, Problem{Kind: Repeated, Image: ex.ID, Detail: cut(caption)})
				} else if other := first[caption]; other != "" && !shared[caption] {
					shared[caption] = true
					odd = append(odd, Problem{Kind: Shared, Image: ex.ID,
						Detail: fmt.Sprintf("like %q: %s", other, cut(caption))})
				}
				own[caption] = true
				if first[caption] == "" {
					first[caption] = ex.ID
				}
			}
		}
		r.Splits = append(r.Splits, n)
		r.Images, r.Captions = r.Images+n.Images, r.Captions+n.Captions
	}
	r.Different = len(words)
	for _, n := range words {
		if n >= o.MinCount {
			r.Vocabulary++
		}
	}
	return odd
}

// surprises are the oddities of one caption.
func surprises(caption string, words int) []string {
	var kinds []string
	switch {
	case words > longCaption:
		kinds = append(kinds, Long)
	case words < 2:
		kinds = append(kinds, Short)
	}
	if strings.ContainsFunc(caption, func(r rune) bool { return r > 127 }) {
		kinds = append(kinds, NotASCII)
	}
	return kinds
}

// cut shortens a caption.
func cut(caption string) string { return fmt.Sprintf("%.80q", caption) }

// decodeAll reads and decodes all images. It returns those that cannot be decoded, and those with equal content.
func decodeAll(ctx context.Context, ds *Dataset, o CheckOptions) (bad, same []Problem, err error) {
	type image struct {
		id    string
		split datasets.Split
		sum   string
		err   error
	}
	var all []*image
	for _, split := range datasets.Splits {
		for _, ex := range ds.examples[split] {
			all = append(all, &image{id: ex.ID, split: split})
		}
	}
	var mu sync.Mutex
	done := 0
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	for _, i := range all {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			i.sum, i.err = ds.decode(i.id, o.Decode)
			mu.Lock()
			defer mu.Unlock()
			if done++; o.Progress != nil {
				o.Progress(done, len(all))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	first := make(map[string]*image)
	for _, i := range all {
		if i.err != nil {
			bad = append(bad, Problem{Kind: Unreadable, Image: i.id, Detail: i.err.Error()})
			continue
		}
		other := first[i.sum]
		if other == nil {
			first[i.sum] = i
			continue
		}
		p := Problem{Kind: TwiceHere, Image: i.id, Detail: fmt.Sprintf("the same as %q", other.id)}
		if other.split != i.split {
			p.Kind, p.Detail = SameBytes, fmt.Sprintf("in %s, the same as %q in %s", i.split, other.id, other.split)
		}
		same = append(same, p)
	}
	return bad, same, nil
}

// decode decodes an image and returns the checksum of its file.
func (ds *Dataset) decode(id string, decode func(io.Reader) error) (sum string, err error) {
	f, err := ds.OpenImage(id)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	in := io.TeeReader(f, hash)
	if err := decode(in); err != nil {
		return "", err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
