package nbkit

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"html/template"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"

	"captionlab/captioning/score"
	"captionlab/datasets"
	"captionlab/datasets/shapes"
)

// Spread picks n examples evenly out of all, the first one among them.
func Spread(all []datasets.Example, n int) []datasets.Example {
	var out []datasets.Example
	n = min(n, len(all))
	for i := range n {
		out = append(out, all[i*len(all)/n])
	}
	return out
}

// SplitTable shows how large the splits are, and checks what makes them splits: that no picture is in two of them, by its id or
// by its bytes. It reads every picture once.
func (l *Lab) SplitTable() (template.HTML, error) {
	sums, err := l.pictureSums()
	if err != nil {
		return "", err
	}
	inSplit, bytesIn := make(map[string]datasets.Split), make(map[[32]byte]string)
	var rows [][]string
	var shared []string
	total := 0
	for _, split := range datasets.Splits {
		pictures, captions, equal := 0, 0, 0
		for _, ex := range l.Dataset.Examples(split) {
			pictures, captions = pictures+1, captions+len(ex.Captions)
			if other, double := inSplit[ex.ID]; double {
				return "", fmt.Errorf("picture %s is in split %s and in %s: scores on them would be of pictures that were learnt", ex.ID, other, split)
			}
			inSplit[ex.ID] = split
			sum := sums[ex.ID]
			if other, double := bytesIn[sum]; double {
				equal++
				if inSplit[other] != split {
					shared = append(shared, fmt.Sprintf("%s of %s is %s of %s", ex.ID, split, other, inSplit[other]))
				}
			} else {
				bytesIn[sum] = ex.ID
			}
		}
		total += pictures
		rows = append(rows, []string{string(split), fmt.Sprint(pictures), fmt.Sprint(captions), fmt.Sprintf("%.2f", float64(captions)/float64(max(1, pictures))), fmt.Sprint(equal)})
	}
	told := Text("No id is in two splits, and of %d pictures none has the bytes of one in another split.", total)
	if len(shared) > 0 {
		told = Text("No id is in two splits. The same picture under two names, in two splits: %s.", strings.Join(shared, "; "))
	}
	return Table([]string{"split", "pictures", "captions", "captions a picture", "pictures with the bytes of an earlier one"}, rows) + told, nil
}

// pictureSums returns the SHA-256 of every picture by id. It reads them on all cores.
func (l *Lab) pictureSums() (map[string][32]byte, error) {
	ids := make(chan string)
	go func() {
		defer close(ids)
		for _, split := range datasets.Splits {
			for _, ex := range l.Dataset.Examples(split) {
				ids <- ex.ID
			}
		}
	}()
	sums, problem := make(map[string][32]byte), error(nil)
	var mu sync.Mutex
	var readers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		readers.Go(func() {
			for id := range ids {
				if l.Context.Err() != nil {
					continue // nobody waits for the rest
				}
				sum, err := l.pictureSum(id)
				mu.Lock()
				sums[id], problem = sum, cmp.Or(problem, err)
				mu.Unlock()
			}
		})
	}
	readers.Wait()
	return sums, cmp.Or(l.Context.Err(), problem)
}

func (l *Lab) pictureSum(id string) (sum [32]byte, err error) {
	f, err := l.Dataset.OpenImage(id)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, fmt.Errorf("picture %s: %w", id, err)
	}
	return [32]byte(h.Sum(nil)), nil
}

// NewNGrams shows how much in the validation and test captions no training caption says: which share of their different
// n-grams, from single words to four, and which share of the captions as a whole.
func (l *Lab) NewNGrams() (template.HTML, error) {
	tokenize, err := score.Tokenizer(l.Experiment.Settings.Tokens)
	if err != nil {
		return "", err
	}
	seen := make(map[datasets.Split][orders + 1]map[string]bool)
	for _, split := range datasets.Splits {
		var grams [orders + 1]map[string]bool // at 0, whole captions
		for n := range grams {
			grams[n] = make(map[string]bool)
		}
		for _, ex := range l.Dataset.Examples(split) {
			for _, c := range ex.Captions {
				tokens := tokenize(c)
				grams[0][strings.Join(tokens, " ")] = true
				for n := 1; n <= orders; n++ {
					for at := 0; at+n <= len(tokens); at++ {
						grams[n][strings.Join(tokens[at:at+n], " ")] = true
					}
				}
			}
		}
		seen[split] = grams
	}
	var rows [][]string
	for _, split := range datasets.Splits[1:] {
		row := []string{string(split)}
		for _, n := range []int{1, 2, 3, 4, 0} {
			fresh := 0
			for gram := range seen[split][n] {
				if !seen[datasets.Train][n][gram] {
					fresh++
				}
			}
			row = append(row, fmt.Sprintf("%.1f %% of %d", percent(fresh, len(seen[split][n])), len(seen[split][n])))
		}
		rows = append(rows, row)
	}
	return Table([]string{"not in any training caption", "words", "2-grams", "3-grams", "4-grams", "whole captions"}, rows), nil
}

const orders = 4 // of n-grams, as in BLEU

// HeldOut shows what a dataset's splits hold out on purpose. Of the drawn shapes these are combinations, as red circle left of
// blue square: it checks that no combination of a validation or test picture is shown in training, and that every object and
// every relation is. Of other datasets it tells that pictures were split, and nothing else.
func (l *Lab) HeldOut() (template.HTML, error) {
	drawn, ok := l.Dataset.(*shapes.Dataset)
	if !ok {
		return Text("The splits of %s hold out pictures, not what they show: a test picture may look much like a training picture.", l.Dataset.Name()), nil
	}
	combinations, parts := make(map[datasets.Split]map[string]bool), make(map[datasets.Split]map[string]bool)
	for _, split := range datasets.Splits {
		combinations[split], parts[split] = make(map[string]bool), make(map[string]bool)
		for _, ex := range drawn.Examples(split) {
			scene, err := drawn.Scene(ex.ID)
			if err != nil {
				return "", err
			}
			for _, c := range scene.Combinations() {
				combinations[split][c.String()] = true
				parts[split][c.A.String()], parts[split][c.Relation+c.Position] = true, true
				if c.Position == "" {
					parts[split][c.B.String()] = true
				}
			}
		}
	}
	var rows [][]string
	for _, split := range datasets.Splits {
		held, known, examples := 0, 0, sortedKeys(combinations[split])
		for _, c := range examples {
			if combinations[datasets.Train][c] {
				held++
			}
		}
		for part := range parts[split] {
			if parts[datasets.Train][part] {
				known++
			}
		}
		rows = append(rows, []string{string(split), fmt.Sprint(len(examples)), fmt.Sprint(held), fmt.Sprintf("%d of %d", known, len(parts[split])),
			strings.Join(examples[:min(3, len(examples))], "; ")})
	}
	return Table([]string{"split", "different combinations", "of these shown in training", "objects, relations and positions shown in training", "the first ones"}, rows), nil
}

func sortedKeys(m map[string]bool) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
