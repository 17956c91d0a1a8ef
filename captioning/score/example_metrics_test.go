package score_test

import (
	"fmt"
	"log"

	"captionlab/captioning/score"
)

// BLEU of protocol coco is computed from the counts of the whole corpus. Here the captions are shorter than the
// references, so there is a penalty in all orders. pycocoevalcap 1.2 returns the same scores.
func ExampleCoco_bleu() {
	s, err := score.Coco(score.References{"1": {"a dog runs on the beach"}, "2": {"two men play football"}},
		[]score.Caption{{ID: "1", Text: "a dog on the beach"}, {ID: "2", Text: "two men play"}}, score.Options{})
	if err != nil {
		log.Fatal(err)
	}
	o := s.Overlap
	fmt.Printf("%d tokens, %d in the references\n", o.TestLen, o.RefLen)
	for n, bleu := range s.BLEU {
		fmt.Printf("BLEU-%d %.4f, %d of %d %d-grams match\n", n+1, bleu, o.Correct[n], o.Guess[n], n+1)
	}
	// Output:
	// 8 tokens, 10 in the references
	// BLEU-1 0.7788, 8 of 8 1-grams match
	// BLEU-2 0.7109, 5 of 6 2-grams match
	// BLEU-3 0.5817, 2 of 4 3-grams match
	// BLEU-4 0.0001, 0 of 2 4-grams match
}

// ROUGE-L joins precision and recall of the longest common subsequence: here the five words of the caption, of the six
// of the reference. pycocoevalcap 1.2 returns the same score.
func ExampleCoco_rougeL() {
	s, err := score.Coco(score.References{"1": {"a dog runs on the beach"}},
		[]score.Caption{{ID: "1", Text: "a dog on the beach"}}, score.Options{})
	if err != nil {
		log.Fatal(err)
	}
	precision, recall := 5.0/5, 5.0/6
	fmt.Printf("ROUGE-L %.4f\n", s.ROUGEL)
	fmt.Printf("by hand %.4f\n", (1+1.2*1.2)*precision*recall/(recall+1.2*1.2*precision))
	// Output:
	// ROUGE-L 0.8944
	// by hand 0.8944
}

// CIDEr-D weighs rare n-grams: the second and the third caption both miss one word, but "a", which all images have,
// counts nothing. The best score is 10 for an image, 7.5 here because texts of three words have no 4-grams.
// pycocoevalcap 1.2 returns the same scores.
func ExampleCoco_ciderD() {
	refs := score.References{"1": {"a dog runs"}, "2": {"a cat sits"}, "3": {"a bird sings"}}
	captions := []score.Caption{
		{ID: "1", Text: "a dog runs"}, {ID: "2", Text: "cat sits"}, {ID: "3", Text: "a bird"},
	}
	s, err := score.Coco(refs, captions, score.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, image := range s.Images {
		fmt.Printf("image %s: CIDEr-D %.3f\n", image.ID, image.CIDEr)
	}
	fmt.Printf("mean %.3f\n", s.CIDEr)
	// Output:
	// image 1: CIDEr-D 7.500
	// image 2: CIDEr-D 4.209
	// image 3: CIDEr-D 3.487
	// mean 5.065
}

// Document frequencies of a larger set make the scores of few images meaningful: one image alone has 0.
func ExampleCountFrequencies() {
	frequencies, err := score.CountFrequencies(references, "ptb")
	if err != nil {
		log.Fatal(err)
	}
	one := []score.Caption{{ID: "1", Text: "a dog runs along the beach"}}
	for _, df := range []*score.DocumentFrequencies{nil, frequencies} {
		s, err := score.Coco(score.References{"1": references["1"]}, one, score.Options{Frequencies: df})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("CIDEr-D %.3f\n", s.CIDEr)
	}
	// Output:
	// CIDEr-D 0.000
	// CIDEr-D 2.843
}

// Protocol pa4 scores each image against its references and takes the mean. NLTK 3.9 returns the same scores.
func ExamplePA4_images() {
	s, err := score.PA4(score.References{"1": {"a dog runs on the beach"}, "2": {"two men play football"}},
		[]score.Caption{{ID: "1", Text: "A dog runs on the grass"}, {ID: "2", Text: "two dogs"}}, score.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, image := range s.Images {
		fmt.Printf("image %s: BLEU-1 %.2f, BLEU-4 %.2f\n", image.ID, image.BLEU1, image.BLEU4)
	}
	fmt.Printf("mean: BLEU-1 %.2f, BLEU-4 %.2f\n", s.BLEU1, s.BLEU4)
	// Output:
	// image 1: BLEU-1 83.33, BLEU-4 75.98
	// image 2: BLEU-1 18.39, BLEU-4 5.50
	// mean: BLEU-1 50.86, BLEU-4 40.74
}

func ExampleDiversity() {
	samples := map[score.ID][]string{"1": {"a dog runs", "a dog sits"}, "2": {"a cat sits", "a cat sits"}}
	d, err := score.Diversity(samples, []string{"a dog sits"}, "ptb")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d of %d captions differ, %d words\n", d.Different, d.Captions, d.Words)
	fmt.Printf("distinct-1 %.3f, distinct-2 %.3f, self-BLEU %.3f\n", d.Distinct1, d.Distinct2, *d.SelfBLEU)
	fmt.Printf("unseen in training: %.0f %%\n", 100**d.Unseen)
	// Output:
	// 3 of 4 captions differ, 5 words
	// distinct-1 0.417, distinct-2 0.625, self-BLEU 0.401
	// unseen in training: 75 %
}

// Self-CIDEr weighs n-grams by how rare they are in the references.
func ExampleMeasureSamples() {
	samples := score.Samples{"1": {"a dog runs fast", "a dog runs"}, "2": {"a cat sits there", "the grey cat sleeps"}}
	refs := score.References{"1": {"a dog runs on the beach"}, "2": {"a grey cat sits there"}}
	df, err := score.CountFrequencies(refs, "ptb")
	if err != nil {
		log.Fatal(err)
	}
	s, err := score.MeasureSamples(samples, df, "ptb")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Div-1 %.3f, Div-2 %.3f, mBLEU-1 %.3f\n", s.Div1, s.Div2, s.MBLEU[0])
	for _, image := range s.Images {
		fmt.Printf("image %s: Self-CIDEr %.3f\n", image.ID, *image.SelfCIDEr)
	}
	// Output:
	// Div-1 0.723, Div-2 0.589, mBLEU-1 0.498
	// image 1: Self-CIDEr 0.519
	// image 2: Self-CIDEr 0.949
}
