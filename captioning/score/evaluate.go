package score

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Options change how captions are scored. The zero value is the reference's way.
type Options struct {
	// Tokens names the tokenizer; empty means "ptb" for Coco and "whitespace" for PA4, each protocol's own.
	Tokens string
	// AllowMissing scores the pictures that have both a caption and references, and leaves the others out and counts them.
	// coco-caption does so for pictures without a caption when it is given the ids of the result file, as its demo does
	// (document frequencies are then those of the scored pictures too); a caption without references it refuses. Without
	// AllowMissing both are errors.
	AllowMissing bool
}

// CocoScores are the scores of protocol coco, from 0 to 1, CIDEr from 0 to 10.
type CocoScores struct {
	BLEU    [4]float64  `json:"bleu"` // BLEU-1 to BLEU-4
	ROUGEL  float64     `json:"rouge_l"`
	CIDEr   float64     `json:"cider"` // CIDEr-D
	Overlap Overlap     `json:"overlap"`
	Images  []CocoImage `json:"images,omitempty"`
	Count   int         `json:"count"` // pictures
	Tokens  string      `json:"tokens"`
	Left
}

// Left counts the pictures that were left out because Options.AllowMissing allowed it.
type Left struct {
	NoCaption    int `json:"without_caption,omitempty"`    // pictures with references alone
	NoReferences int `json:"without_references,omitempty"` // pictures with a caption alone
}

// CocoImage are the scores of one picture.
type CocoImage struct {
	ID     ID         `json:"image_id"`
	BLEU   [4]float64 `json:"bleu"`
	ROUGEL float64    `json:"rouge_l"`
	CIDEr  float64    `json:"cider"`

	overlap Overlap
}

// Coco scores captions in the way of coco-caption: corpus BLEU with the closest reference length, ROUGE-L and CIDEr-D as
// means over pictures, document frequencies from the references of the scored pictures.
func Coco(refs References, captions []Caption, o Options) (*CocoScores, error) {
	if o.Tokens == "" {
		o.Tokens = "ptb"
	}
	segments, left, err := makeSegments(refs, captions, o)
	if err != nil {
		return nil, err
	}
	df := documentFrequencies(segments)
	logPictures := math.Log(float64(len(segments)))
	s := &CocoScores{Images: make([]CocoImage, len(segments)), Count: len(segments), Tokens: o.Tokens, Left: left}
	overlaps := make([]Overlap, len(segments))
	inParallel(len(segments), func(i int) {
		segment := &segments[i]
		overlaps[i] = segment.overlap()
		s.Images[i] = CocoImage{segment.id, overlaps[i].bleu(), segment.rougeL(), segment.ciderD(df, logPictures), overlaps[i]}
	})
	for i, image := range s.Images {
		s.Overlap.add(overlaps[i])
		s.ROUGEL += image.ROUGEL
		s.CIDEr += image.CIDEr
	}
	s.BLEU = s.Overlap.bleu()
	s.ROUGEL /= float64(len(segments))
	s.CIDEr /= float64(len(segments))
	return s, nil
}

// PA4Scores are the scores of the paper's protocol, from 0 to 100: means of sentence scores over pictures.
type PA4Scores struct {
	BLEU1           float64    `json:"bleu1"`
	BLEU4           float64    `json:"bleu4"`
	BLEU4Individual float64    `json:"bleu4_individual"` // 4-gram precision alone, as the starter code had it
	Images          []PA4Image `json:"images,omitempty"`
	Count           int        `json:"count"`
	Tokens          string     `json:"tokens"`
	Left
}

// PA4Image are the scores of one picture.
type PA4Image struct {
	ID              ID      `json:"image_id"`
	BLEU1           float64 `json:"bleu1"`
	BLEU4           float64 `json:"bleu4"`
	BLEU4Individual float64 `json:"bleu4_individual"`
}

