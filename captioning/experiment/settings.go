// Package experiment defines experiments independently of any model code: their settings, the declared experiments of
// the paper, and the records that a run writes. It does not depend on GoMLX.
package experiment

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"

	"captionlab/captioning/score"
	"captionlab/datasets/jsonfile"
)

// Settings are all choices that decide what a training run computes. The zero value is not usable: start from
// Defaults. Two runs with equal settings on the same data, machine and backend give bit-identical weights.
type Settings struct {
	Cell      string `json:"cell"`      // recurrent cell: "lstm", "rnn" (tanh), "attention" or "top-down"
	Embedding int    `json:"embedding"` // word embedding size
	Hidden    int    `json:"hidden"`    // hidden state size
	// ImageInject says where the image enters: "init" computes h0 and c0 from it, as in the paper; "first" feeds it as
	// input 0, with initial states of zero (Vinyals et al. 2015, "Show and Tell").
	ImageInject string `json:"image_inject"`

	Tokens    string `json:"tokens"`     // tokenizer of the training captions: "whitespace", "treebank" or "ptb"
	MinCount  int    `json:"min_count"`  // words that occur less often in the training split become <unk>
	MaxTokens int    `json:"max_tokens"` // captions are cut to this length, <start> and <end> included

	LearningRate float64 `json:"learning_rate"`
	BatchSize    int     `json:"batch_size"` // captions per training step
	Epochs       int     `json:"epochs"`     // maximum; the epoch with the lowest validation loss is kept
	// Loss is "token" (cross-entropy of real tokens only), "padded" (pads included, as in the paper) or "self-critical"
	// (the expected reward of sampled captions, Rennie et al. 2017, starting from a trained run).
	Loss string `json:"loss"`
	// Batching is "length" (captions of similar length together, each batch with about as many real tokens as
	// batch_size captions of mean length) or "shuffled" (shuffled batches of batch_size captions, as in the paper).
	Batching string `json:"batching"`
	Seed     int64  `json:"seed"` // for initial weights, shuffling and dropout

	Dropout  float64 `json:"dropout"`   // share of hidden outputs dropped before the output layer; 0 turns it off
	ClipNorm float64 `json:"clip_norm"` // gradients are scaled down to this global norm; 0 turns it off
	// Patience ends the run after this many epochs without a better validation loss; 0 runs all epochs.
	Patience int `json:"patience"`
	// LRDecay multiplies the learning rate after LRPatience epochs without a better validation loss; 1 turns it off.
	LRDecay    float64 `json:"lr_decay"`
	LRPatience int     `json:"lr_patience"`
	// Precision of the factors of the large matrix products in training: "float32" or "bfloat16". Weights, losses and
	// everything measured are float32 in either case.
	Precision string `json:"precision,omitempty"`
	// LabelSmoothing is the share of the target's probability that training spreads evenly over the vocabulary
	// (Szegedy et al. 2016). Validation losses are measured without it. 0 turns it off.
	LabelSmoothing float64 `json:"label_smoothing,omitempty"`
	// EmbeddingDropout is the share of the word embeddings' numbers dropped in training; 0 turns it off.
	EmbeddingDropout float64 `json:"embedding_dropout,omitempty"`

	// WeightTying 1 uses the word embedding as the weight of the output layer, too (Press and Wolf 2017), which needs
	// embedding = hidden; 0 turns it off.
	WeightTying int `json:"weight_tying,omitempty"`
	// Attention is the size of the space in which the cells attention and top-down compare places of the image with the
	// hidden state.
	Attention int `json:"attention,omitempty"`
	// AttentionRegulariser is the weight of the doubly stochastic regulariser of Xu et al. 2015: how much training
	// minds that a caption looks at some places more often than once, and at others less. 0 turns it off.
	AttentionRegulariser float64 `json:"attention_regulariser,omitempty"`
	// The settings of loss=self-critical. Each step draws Samples captions of each of batch_size/Samples images; their
	// advantages are their Rewards (see score.NewReward) less the Critic's: "samples" is the mean reward of the image's
	// other samples, "greedy" the reward of its greedy caption.
	Samples int    `json:"samples,omitempty"`
	Reward  string `json:"reward,omitempty"`
	Critic  string `json:"critic,omitempty"`
}

