package nbkit

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"captionlab/captioning/score"
	"captionlab/datasets"
	"captionlab/datasets/shapes"
)

const orders = 4 // of n-grams, as in BLEU

// ngramSets holds the different n-grams of captions by order, and at index 0 the different captions.
type ngramSets [orders + 1]map[string]bool

func (s ngramSets) add(tokens []string) {
	s[0][strings.Join(tokens, " ")] = true
	for n := 1; n <= orders; n++ {
		for at := 0; at+n <= len(tokens); at++ {
			s[n][strings.Join(tokens[at:at+n], " ")] = true
		}
	}
}

// UnseenNGrams shows how much of the validation and test captions is in no training caption: the share of their
// different n-grams, from single words to four, and of whole captions.
func (l *Lab) UnseenNGrams() (template.HTML, error) {
	tokenize, err := score.Tokenizer(l.Experiment.Settings.Tokens)
	if err != nil {
		return "", err
	}
	seen := make(map[datasets.Split]ngramSets)
	for _, split := range datasets.Splits {
		var sets ngramSets
		for n := range sets {
			sets[n] = make(map[string]bool)
		}
		for _, ex := range l.Dataset.Examples(split) {
			for _, c := range ex.Captions {
				sets.add(tokenize(c))
			}
		}
		seen[split] = sets
	}
	var rows [][]string
	for _, split := range datasets.Splits[1:] {
		row := []string{string(split)}
		for _, n := range []int{1, 2, 3, 4, 0} {
			unseen := 0
			for gram := range seen[split][n] {
				if !seen[datasets.Train][n][gram] {
					unseen++
				}
			}
			row = append(row, fmt.Sprintf("%.1f %% of %d", percent(unseen, len(seen[split][n])), len(seen[split][n])))
		}
		rows = append(rows, row)
	}
	head := []string{"not in any training caption", "words", "2-grams", "3-grams", "4-grams", "whole captions"}
	return Table(head, rows), nil
}

// HeldOut shows what a dataset's splits hold out by design. For shapes these are combinations, as in red circle left
// of blue square: the table shows that training has none of the combinations of validation and test images, but every
// object and every relation. For other datasets HeldOut only says that images were split.
func (l *Lab) HeldOut() (template.HTML, error) {
	generated, ok := l.Dataset.(*shapes.Dataset)
	if !ok {
		return Text("The splits of %s hold out images, not their content: a test image may look much like "+
			"a training image.",
			l.Dataset.Name()), nil
	}
	combinations, parts := make(map[datasets.Split]map[string]bool), make(map[datasets.Split]map[string]bool)
	for _, split := range datasets.Splits {
		var err error
		if combinations[split], parts[split], err = content(generated, split); err != nil {
			return "", err
		}
	}
	var rows [][]string
	for _, split := range datasets.Splits {
		examples := slices.Sorted(maps.Keys(combinations[split]))
		rows = append(rows, []string{
			string(split), fmt.Sprint(len(examples)),
			fmt.Sprint(common(combinations[split], combinations[datasets.Train])),
			fmt.Sprintf("%d of %d", common(parts[split], parts[datasets.Train]), len(parts[split])),
			strings.Join(examples[:min(3, len(examples))], "; "),
		})
	}
	return Table([]string{"split", "different combinations", "of these shown in training",
		"objects, relations and positions shown in training", "the first ones"}, rows), nil
}

// content returns the combinations that the images of a split show, and their parts: objects, relations and positions.
func content(ds *shapes.Dataset, split datasets.Split) (combinations, parts map[string]bool, err error) {
	combinations, parts = make(map[string]bool), make(map[string]bool)
	for _, ex := range ds.Examples(split) {
		scene, err := ds.Scene(ex.ID)
		if err != nil {
			return nil, nil, err
		}
		for _, c := range scene.Combinations() {
			combinations[c.String()] = true
			parts[c.A.String()], parts[c.Relation+c.Position] = true, true
			if c.Position == "" {
				parts[c.B.String()] = true
			}
		}
	}
	return combinations, parts, nil
}

// common counts the elements that are in both sets.
func common(a, b map[string]bool) int {
	n := 0
	for x := range a {
		if b[x] {
			n++
		}
	}
	return n
}
