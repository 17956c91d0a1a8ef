package score

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Samples are several captions of each image, such as those that a model draws. All images have the same number.
type Samples map[ID][]string

// SampleScores say how much the captions of an image differ from each other, as papers on diverse captioning measure
// it. Words and captions that differ over all images are counted by [Diversity].
type SampleScores struct {
	Count int `json:"count"` // images
	Each  int `json:"each"`  // captions of each
	// Div1 and Div2 are the different words, or bigrams, of an image's captions, divided by all their words; means over
	// images (Shetty et al. 2017, Aneja et al. 2019). High values mean that captions differ.
	Div1 float64 `json:"div_1"`
	Div2 float64 `json:"div_2"`
	// MBLEU is mBLEU-1 to mBLEU-4: the BLEU of protocol coco of the first captions of all images against the images'
	// other captions, of the second captions, and so on; the mean of these (Shetty et al. 2017). From 0 to 1; low
	// values mean that captions differ.
	MBLEU [maxOrder]float64 `json:"mbleu"`
	// SelfCIDEr is the mean of that of images, see SampleImage. Nil if document frequencies are not known or the
	// captions of no image can be measured.
	SelfCIDEr *float64      `json:"self_cider,omitempty"`
	Images    []SampleImage `json:"images,omitempty"` // by ID
}

// SampleImage holds the scores of the captions of one image.
type SampleImage struct {
	ID   ID      `json:"image_id"`
	Div1 float64 `json:"div_1"`
	Div2 float64 `json:"div_2"`
	// SelfCIDEr is the diversity of Wang and Chan (2019): 0 if all captions are equal, 1 if none shares an n-gram with
	// another, provided that they have at least four words. Nil if no n-gram of the captions has a weight, since each
	// is in the references of every image.
	SelfCIDEr *float64 `json:"self_cider,omitempty"`
}

// Check fails unless there are samples, from two to MaxSamples of each image, and as many of one image as of another.
func (s Samples) Check() error {
	var first ID
	for _, id := range slices.Sorted(maps.Keys(s)) {
		n := len(s[id])
		switch {
		case n < 2:
			return fmt.Errorf("samples: image %s has %d captions: want several of each image", id, n)
		case n > MaxSamples:
			return fmt.Errorf("samples: image %s has %d captions: at most %d", id, n, MaxSamples)
		case first == "":
			first = id
		case n != len(s[first]):
			return fmt.Errorf("samples: image %s has %d captions, image %s has %d: want as many of each", first,
				len(s[first]), id, n)
		}
		for k, text := range s[id] {
			if err := checkText(text); err != nil {
				return fmt.Errorf("samples: caption %d of image %s: %w", k, id, err)
			}
		}
	}
	if first == "" {
		return fmt.Errorf("samples: no captions given")
	}
	return nil
}

// Captions returns the captions at place k of all images, from 0, by ID.
func (s Samples) Captions(k int) []Caption {
	out := make([]Caption, 0, len(s))
	for _, id := range slices.Sorted(maps.Keys(s)) {
		out = append(out, Caption{ID: id, Text: s[id][k]})
	}
	return out
}

// MeasureSamples measures the captions of each image against each other, with the tokenizer tokens; empty means "ptb".
// df weighs the n-grams of Self-CIDEr, see [CountFrequencies]; nil leaves it out. MeasureSamples fails where
// [Samples.Check] does, or if df has other tokens.
func MeasureSamples(samples Samples, df *DocumentFrequencies, tokens string) (*SampleScores, error) {
	if tokens == "" {
		tokens = "ptb"
	}
	newTokenizer, err := contextTokenizer(tokens)
	if err != nil {
		return nil, err
	}
	if err := samples.Check(); err != nil {
		return nil, err
	}
	if err := df.suit(tokens); err != nil {
		return nil, err
	}
	ids := slices.Sorted(maps.Keys(samples))
	s := &SampleScores{Count: len(ids), Each: len(samples[ids[0]]), Images: make([]SampleImage, len(ids))}
	overlaps := make([][]Overlap, len(ids)) // of each caption with the others of its image
	errs := make([]error, len(ids))
	inParallelWith(len(ids), func() func(int) {
		tokenize := newTokenizer()
		return func(i int) {
			captions := make([][]string, s.Each)
			for k, text := range samples[ids[i]] {
				captions[k] = slices.Clone(takeApart(tokenize(text, "")))
				if errs[i] == nil {
					errs[i] = checkTokenCount(ids[i], 0, len(captions[k]))
				}
			}
			if errs[i] == nil {
				s.Images[i] = SampleImage{ids[i], div(captions, 1), div(captions, 2), selfCIDEr(captions, df)}
				overlaps[i] = mutualOverlaps(captions)
			}
		}
	})
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return nil, errs[i]
	}
	s.average(overlaps)
	return s, nil
}

// average fills the scores of all images.
func (s *SampleScores) average(overlaps [][]Overlap) {
	var sum float64
	measured := 0
	for _, i := range s.Images {
		s.Div1 += i.Div1 / float64(s.Count)
		s.Div2 += i.Div2 / float64(s.Count)
		if i.SelfCIDEr != nil {
			sum += *i.SelfCIDEr
			measured++
		}
	}
	if measured > 0 {
		mean := sum / float64(measured)
		s.SelfCIDEr = &mean
	}
	for k := range s.Each {
		var all Overlap
		for _, image := range overlaps {
			all.add(image[k])
		}
		for n, bleu := range all.bleu() {
			s.MBLEU[n] += bleu / float64(s.Each)
		}
	}
}

// div returns the number of different n-grams of captions divided by that of their words, to which Shetty et al. add
// 1e-6.
func div(captions [][]string, n int) float64 {
	grams, words := make(map[string]bool), 0
	for _, tokens := range captions {
		words += len(tokens)
		for i := 0; i+n <= len(tokens); i++ {
			grams[strings.Join(tokens[i:i+n], " ")] = true
		}
	}
	return float64(len(grams)) / (float64(words) + 1e-6)
}

// mutualOverlaps returns the overlap of each caption with the others.
func mutualOverlaps(captions [][]string) []Overlap {
	numbers := make(words)
	ids := make([][]uint32, len(captions))
	for i, tokens := range captions {
		ids[i] = numbers.number(nil, tokens)
	}
	out := make([]Overlap, len(ids))
	s := segment{width: 32}
	for i := range ids {
		s.counted, s.test, s.refs = false, ids[i], slices.Concat(ids[:i], ids[i+1:])
		out[i] = s.overlap()
	}
	return out
}

// selfCIDEr returns the diversity of captions: with the square roots r of the eigenvalues of the matrix of their
// similarities, -log(largest r / sum of all r), divided by the logarithm of the number of captions. Nil if no n-gram
// has a weight, or df is nil.
func selfCIDEr(captions [][]string, df *DocumentFrequencies) *float64 {
	if df == nil {
		return nil
	}
	matrix := df.similarities(captions)
	var largest, sum, trace float64
	for i := range matrix {
		trace += matrix[i][i]
	}
	for _, value := range eigenvalues(matrix) {
		if value < eigenvalueNoise*trace {
			continue
		}
		largest = max(largest, math.Sqrt(value))
		sum += math.Sqrt(value)
	}
	if sum == 0 {
		return nil
	}
	d := math.Abs(math.Log(largest/sum)) / math.Log(float64(len(captions))) // not -0
	return &d
}

// eigenvalueNoise is the share of the sum of eigenvalues below which one is taken as 0. Those of equal captions are
// rounding errors, which square roots would make large.
const eigenvalueNoise = 1e-13
