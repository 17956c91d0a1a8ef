package decoder

import (
	"math"
	"strings"
	"testing"

	"captionlab/captioning/vocab"
)

func TestWordLogProbsAddUpToThatOfTheCaption(t *testing.T) {
	sharp := sharpModel(t)
	const n = 9 // more than one batch
	features := formula(n*goldenF, 77, 1)
	ended, cut := 0, 0
	for _, o := range []GenerateOptions{{MaxWords: 4}, {MaxWords: 4, AllowUnknown: true},
		{MaxWords: 4, Temperature: 2, Seed: 5}} {
		generated, err := sharp.Generate(features, o)
		if err != nil {
			t.Fatal(err)
		}
		captions := make([][]int32, n)
		for i, hypotheses := range generated {
			captions[i] = hypotheses[0].IDs
		}
		got, err := sharp.WordLogProbs(features, captions, o)
		if err != nil {
			t.Fatal(err)
		}
		for i, tokens := range got {
			if want := min(len(captions[i])+1, o.MaxWords); len(tokens) != want {
				t.Fatalf("%+v: image %d has %d probabilities, want %d", o, i, len(tokens), want)
			}
			if len(captions[i]) < o.MaxWords {
				ended++
			} else {
				cut++
			}
			sum := 0.0
			for _, x := range tokens {
				if x > 0 {
					t.Errorf("%+v: image %d has a log-probability of %g", o, i, x)
				}
				sum += x
			}
			if want := generated[i][0].LogProb; math.Abs(sum-want) > 1e-4 {
				t.Errorf("%+v: the words of image %d add up to %g, the caption has %g", o, i, sum, want)
			}
		}
	}
	if ended == 0 || cut == 0 {
		t.Errorf("%d captions ended by themselves, %d were cut: the test wants some of both", ended, cut)
	}
}

func TestWordLogProbsRefusesWhatIsNoCaption(t *testing.T) {
	sharp := sharpModel(t)
	for _, c := range []struct {
		captions [][]int32
		features int
		want     string
	}{
		{[][]int32{{5}}, 2, "as features of 1 images"},
		{[][]int32{{}}, 1, "0 words"},
		{[][]int32{{5, 6, 7, 5, 6}}, 1, "5 words"},
		{[][]int32{{5}, {vocab.Unknown}}, 2, "caption 1: token id 3"},
		{[][]int32{{int32(sharp.Vocabulary)}}, 1, "is not a word"},
	} {
		_, err := sharp.WordLogProbs(formula(c.features*goldenF, 1, 1), c.captions, GenerateOptions{MaxWords: 4})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("captions %v: got %v, want an error with %q", c.captions, err, c.want)
		}
	}
}
