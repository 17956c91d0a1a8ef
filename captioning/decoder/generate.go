package decoder

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"captionlab/captioning/vocab"
)

// GenerateOptions choose how captions are read out of a trained model. The zero value is greedy decoding of at most 20
// words without <unk>.
type GenerateOptions struct {
	// MaxWords is the longest caption, in words; 0 means 20, the paper's.
	MaxWords int `json:"max_words"`
	// Temperature above 0 samples each word from softmax(logits / Temperature); 0 takes the likeliest word.
	Temperature float64 `json:"temperature"`
	// TopK above 0 samples among the TopK likeliest words alone (those that tie with the last one included).
	TopK int `json:"top_k"`
	// TopP in (0, 1) samples among the fewest words whose probabilities reach TopP. After TopK, when both are set.
	TopP float64 `json:"top_p"`
	// Seed of the sampling. Picture i of a call draws from its own stream of (Seed, i): the same at any batch size.
	Seed uint64 `json:"seed"`
	// Beam above 1 searches for the likeliest caption with so many hypotheses; it excludes Temperature.
	Beam int `json:"beam"`
	// LengthPenalty divides the log-probability of a finished hypothesis by its number of tokens (<end> included) to this
	// power when the beam's hypotheses are ranked at the end; 0 ranks by probability alone.
	LengthPenalty float64 `json:"length_penalty"`
	// AllowUnknown lets <unk> be generated, as the paper's code does.
	AllowUnknown bool `json:"allow_unk"`
	// BatchSize is how many pictures are decoded side by side; 0 means a number that is fast on two cores. Each takes the
	// next picture when its caption is finished, so it is no matter of results.
	BatchSize int `json:"-"`
	// BestOnly returns the best caption alone. A beam search without LengthPenalty then leaves a picture as soon as its
	// likeliest hypothesis is finished, since none gets likelier by growing.
	BestOnly bool `json:"-"`
}

// Check reports options that exclude each other or are out of range.
func (o GenerateOptions) Check() error {
	switch {
	case o.MaxWords < 0 || o.MaxWords > 1000:
		return fmt.Errorf("generate: at most %d words; use 1 to 1000, or 0 for the default of 20", o.MaxWords)
	case o.Temperature < 0 || !isFinite(o.Temperature):
		return fmt.Errorf("generate: temperature %v; use 0 for the likeliest words or a number above 0", o.Temperature)
	case o.TopK < 0 || o.TopP < 0 || o.TopP >= 1 || math.IsNaN(o.TopP):
		return fmt.Errorf("generate: top-k %d, top-p %v; top-k must not be negative, top-p lies in [0, 1)", o.TopK, o.TopP)
	case o.Beam < 0 || o.Beam > 100:
		return fmt.Errorf("generate: beam %d; use 1 to 100", o.Beam)
	case o.Beam > 1 && o.Temperature > 0:
		return fmt.Errorf("generate: beam %d and temperature %v exclude each other; set one of them", o.Beam, o.Temperature)
	case o.Temperature == 0 && (o.TopK > 0 || o.TopP > 0):
		return fmt.Errorf("generate: top-k %d and top-p %v need a temperature above 0", o.TopK, o.TopP)
	case !isFinite(o.LengthPenalty) || o.LengthPenalty < 0:
		return fmt.Errorf("generate: length penalty %v; use 0 or more", o.LengthPenalty)
	case o.BatchSize < 0:
		return fmt.Errorf("generate: batch size %d", o.BatchSize)
	}
	return nil
}

// defaultRows is how many hypotheses are decoded side by side, greedily and in beams.
const defaultRows, defaultBeamRows = 128, 384

// WithDefaults fills in the defaults that the zero value stands for, for records.
func (o GenerateOptions) WithDefaults() GenerateOptions {
	o.MaxWords = cmp.Or(o.MaxWords, 20)
	o.Beam = max(o.Beam, 1)
	if o.Beam == 1 {
		o.BatchSize = cmp.Or(o.BatchSize, defaultRows)
	}
	o.BatchSize = cmp.Or(o.BatchSize, max(defaultBeamRows/o.Beam, 1))
	return o
}

// Caption is one generated caption.
type Caption struct {
	IDs []int32 // words alone: no <start>, <end> or <pad>; never empty
	// LogProb is the log-probability, in nats, of the words and <end> (where the caption was not cut), under the model
	// with the forbidden tokens left out: for samples too, where temperature, top-k and top-p do not change it.
	LogProb float64
	// Score is LogProb over the number of tokens to the power of the length penalty.
	Score float64
}

// Generate captions pictures given as features, row by row [n, features]. It returns, for each picture, the hypotheses
// best first: one, or Beam of them. The whole loop over words runs on the device.
//
// A caption has 1 to MaxWords words: <end> is forbidden as the first word, <pad> and <start> always, <unk> unless
// allowed. Beam 1 equals greedy decoding.
func (d *Decoder) Generate(features []float32, options GenerateOptions) (captions [][]Caption, err error) {
	if err := options.Check(); err != nil {
		return nil, err
	}
	if len(features)%d.Features != 0 {
		return nil, fmt.Errorf("generate: %d numbers are not whole feature vectors of %d", len(features), d.Features)
	}
	n := len(features) / d.Features
	options = options.WithDefaults()
	if words := d.Vocabulary - vocab.NumSpecials; options.Beam > words {
		return nil, fmt.Errorf("generate: beam %d is wider than the %d words of the vocabulary", options.Beam, words)
	}
	defer recoverTo(&err, "generate")
	captions = make([][]Caption, 0, n)
	for first := 0; first < n; first += maxQueue {
		rows := min(maxQueue, n-first)
		loop, err := d.loopFor(options, rows)
		if err != nil {
			return nil, err
		}
		ids, logProbs, err := loop.run(d, features[first*d.Features:(first+rows)*d.Features], first)
		if err != nil {
			return nil, err
		}
		for row := range rows {
			captions = append(captions, hypotheses(ids, logProbs, row, options))
		}
	}
	return captions, nil
}

// hypotheses cuts the tokens of one picture out of a batch, ids [batch, beam, words] and logProbs [batch, beam].
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

// streamKeys returns the two 32-bit keys of each picture's random stream, [n, 2], from the seed and the picture's index.
// SplitMix64 (Steele, Lea and Flood 2014) spreads them.
func streamKeys(seed uint64, first, n int) *tensors.Tensor {
	keys := make([]uint32, 0, 2*n)
	for i := range n {
		z := seed + 0x9e3779b97f4a7c15*uint64(first+i+1)
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		keys = append(keys, uint32(z), uint32(z>>32))
	}
	return tensors.FromFlatDataAndDimensions(keys, n, 2)
}
