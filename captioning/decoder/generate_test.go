package decoder

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"captionlab/captioning/vocab"
	"captionlab/captioning/xla/xlatest"
)

// hostLSTM is a plain LSTM captioner in float64, to check the device's loops against.
type hostLSTM struct {
	m      Model
	values Values
}

func (r hostLSTM) linear(x []float64, weight, bias string) []float64 {
	w, b := r.values[weight], r.values[bias]
	out := make([]float64, len(b))
	for i := range out {
		out[i] = float64(b[i])
		for j, v := range x {
			out[i] += float64(w[i*len(x)+j]) * v
		}
	}
	return out
}

func (r hostLSTM) start(features []float32) (h, c []float64) {
	x := make([]float64, len(features))
	for i, v := range features {
		x[i] = float64(v)
	}
	h = r.linear(x, imageWeight, imageBias)
	return h, slices.Clone(h)
}

// next reads a token and returns the new states and the log-probabilities of the word after it.
func (r hostLSTM) next(token int32, first, allowUnknown bool, h, c []float64) (h2, c2, logProbs []float64) {
	x := make([]float64, r.m.Embedding)
	for i := range x {
		x[i] = float64(r.values[embeddingWeight][int(token)*r.m.Embedding+i])
	}
	a := r.linear(x, cellPrefix+"weight_ih", cellPrefix+"bias_ih")
	b := r.linear(h, cellPrefix+"weight_hh", cellPrefix+"bias_hh")
	n := r.m.Hidden
	sigmoid := func(i int) float64 { return 1 / (1 + math.Exp(-a[i]-b[i])) }
	h2, c2 = make([]float64, n), make([]float64, n)
	for i := range n {
		c2[i] = sigmoid(n+i)*c[i] + sigmoid(i)*math.Tanh(a[2*n+i]+b[2*n+i])
		h2[i] = sigmoid(3*n+i) * math.Tanh(c2[i])
	}
	logProbs = r.linear(h2, outputWeight, outputBias)
	logProbs[vocab.Pad], logProbs[vocab.Start] = math.Inf(-1), math.Inf(-1)
	if first {
		logProbs[vocab.End] = math.Inf(-1)
	}
	if !allowUnknown {
		logProbs[vocab.Unknown] = math.Inf(-1)
	}
	sum := 0.0
	for _, v := range logProbs {
		sum += math.Exp(v)
	}
	for i := range logProbs {
		logProbs[i] -= math.Log(sum)
	}
	return h2, c2, logProbs
}

type hypothesis struct {
	tokens   []int32
	logProb  float64
	finished bool
	h, c     []float64
}

// beam is the textbook search: extend all, keep the best, let finished ones stand.
func (r hostLSTM) beam(features []float32, o GenerateOptions) []Caption {
	h, c := r.start(features)
	beams := []hypothesis{{h: h, c: c}}
	for t := range o.MaxWords {
		var candidates []hypothesis
		for _, b := range beams {
			if b.finished {
				candidates = append(candidates, b)
				continue
			}
			last := vocab.Start
			if t > 0 {
				last = b.tokens[t-1]
			}
			h, c, logProbs := r.next(last, t == 0, o.AllowUnknown, b.h, b.c)
			for id, lp := range logProbs {
				candidates = append(candidates, hypothesis{append(slices.Clone(b.tokens), int32(id)), b.logProb + lp, int32(id) == vocab.End, h, c})
			}
		}
		slices.SortStableFunc(candidates, func(a, b hypothesis) int { return cmp.Compare(b.logProb, a.logProb) })
		beams = candidates[:o.Beam]
	}
	var out []Caption
	for _, b := range beams {
		score := b.logProb / math.Pow(float64(len(b.tokens)), o.LengthPenalty)
		if b.finished {
			b.tokens = b.tokens[:len(b.tokens)-1]
		}
		out = append(out, Caption{IDs: b.tokens, LogProb: b.logProb, Score: score})
	}
	slices.SortStableFunc(out, func(a, b Caption) int { return cmp.Compare(b.Score, a.Score) })
	return out
}

// sharpModel is the golden model with larger weights, so that captions end at different lengths.
func sharpModel(t *testing.T) (*Decoder, hostLSTM) {
	t.Helper()
	m, values := goldenModel(LSTM{}, false)
	for _, name := range []string{embeddingWeight, cellPrefix + "weight_hh", imageWeight, outputWeight} {
		for i := range values[name] {
			values[name][i] *= 5
		}
	}
	values[outputBias][vocab.End] += 1
	d, err := New(xlatest.OpenForTest(t), m, values)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Finalize)
	return d, hostLSTM{m, values}
}

