package captioning

import (
	"context"
	"fmt"
	"slices"

	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/captioning/vocab"
	"captionlab/datasets"
)

// pair is one training example: an image and one of its captions as token ids, <start> first.
type pair struct {
	image int32 // row in the pairs' imageTable
	ids   []int32
}

// steps is the number of words that the decoder reads, which is also the number of words that it predicts.
func (p pair) steps() int { return len(p.ids) - 1 }

// tokensOf is the number of real tokens in pairs.
func tokensOf(pairs []pair) int {
	tokens := 0
	for _, p := range pairs {
		tokens += p.steps()
	}
	return tokens
}

// buildVocabulary counts the words of the training split only.
func buildVocabulary(ds datasets.Dataset, s experiment.Settings) (*vocab.Vocabulary, error) {
	captions, err := trainingTokens(ds, s.Tokens)
	if err != nil {
		return nil, err
	}
	return vocab.Build(captions, s.MinCount)
}

// trainingTokens returns the tokens of all training captions, by the tokenizer of that name.
func trainingTokens(ds datasets.Dataset, tokens string) ([][]string, error) {
	tokenize, err := score.Tokenizer(tokens)
	if err != nil {
		return nil, err
	}
	var captions [][]string
	for _, ex := range ds.Examples(datasets.Train) {
		for _, c := range ex.Captions {
			captions = append(captions, tokenize(c))
		}
	}
	return captions, nil
}

// makePairs lists every caption of a split with its image, whose features it adds to the table. Images without features
// are left out. m is the model that will read them.
func (t *imageTable) makePairs(ctx context.Context, data *Data, split datasets.Split, c *Checkpoint, m decoder.Model) (
	[]pair, error) {
	tokenize, err := score.Tokenizer(c.Settings.Tokens)
	if err != nil {
		return nil, err
	}
	f, err := data.featuresFor(ctx, m)
	if err != nil {
		return nil, err
	}
	examples, err := data.Examples(ctx, split)
	if err != nil {
		return nil, err
	}
	t.rows = slices.Grow(t.rows, len(examples))
	var pairs []pair
	for _, ex := range examples {
		features, _ := f.Row(ex.ID)
		row := t.add(features)
		if m.Looks() {
			t.grids = append(t.grids, f.Grid(ex.ID))
		}
		for _, caption := range ex.Captions {
			pairs = append(pairs, pair{row, c.Vocabulary.Encode(tokenize(caption), c.Settings.MaxTokens)})
		}
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("the %s split of %s has no caption whose image has features", split, data.Name())
	}
	return pairs, nil
}
