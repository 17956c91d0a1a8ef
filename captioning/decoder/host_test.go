package decoder

import (
	"cmp"
	"math"
	"slices"

	"captionlab/captioning/vocab"
)

// hostLSTM is a plain LSTM captioner in float64, the reference for the loops on the device.
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

// beam is the textbook search: extend every hypothesis, keep the best ones, and leave finished ones unchanged.
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
				tokens := append(slices.Clone(b.tokens), int32(id))
				candidates = append(candidates, hypothesis{tokens, b.logProb + lp, int32(id) == vocab.End, h, c})
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