const float32Precision = "float32"

// SelfCritical is the value of the setting loss that rewards sampled captions.
const SelfCritical = "self-critical"

// Defaults are the paper's baseline LSTM with the project's own defaults for loss, batching and the end of training:
// at most 20 epochs, and at most 3 without a better validation loss, so that small learning rates have time to
// converge. The paper trained for 10 epochs.
func Defaults() Settings {
	return Settings{
		Cell: "lstm", Embedding: 300, Hidden: 512, ImageInject: "init",
		Tokens: "whitespace", MinCount: 2, MaxTokens: 20,
		LearningRate: 5e-4, BatchSize: 64, Epochs: 20, Loss: "token", Batching: "length", Seed: 1,
		Patience: 3, LRDecay: 1, LRPatience: 1, Precision: float32Precision,
		Attention: 512, Samples: 5, Reward: "cider-d", Critic: "samples",
	}
}

// choices are the allowed values of the string settings.
var choices = map[string][]string{
	"cell":         {"lstm", "rnn", "attention", "top-down"},
	"image_inject": {"init", "first"},
	"tokens":       {"whitespace", "treebank", "ptb"},
	"loss":         {"token", "padded", SelfCritical},
	"batching":     {"length", "shuffled"},
	"precision":    {float32Precision, "bfloat16"},
	"critic":       {"samples", "greedy"},
}

// parsed are the string settings with a syntax of their own, and what checks it.
var parsed = map[string]func(value string) error{"reward": score.CheckReward}

// limits are the ranges of the numeric settings, both ends included.
var limits = map[string][2]float64{
	"embedding": {1, 65536}, "hidden": {1, 65536}, "min_count": {1, 1 << 30}, "max_tokens": {3, 1000},
	"learning_rate": {1e-12, 10}, "batch_size": {1, 1 << 20}, "epochs": {1, 1 << 20},
	"seed": {math.MinInt64, math.MaxInt64}, "dropout": {0, 0.99}, "clip_norm": {0, 1e12}, "patience": {0, 1 << 20},
	"lr_decay": {1e-6, 1}, "lr_patience": {1, 1 << 20},
	"label_smoothing": {0, 0.99}, "embedding_dropout": {0, 0.99}, "samples": {1, 1000},
	"weight_tying": {0, 1}, "attention": {1, 65536}, "attention_regulariser": {0, 1e6},
}

// Check returns one error that lists every setting with a value that is not allowed, and the allowed values. The name
// of a custom cell passes if allowCell accepts it; nil allows only the built-in cells.
func (s Settings) Check(allowCell func(name string) bool) error {
	var problems []error
	for name, field := range s.fields() {
		switch field.Kind() {
		case reflect.String:
			value := field.String()
			if name == "cell" && allowCell != nil && allowCell(value) {
				continue
			}
			if check := parsed[name]; check != nil {
				if err := check(value); err != nil {
					problems = append(problems, fmt.Errorf("setting %s=%q: %w", name, value, err))
				}
				continue
			}
			allowed := choices[name]
			if !slices.Contains(allowed, value) {
				problems = append(problems,
					fmt.Errorf("setting %s=%q: use %s", name, value, strings.Join(allowed, " or ")))
			}
		default:
			value, limit := number(field), limits[name]
			if !(value >= limit[0] && value <= limit[1]) { // also false for NaN
				problems = append(problems,
					fmt.Errorf("setting %s=%v: use a value from %g to %g", name, field.Interface(), limit[0], limit[1]))
			}
		}
	}
	problems = append(problems, s.checkSelfCritical()...)
	if s.WeightTying == 1 && s.Embedding != s.Hidden {
		problems = append(problems, fmt.Errorf("setting weight_tying=1: embedding=%d and hidden=%d must be equal",
			s.Embedding, s.Hidden))
	}
	sort.Slice(problems, func(i, j int) bool { return problems[i].Error() < problems[j].Error() })
	return errors.Join(problems...)
}