// PA4 scores captions in the way of the paper: NLTK's sentence BLEU with smoothing method 1 against all references.
func PA4(refs References, captions []Caption, o Options) (*PA4Scores, error) {
	if o.Tokens == "" {
		o.Tokens = "whitespace"
	}
	segments, left, err := makeSegments(refs, captions, o)
	if err != nil {
		return nil, err
	}
	s := &PA4Scores{Images: make([]PA4Image, len(segments)), Count: len(segments), Tokens: o.Tokens, Left: left}
	inParallel(len(segments), func(i int) {
		overlap := segments[i].overlap()
		s.Images[i] = PA4Image{segments[i].id,
			100 * overlap.nltkBLEU([maxOrder]float64{1}),
			100 * overlap.nltkBLEU([maxOrder]float64{0.25, 0.25, 0.25, 0.25}),
			100 * overlap.nltkBLEU([maxOrder]float64{0, 0, 0, 1})}
	})
	for _, image := range s.Images {
		s.BLEU1 += image.BLEU1 / float64(len(segments))
		s.BLEU4 += image.BLEU4 / float64(len(segments))
		s.BLEU4Individual += image.BLEU4Individual / float64(len(segments))
	}
	return s, nil
}

// makeSegments pairs captions with references, in the order of the ids, tokenizes and counts them.
func makeSegments(refs References, captions []Caption, o Options) ([]segment, Left, error) {
	tokenize, err := Tokenizer(o.Tokens)
	if err != nil {
		return nil, Left{}, err
	}
	if o.Tokens == "ptb" {
		tokenize = ptbWhole
	}
	scored, left, err := pairUp(refs, captions, o.AllowMissing)
	if err != nil {
		return nil, left, err
	}
	slices.SortFunc(scored, func(a, b Caption) int { return strings.Compare(string(a.ID), string(b.ID)) })

	// Each core numbers words by itself; then the numbers are made the same.
	segments, numberedBy := make([]segment, len(scored)), make([]*numbering, len(scored))
	var all []*numbering
	var lock sync.Mutex
	inParallelWith(len(scored), func() func(int) {
		n := &numbering{words: make(words)}
		lock.Lock()
		all = append(all, n)
		lock.Unlock()
		return func(i int) {
			segments[i], numberedBy[i] = newSegment(n.words, scored[i].ID, tokenize, scored[i].Text, refs[scored[i].ID]), n
		}
	})
	common := make(words)
	for _, n := range all {
		n.translate(common)
	}
	inParallelWith(len(segments), func() func(int) {
		var c counter
		return func(i int) {
			numberedBy[i].apply(&segments[i])
			c.count(&segments[i])
		}
	})
	return segments, left, nil
}

// pairUp returns the captions of pictures that have references too, and how many there are without a partner.
func pairUp(refs References, captions []Caption, allowMissing bool) (scored []Caption, left Left, err error) {
	captioned := make(map[ID]bool, len(captions))
	var noReferences, noCaption []ID
	for _, c := range captions {
		if captioned[c.ID] {
			return nil, left, fmt.Errorf("image %s has two captions; keep one", c.ID)
		}
		captioned[c.ID] = true
		if len(refs[c.ID]) > 0 {
			scored = append(scored, c)
		} else {
			noReferences = append(noReferences, c.ID)
		}
	}
	for id, r := range refs {
		if !captioned[id] && len(r) > 0 {
			noCaption = append(noCaption, id)
		}
	}
	left = Left{NoCaption: len(noCaption), NoReferences: len(noReferences)}
	switch {
	case allowMissing:
	case left.NoReferences > 0:
		return nil, left, fmt.Errorf("image %s has a caption but no references%s; allow missing ones to leave it out", slices.Min(noReferences), others(noReferences))
	case left.NoCaption > 0:
		return nil, left, fmt.Errorf("image %s has references but no caption%s; allow missing ones to leave it out", slices.Min(noCaption), others(noCaption))
	}
	if len(scored) == 0 {
		return nil, left, fmt.Errorf("no image has both a caption and references: %d captions, %d images with references", len(captions), len(refs))
	}
	return scored, left, nil
}

func others(ids []ID) string {
	if len(ids) == 1 {
		return ""
	}
	return fmt.Sprintf(", as have %d others", len(ids)-1)
}

// inParallel calls do for 0 to n-1 on all cores.
func inParallel(n int, do func(i int)) {
	inParallelWith(n, func() func(int) { return do })
}

// inParallelWith is inParallel with a function for each core that may keep things of its own.
func inParallelWith(n int, worker func() func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			do := worker()
			for i := w; i < n; i += workers {
				do(i)
			}
		})
	}
	wg.Wait()
}