func TestSearchAgreesWithPlainReference(t *testing.T) {
	d, host := sharpModel(t)
	const n = 7
	features := formula(n*goldenF, 77, 1)
	lengths := make(map[int]bool)
	for _, o := range []GenerateOptions{
		{MaxWords: 6}, {MaxWords: 6, AllowUnknown: true}, {MaxWords: 6, Beam: 3}, {MaxWords: 6, Beam: 5, LengthPenalty: 0.7, BatchSize: 3},
	} {
		t.Run(fmt.Sprintf("beam %d penalty %g unknown %v", o.Beam, o.LengthPenalty, o.AllowUnknown), func(t *testing.T) {
			got, err := d.Generate(features, o)
			if err != nil {
				t.Fatal(err)
			}
			o.Beam = max(o.Beam, 1)
			for i := range n {
				want := host.beam(features[i*goldenF:(i+1)*goldenF], o)
				for k := range want {
					g, w := got[i][k], want[k]
					if !slices.Equal(g.IDs, w.IDs) || math.Abs(g.LogProb-w.LogProb) > 1e-4 || math.Abs(g.Score-w.Score) > 1e-4 {
						t.Errorf("picture %d, hypothesis %d: got %+v, want %+v", i, k, g, w)
					}
					lengths[len(g.IDs)] = true
				}
			}
		})
	}
	if len(lengths) < 3 {
		t.Errorf("captions of %d lengths alone: the test proves too little", len(lengths))
	}
}

func TestBeamOfOneIsGreedy(t *testing.T) {
	d, _ := sharpModel(t)
	features := formula(9*goldenF, 5, 1)
	greedy, err := d.Generate(features, GenerateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	beam, err := d.Generate(features, GenerateOptions{Beam: 1, BatchSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i := range greedy {
		if !slices.Equal(greedy[i][0].IDs, beam[i][0].IDs) {
			t.Errorf("picture %d: %v and %v", i, greedy[i][0].IDs, beam[i][0].IDs)
		}
		if n := len(greedy[i][0].IDs); n < 1 || n > 20 {
			t.Errorf("picture %d has %d words", i, n)
		}
	}
}

func TestSamplesDoNotDependOnBatchSize(t *testing.T) {
	d, _ := sharpModel(t)
	features := formula(9*goldenF, 5, 1)
	o := GenerateOptions{Temperature: 1, TopK: 9, TopP: 0.9, Seed: 4}
	whole, err := d.Generate(features, o)
	if err != nil {
		t.Fatal(err)
	}
	o.BatchSize = 2
	parts, err := d.Generate(features, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Seed = 5
	other, err := d.Generate(features, o)
	if err != nil {
		t.Fatal(err)
	}
	different := 0
	for i := range whole {
		if !slices.Equal(whole[i][0].IDs, parts[i][0].IDs) {
			t.Errorf("picture %d: %v in one batch, %v in small ones", i, whole[i][0].IDs, parts[i][0].IDs)
		}
		if !slices.Equal(whole[i][0].IDs, other[i][0].IDs) {
			different++
		}
	}
	if different == 0 {
		t.Error("another seed gave the same captions")
	}
}

// TestSamplingFrequencies draws one word for each of many copies of a picture and compares the counts with
// softmax(logits / T), cut to top-k and top-p, by a chi-squared test at p = 1e-4.
func TestSamplingFrequencies(t *testing.T) {
	d, host := sharpModel(t)
	const n = 20000
	picture := formula(goldenF, 9, 1)
	features := slices.Repeat(picture, n)
	h, c := host.start(picture)
	_, _, logProbs := host.next(vocab.Start, true, true, h, c)
	for _, o := range []GenerateOptions{
		{Temperature: 1}, {Temperature: 0.4}, {Temperature: 2}, {Temperature: 1.5, TopK: 5}, {Temperature: 1, TopP: 0.8}, {Temperature: 2, TopK: 12, TopP: 0.7},
	} {
		o.MaxWords, o.AllowUnknown, o.Seed, o.BatchSize = 1, true, 11, 5000
		t.Run(fmt.Sprintf("T=%g k=%d p=%g", o.Temperature, o.TopK, o.TopP), func(t *testing.T) {
			captions, err := d.Generate(features, o)
			if err != nil {
				t.Fatal(err)
			}
			counts := make([]float64, goldenV)
			for _, c := range captions {
				counts[c[0].IDs[0]]++
			}
			want := expected(logProbs, o)
			chi2, freedom := 0.0, -1.0
			var restCount, restWant float64 // cells too small for the test are joined
			for id, p := range want {
				if p == 0 && counts[id] > 0 {
					t.Fatalf("token %d was drawn %v times though it is cut off", id, counts[id])
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
			// Wilson and Hilferty 1931: the cube root of chi2/df is nearly normal; 3.719 is the 1 - 1e-4 quantile.
			limit := freedom * math.Pow(1-2/(9*freedom)+3.719*math.Sqrt(2/(9*freedom)), 3)
			if chi2 > limit {
				t.Errorf("chi-squared %.1f with %v degrees of freedom, limit %.1f: %v against %v", chi2, freedom, limit, counts, want)
			}
		})
	}
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

func TestGenerateOptionsCheck(t *testing.T) {
	for _, o := range []GenerateOptions{
		{Temperature: -1}, {Temperature: math.NaN()}, {Beam: -1}, {Beam: 3, Temperature: 1}, {TopK: 4}, {TopP: 1, Temperature: 1}, {MaxWords: -3},
	} {
		if err := o.Check(); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}
