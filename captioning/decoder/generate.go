package decoder

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"captionlab/captioning/vocab"
)

// GenerateOptions selects the decoding strategy. The zero value is greedy decoding of at most 20 words without <unk>.
type GenerateOptions struct {
	// MaxWords is the maximum length of a caption, in words; 0 means 20, as in the paper.
	MaxWords int `json:"max_words"`
	// Temperature from MinTemperature to MaxTemperature samples each word from softmax(logits / Temperature); 0 takes
	// the likeliest word.
	Temperature float64 `json:"temperature"`
	// TopK above 0 samples from the TopK likeliest words only, including those that tie with the last one.
	TopK int `json:"top_k"`
	// TopP from MinTopP to 1 samples from the fewest words whose probabilities sum to TopP or more; 0 and 1 keep all
	// words. It applies after TopK.
	TopP float64 `json:"top_p"`
	// Seed of the sampling. Image i of a call draws from its own stream of (Seed, i), whatever the batch size.
	Seed uint64 `json:"seed"`
	// Beam above 1 searches for the likeliest caption with this many hypotheses. It excludes Temperature.
	Beam int `json:"beam"`
	// LengthPenalty ranks the final hypotheses of a beam by their log-probability divided by their number of tokens
	// (<end> included) to this power, at most 100; 0 ranks by probability only.
	LengthPenalty float64 `json:"length_penalty"`
	// AllowUnknown allows <unk> in captions, as the paper's code does.
	AllowUnknown bool `json:"allow_unk"`
	// Draws above 1 samples so many captions of each image, from different random numbers; it needs a Temperature. What
	// the cell computes once per image is then computed once for all of them.
	Draws int `json:"-"`
	// BatchSize is the number of images decoded in parallel; 0 means a number that is fast on two cores. It does not
	// change the captions: when a caption is finished, the next image takes its place.
	BatchSize int `json:"-"`
	// BestOnly returns only the best caption. A beam search without LengthPenalty then finishes an image as soon as its
	// likeliest hypothesis is finished, because none becomes likelier as it grows.
	BestOnly bool `json:"-"`
}

// The ranges of the sampling options. The device computes in float32, which rounds smaller values to 0 and divides by
// them to infinity; with larger ones, it could no longer tell forbidden words from others.
const (
	MinTemperature, MaxTemperature = 1e-3, 1e3
	MinTopP                        = 1e-6
	maxLengthPenalty               = 100
)

// Check reports options that are out of range or exclude each other.
func (o GenerateOptions) Check() error {
	switch {
	case o.MaxWords < 0 || o.MaxWords > 1000:
		return fmt.Errorf("generate: max words %d; use 1 to 1000, or 0 for the default of 20", o.MaxWords)
	case o.Temperature != 0 && !(o.Temperature >= MinTemperature && o.Temperature <= MaxTemperature): // or NaN
		return fmt.Errorf("generate: temperature %v; use %g to %g, or 0 for the likeliest words", o.Temperature,
			MinTemperature, MaxTemperature)
	case o.TopK < 0:
		return fmt.Errorf("generate: top-k %d; use 1 or more, or 0 for all words", o.TopK)
	case o.TopP != 0 && !(o.TopP >= MinTopP && o.TopP <= 1):
		return fmt.Errorf("generate: top-p %v; use %g to 1, or 0 for all words", o.TopP, MinTopP)
	case o.Beam < 0 || o.Beam > 100:
		return fmt.Errorf("generate: beam %d; use 1 to 100, or 0 for the default of 1", o.Beam)
	case o.Beam > 1 && o.Temperature > 0:
		return fmt.Errorf("generate: beam %d and temperature %v exclude each other; set only one of them",
			o.Beam, o.Temperature)
	case o.Temperature == 0 && (o.TopK > 0 || o.TopP > 0 && o.TopP < 1):
		return fmt.Errorf("generate: top-k %d and top-p %v need a temperature above 0", o.TopK, o.TopP)
	case !(o.LengthPenalty >= 0 && o.LengthPenalty <= maxLengthPenalty):
		return fmt.Errorf("generate: length penalty %v; use 0 to %d", o.LengthPenalty, maxLengthPenalty)
	case o.Draws < 0 || o.Draws > 1 && o.Temperature == 0:
		return fmt.Errorf("generate: %d draws of each image; use 1 or more, with a temperature, or 0 for one", o.Draws)
	case o.BatchSize < 0:
		return fmt.Errorf("generate: batch size %d; use 1 or more, or 0 for the default", o.BatchSize)
	}
	return nil
}

// The numbers of hypotheses decoded in parallel, without and with a beam search.
const defaultRows, defaultBeamRows = 128, 384

// WithDefaults replaces zero values by the defaults that they mean, for records.
func (o GenerateOptions) WithDefaults() GenerateOptions {
	o.MaxWords = cmp.Or(o.MaxWords, 20)
	o.Beam, o.Draws = max(o.Beam, 1), max(o.Draws, 1)
	if o.Beam == 1 {
		o.BatchSize = cmp.Or(o.BatchSize, defaultRows)
	}
	o.BatchSize = cmp.Or(o.BatchSize, max(defaultBeamRows/o.Beam, 1))
	return o
}