// Set changes one setting, written as in "hidden=1024". It fails for an unknown name, listing the known ones, and for
// a value of the wrong type. It does not check the range; Check does.
func (s *Settings) Set(assignment string) error {
	name, value, ok := strings.Cut(assignment, "=")
	if !ok {
		return fmt.Errorf("setting %q: write it as name=value", assignment)
	}
	field, known := s.fields()[name]
	if !known {
		return fmt.Errorf("unknown setting %q: the settings are %s", name, strings.Join(Names(), ", "))
	}
	var err error
	switch field.Kind() {
	case reflect.String:
		field.SetString(value)
	case reflect.Float64:
		var f float64
		if f, err = strconv.ParseFloat(value, 64); err == nil {
			field.SetFloat(f)
		}
	default:
		var n int64
		if n, err = strconv.ParseInt(value, 10, 64); err == nil {
			field.SetInt(n)
		}
	}
	if err != nil {
		return fmt.Errorf("setting %s=%q is not a number of type %s", name, value, field.Kind())
	}
	return nil
}

// String lists the settings, one name=value per line.
func (s Settings) String() string {
	var out strings.Builder
	fields := s.fields()
	for _, name := range Names() {
		fmt.Fprintf(&out, "%s=%v\n", name, fields[name].Interface())
	}
	return out.String()
}

// Differences lists the settings that differ from wanted, as in "hidden=512, wanted 1024; seed=1, wanted 2".
func (s Settings) Differences(wanted Settings) string {
	mine, theirs := s.fields(), wanted.fields()
	var out []string
	for _, name := range Names() {
		if a, b := mine[name].Interface(), theirs[name].Interface(); a != b {
			out = append(out, fmt.Sprintf("%s=%v, wanted %v", name, a, b))
		}
	}
	return strings.Join(out, "; ")
}

// Names lists the names of all settings, in the order of declaration.
func Names() []string {
	t := reflect.TypeFor[Settings]()
	names := make([]string, t.NumField())
	for i := range names {
		names[i], _, _ = strings.Cut(t.Field(i).Tag.Get("json"), ",")
	}
	return names
}

// ParseSettings reads settings from a JSON object that holds only what differs from base. Unknown names, a second
// object and trailing text are errors.
func ParseSettings(base Settings, data []byte) (Settings, error) {
	type plain Settings // with UnmarshalJSON, unknown names would be accepted
	if err := jsonfile.DecodeKnown("settings", data, (*plain)(&base)); err != nil {
		return Settings{}, fmt.Errorf("%w (the settings are %s)", err, strings.Join(Names(), ", "))
	}
	return base, nil
}

// fields maps the name of each setting to its addressable value.
func (s *Settings) fields() map[string]reflect.Value {
	v := reflect.ValueOf(s).Elem()
	out := make(map[string]reflect.Value, v.NumField())
	for i, name := range Names() {
		out[name] = v.Field(i)
	}
	return out
}

func number(v reflect.Value) float64 {
	if v.Kind() == reflect.Float64 {
		return v.Float()
	}
	return float64(v.Int())
}

// FLOPsPerToken is the number of floating-point operations of training on one real token, given the size of the
// vocabulary: the matrix products of the forward pass, and twice as many for the gradients. Custom cells count as the
// vanilla RNN. What a cell with attention does once per image is left out.
func (s Settings) FLOPsPerToken(vocabulary int) float64 {
	products := s.Hidden * (s.Embedding + s.Hidden)
	switch s.Cell {
	case "lstm":
		products *= 4
	case "attention":
		products = 4*(products+s.Hidden*s.Attention) + s.Hidden*s.Attention
	case "top-down":
		products = 4*(products+s.Hidden*(3*s.Hidden+s.Attention)) + s.Hidden*s.Attention
	}
	return 3 * 2 * float64(products+s.Hidden*vocabulary)
}
