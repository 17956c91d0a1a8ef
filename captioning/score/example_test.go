package score_test

import (
	"fmt"
	"log"

	"captionlab/captioning/score"
)

var (
	references = score.References{
		"1": {"A dog runs on the beach.", "A brown dog is running along the shore."},
		"2": {"Two men play football.", "Two players fight for the ball."},
		"3": {"A woman rides a horse.", "A lady is riding a brown horse."},
	}
	captions = []score.Caption{
		{ID: "1", Text: "a dog runs along the beach"},
		{ID: "2", Text: "two men play"},
		{ID: "3", Text: "a woman rides a brown horse"},
	}
)

// pycocoevalcap 1.2 returns the same scores.
func ExampleCoco() {
	s, err := score.Coco(references, captions, score.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("BLEU-1 %.4f, BLEU-4 %.4f, ROUGE-L %.4f, CIDEr-D %.4f\n", s.BLEU[0], s.BLEU[3], s.ROUGEL, s.CIDEr)
	for _, image := range s.Images {
		fmt.Printf("image %s: BLEU-1 %.4f\n", image.ID, image.BLEU[0])
	}
	// Output:
	// BLEU-1 1.0000, BLEU-4 0.5398, ROUGE-L 0.8644, CIDEr-D 3.5121
	// image 1: BLEU-1 1.0000
	// image 2: BLEU-1 0.7165
	// image 3: BLEU-1 1.0000
}

func ExamplePA4() {
	s, err := score.PA4(references, captions, score.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("BLEU-1 %.3f, BLEU-4 %.3f\n", s.BLEU1, s.BLEU4)
	// Output: BLEU-1 79.440, BLEU-4 41.145
}

func ExampleCompare() {
	others := []score.Caption{
		{ID: "1", Text: "a man"},
		{ID: "2", Text: "two men play football"},
		{ID: "3", Text: "a horse"},
	}
	a, err := score.Coco(references, captions, score.Options{})
	if err != nil {
		log.Fatal(err)
	}
	b, err := score.Coco(references, others, score.Options{})
	if err != nil {
		log.Fatal(err)
	}
	differences, err := score.Compare(a, b, score.BootstrapOptions{Draws: 999, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	d, _ := differences.Get(score.BLEU1)
	fmt.Printf("%s: %.3f against %.3f, p = %.2f\n", d.Metric, d.A, d.B, d.P)
	// Output: BLEU-1: 1.000 against 0.365, p = 0.51
}

// A custom metric, here how long captions are compared with their references, is scored together with built-in ones.
func ExampleMeasure() {
	length := score.Metric{
		Name:  "length ratio",
		Scale: 100,
		Prepare: func(p *score.Prepared) func(i int) []float64 {
			return func(i int) []float64 { // the caption's tokens and the mean number of tokens of its references
				var tokens int
				for _, reference := range p.References(i) {
					tokens += len(reference)
				}
				return []float64{float64(len(p.Caption(i))), float64(tokens) / float64(len(p.References(i)))}
			}
		},
		Total: func(sum []float64, n int) []float64 { return []float64{sum[0] / sum[1]} },
	}
	metrics, err := score.Select("BLEU", "CIDEr-D")
	if err != nil {
		log.Fatal(err)
	}
	s, err := score.Measure(references, captions, append(metrics, length), score.Options{})
	if err != nil {
		log.Fatal(err)
	}
	intervals, err := score.Bootstrap(s, score.BootstrapOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{score.BLEU4, "length ratio"} {
		i, _ := intervals.Get(name)
		scale := s.Scale(name)
		fmt.Printf("%s %.1f [%.1f, %.1f]\n", name, scale*i.Value, scale*i.Low, scale*i.High)
	}
	// Output:
	// BLEU-4 54.0 [0.0, 71.4]
	// length ratio 83.3 [60.0, 100.0]
}

func ExampleExplain() {
	e, err := score.Explain("a dog runs along the beach", references["1"], "ptb")
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range e.Matches[1] {
		fmt.Println(m.Words, m.InReferences)
	}
	// Output:
	// [a dog] [1 0]
	// [dog runs] [1 0]
	// [runs along] [0 0]
	// [along the] [0 1]
	// [the beach] [1 0]
}

func ExampleTokenizer() {
	for _, name := range score.Tokenizers {
		tokenize, err := score.Tokenizer(name)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%-10s %q\n", name, tokenize("A man's dog can't run."))
	}
	// Output:
	// ptb        ["a" "man" "'s" "dog" "ca" "n't" "run"]
	// treebank   ["a" "man" "'s" "dog" "ca" "n't" "run" "."]
	// whitespace ["a" "man's" "dog" "can't" "run."]
}