// Caption is one generated caption.
type Caption struct {
	IDs []int32 // words only, without <start>, <end> and <pad>; never empty
	// LogProb is the log-probability, in nats, of the words and of <end>, if the caption has one, under the model
	// without the forbidden tokens. Temperature, top-k and top-p do not change it.
	LogProb float64
	// Score is LogProb divided by the number of tokens to the power of the length penalty.
	Score float64
}

// Generate captions n images, given their features [n, features], row-major. It returns each image's hypotheses, best
// first: Beam of them, or one; with Draws, as many captions in the order of the draws. The whole loop over words runs
// on the device.
//
// A caption has 1 to MaxWords words. <end> is forbidden as the first word, <pad> and <start> everywhere, and <unk>
// unless AllowUnknown is set. Beam 1 is greedy decoding. Generate fails if the options are unsound (see Check), if Beam
// exceeds the number of words, or if features does not hold whole vectors of finite numbers. It also fails, naming the
// first such image by its index, if the model's logits are not finite or so low that no allowed word can be chosen.
func (d *Decoder) Generate(features []float32, options GenerateOptions) (captions [][]Caption, err error) {
	if len(features)%d.Features != 0 {
		return nil, fmt.Errorf("generate: %d numbers do not divide into feature vectors of %d",
			len(features), d.Features)
	}
	return d.GenerateFrom(Inputs{Features: features}, options)
}

// GenerateFrom is Generate for models that look as well as others. It also fails if a grid is missing or of the wrong
// size.
func (d *Decoder) GenerateFrom(images Inputs, options GenerateOptions) (captions [][]Caption, err error) {
	if err := options.Check(); err != nil {
		return nil, err
	}
	features := images.Features
	n := len(features) / d.Features
	if err := images.check(d.Model, n); err != nil {
		return nil, fmt.Errorf("generate: %w", err)
	}
	if i := slices.IndexFunc(features, func(x float32) bool { return !isFinite(float64(x)) }); i >= 0 {
		return nil, fmt.Errorf("generate: feature %d of image %d is %v: compute the features again", i%d.Features,
			i/d.Features, features[i])
	}
	options = options.WithDefaults()
	if words := d.Vocabulary - vocab.NumSpecials; options.Beam > words {
		return nil, fmt.Errorf("generate: beam %d exceeds the %d words of the vocabulary", options.Beam, words)
	}
	defer recoverTo(&err, "generate")
	captions = make([][]Caption, 0, n)
	most := max(1, d.maxQueue()/options.Draws)
	for first := 0; first < n; first += most {
		rows := min(most, n-first)
		loop, err := d.loopFor(options, rows)
		if err != nil {
			return nil, err
		}
		ids, logProbs, err := loop.run(d, images.of(d.Model, first, first+rows), first)
		if err != nil {
			return nil, err
		}
		for row := range rows {
			var all []Caption
			for draw := range options.Draws {
				all = append(all, hypotheses(ids, logProbs, row*options.Draws+draw, options)...)
			}
			if err := d.checkCaptions(all, options); err != nil {
				return nil, fmt.Errorf("generate: image %d: %w", first+row, err)
			}
			captions = append(captions, all)
		}
	}
	return captions, nil
}

// hypotheses extracts one image's captions from a batch with ids [batch, beam, words] and logProbs [batch, beam].
func hypotheses(ids []int32, logProbs []float32, row int, o GenerateOptions) []Caption {
	captions := make([]Caption, o.Beam)
	for k := range captions {
		i := row*o.Beam + k
		tokens := ids[i*o.MaxWords : (i+1)*o.MaxWords]
		length := slices.Index(tokens, vocab.End)
		counted := length + 1 // <end> is a token too
		if length < 0 {
			length, counted = len(tokens), len(tokens)
		}
		logProb := float64(logProbs[i])
		captions[k] = Caption{
			IDs: slices.Clone(tokens[:length]), LogProb: logProb,
			Score: logProb / math.Pow(float64(counted), o.LengthPenalty),
		}
	}
	slices.SortStableFunc(captions, func(a, b Caption) int { return cmp.Compare(b.Score, a.Score) })
	if o.BestOnly {
		return captions[:1]
	}
	return captions
}

// checkCaptions reports what only a model without usable numbers generates: a probability that is not a number or
// that of a forbidden word, a caption without words, or a forbidden word.
func (d *Decoder) checkCaptions(captions []Caption, o GenerateOptions) error {
	for _, c := range captions {
		bad := slices.ContainsFunc(c.IDs, func(id int32) bool {
			return id >= int32(d.Vocabulary) || id < vocab.NumSpecials && (id != vocab.Unknown || !o.AllowUnknown)
		})
		if bad || len(c.IDs) == 0 || !isFinite(c.LogProb) || c.LogProb < forbidden/2 {
			return fmt.Errorf("the model's logits are not finite or below %g: its weights are damaged or have "+
				"diverged, or the features are far too large; use another checkpoint or train again", forbidden)
		}
	}
	return nil
}
