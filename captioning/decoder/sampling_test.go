package decoder

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"captionlab/captioning/vocab"
)

// sampled returns the options of the tests below. Options with the same TopK share a compiled program, and so do two
// calls with 2,049 to 4,096 images.
func sampled(temperature float64, topK int, topP float64) GenerateOptions {
	return GenerateOptions{MaxWords: 4, Temperature: temperature, TopK: topK, TopP: topP,
		AllowUnknown: true, Seed: 11, BatchSize: 512}
}

func TestSamplesDoNotDependOnBatchSize(t *testing.T) {
	sharp := sharpModel(t)
	features := formula(2100*goldenF, 5, 1)
	o := sampled(1, 12, 0.9)
	whole, err := sharp.Generate(features, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Seed++
	other, err := sharp.Generate(features, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Seed--
	o.BatchSize = 60
	parts, err := sharp.Generate(features, o)
	if err != nil {
		t.Fatal(err)
	}
	different := 0
	for i := range whole {
		if !slices.Equal(whole[i][0].IDs, parts[i][0].IDs) {
			t.Errorf("image %d: %v in large batches, %v in small ones", i, whole[i][0].IDs, parts[i][0].IDs)
		}
		if !slices.Equal(whole[i][0].IDs, other[i][0].IDs) {
			different++
		}
	}
	if different == 0 {
		t.Error("another seed gave the same captions")
	}
}

// The two filters share one program here: with TopP near 1, only TopK cuts. The long test compiles a program for each.
func TestSamplingFrequencies(t *testing.T) {
	for _, o := range []GenerateOptions{
		sampled(1, 0, 0), sampled(0.4, 0, 0), sampled(2, 0, 0),
		sampled(1.5, 12, 1-1e-6), sampled(1, 12, 0.8), sampled(1.5, 12, 0.9), sampled(2, 12, 0.7),
	} {
		testFrequencies(t, o)
	}
}

// testFrequencies draws the first word of many copies of an image and compares the counts with softmax(logits / T), cut
// to top-k and top-p, by a chi-squared test at p = 1e-4.
func testFrequencies(t *testing.T, o GenerateOptions) {
	t.Run(fmt.Sprintf("T=%g k=%d p=%g", o.Temperature, o.TopK, o.TopP), func(t *testing.T) {
		sharp := sharpModel(t)
		const n = 20000
		image := formula(goldenF, 9, 1)
		captions, err := sharp.Generate(slices.Repeat(image, n), o)
		if err != nil {
			t.Fatal(err)
		}
		counts := make([]float64, goldenV)
		for _, c := range captions {
			counts[c[0].IDs[0]]++
		}
		h, c := sharp.host.start(image)
		_, _, logProbs := sharp.host.next(vocab.Start, true, true, h, c)
		want := expected(logProbs, o)
		chi2, freedom := 0.0, -1.0
		var restCount, restWant float64 // words too rare for the test, joined
		for id, p := range want {
			if p == 0 && counts[id] > 0 {
				t.Fatalf("token %d was drawn %v times although it is cut off", id, counts[id])
			}
			if p*n < 8 {
				restCount, restWant = restCount+counts[id], restWant+p*n
				continue
			}
			chi2 += (counts[id] - p*n) * (counts[id] - p*n) / (p * n)
			freedom++
		}
		if restWant >= 8 {
			chi2 += (restCount - restWant) * (restCount - restWant) / restWant
			freedom++
		}
		if freedom < 1 {
			return // one word only, and no other one was drawn
		}
		// Wilson and Hilferty 1931: the cube root of chi2/df is nearly normal; 3.719 is the 1 - 1e-4 quantile.
		limit := freedom * math.Pow(1-2/(9*freedom)+3.719*math.Sqrt(2/(9*freedom)), 3)
		if chi2 > limit {
			t.Errorf("chi-squared is %.1f with %v degrees of freedom, limit %.1f: counts %v, expected shares %v",
				chi2, freedom, limit, counts, want)
		}
	})
}

// expected is softmax(logProbs / T) cut to top-k, then to top-p, in float64.
func expected(logProbs []float64, o GenerateOptions) []float64 {
	normalise := func(p []float64) {
		sum := 0.0
		for _, v := range p {
			sum += v
		}
		for i := range p {
			p[i] /= sum
		}
	}
	p := make([]float64, len(logProbs))
	for i, lp := range logProbs {
		p[i] = math.Exp(lp / o.Temperature)
	}
	normalise(p)
	sorted := slices.Clone(p)
	slices.SortFunc(sorted, func(a, b float64) int { return cmp.Compare(b, a) })
	cut := 0.0
	if o.TopK > 0 {
		cut = sorted[o.TopK-1]
		for i := range p {
			if p[i] < cut {
				p[i] = 0
			}
		}
		normalise(p)
		copy(sorted, p)
		slices.SortFunc(sorted, func(a, b float64) int { return cmp.Compare(b, a) })
	}
	if o.TopP > 0 {
		mass := 0.0
		for _, v := range sorted {
			if mass += v; mass >= o.TopP {
				cut = v
				break
			}
		}
		for i := range p {
			if p[i] < cut {
				p[i] = 0
			}
		}
		normalise(p)
	}
	return p
}
