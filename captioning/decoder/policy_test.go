package decoder

import (
	"math"
	"testing"

	"captionlab/captioning/vocab"
	"captionlab/captioning/xla/xlatest"
)

// The tiny model of the policy gradient: two words, captions of at most three words.
const policyWords = 3

func policyModel() (Model, Values) {
	m := Model{Cell: LSTM{}, Vocabulary: vocab.NumSpecials + 2, Features: 3, Embedding: 2, Hidden: 3}
	values := m.Initialize(3)
	for _, data := range values {
		for i := range data {
			data[i] *= 2
		}
	}
	return m, values
}

// everyCaption lists all captions of the tiny model: 2 + 4 that end, and 8 that are cut.
func everyCaption() [][]int32 {
	var all [][]int32
	longest := [][]int32{nil}
	for range policyWords {
		var next [][]int32
		for _, c := range longest {
			for id := int32(vocab.NumSpecials); id < vocab.NumSpecials+2; id++ {
				next = append(next, append(append([]int32(nil), c...), id))
			}
		}
		all, longest = append(all, next...), next
	}
	return all
}

// policyReward is an arbitrary reward.
func policyReward(caption []int32) float64 {
	sum := 0.3
	for i, id := range caption {
		sum += float64(id-vocab.NumSpecials) * float64(1+i)
	}
	return math.Sin(3*sum) + float64(len(caption))
}

// probabilities returns those of all captions under d.
func probabilities(t *testing.T, d *Decoder, features []float32, captions [][]int32) []float64 {
	t.Helper()
	var repeated []float32
	for range captions {
		repeated = append(repeated, features...)
	}
	all, err := d.WordLogProbs(repeated, captions, GenerateOptions{MaxWords: policyWords})
	if err != nil {
		t.Fatal(err)
	}
	p := make([]float64, len(captions))
	for i, words := range all {
		for _, x := range words {
			p[i] += x
		}
		p[i] = math.Exp(p[i])
	}
	return p
}

// policyBatch is a batch of captions of one image with a weight each.
func policyBatch(features []float32, captions [][]int32, weights []float64) *Batch {
	b := &Batch{Size: len(captions), Steps: policyWords}
	n := b.Size * b.Steps
	b.Inputs, b.Targets, b.Weights = make([]int32, n), make([]int32, n), make([]float32, n)
	for row, ids := range captions {
		b.Features = append(b.Features, features...)
		b.Inputs[row] = vocab.Start
		for t := 0; t < min(len(ids)+1, policyWords); t++ {
			at := t*b.Size + row
			b.Targets[at], b.Weights[at] = vocab.End, float32(weights[row])
			if t < len(ids) {
				b.Targets[at] = ids[t]
				if t+1 < policyWords {
					b.Inputs[at+b.Size] = ids[t]
				}
			}
		}
	}
	return b
}

// The step whose weights are probability times advantage, over all captions, descends along the exact gradient of the
// expected reward: the one that finite differences of the enumerated sum give. Weights of both signs occur.
func TestPolicyGradientIsExact(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	m, values := policyModel()
	features := []float32{0.5, -1, 0.25}
	captions := everyCaption()
	expected := func(values Values) float64 {
		d, err := New(backend, m, values)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Finalize()
		total, sum := 0.0, 0.0
		for i, p := range probabilities(t, d, features, captions) {
			total, sum = total+p, sum+p*policyReward(captions[i])
		}
		if math.Abs(total-1) > 1e-5 {
			t.Fatalf("the probabilities of all captions add up to %v", total)
		}
		return sum
	}
	const batchWeight = 7
	trainer, err := NewTrainer(backend, m, values, nil,
		TrainOptions{LearningRate: 1e-3, WordsOnly: true, BatchWeight: batchWeight})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Finalize()
	mean := expected(values)
	var weights []float64
	negative := 0
	for i, p := range probabilities(t, trainer.Decoder, features, captions) {
		weights = append(weights, p*(policyReward(captions[i])-mean))
		if weights[i] < 0 {
			negative++
		}
	}
	if negative == 0 || negative == len(weights) {
		t.Fatalf("%d of %d weights are negative", negative, len(weights))
	}
	_, gradients, err := trainer.firstStep(policyBatch(features, captions, weights))
	if err != nil {
		t.Fatal(err)
	}
	const h = 1e-2
	for _, name := range []string{outputWeight, outputBias, embeddingWeight, imageWeight, "cell.weight_hh"} {
		scale, worst := 0.0, 0.0
		for i := 0; i < len(values[name]); i += 1 + len(values[name])/4 { // each costs two compilations
			was := values[name][i]
			values[name][i] = was + h
			up := expected(values)
			values[name][i] = was - h
			slope := -(up - expected(values)) / (2 * h) / batchWeight
			values[name][i] = was
			scale = math.Max(scale, math.Abs(slope))
			worst = math.Max(worst, math.Abs(slope-float64(gradients[name][i])))
		}
		if !(worst <= 2e-3*scale) {
			t.Errorf("the gradient of %s differs by %.2g of %.2g", name, worst, scale)
		}
	}
	for id := range int32(vocab.NumSpecials) { // the forbidden tokens
		if id != vocab.End && gradients[outputBias][id] != 0 {
			t.Errorf("token %d, which is never sampled, has the gradient %v", id, gradients[outputBias][id])
		}
	}
}

// The mean gradient over captions that Generate samples is the exact one.
func TestSampledPolicyGradient(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	m, values := policyModel()
	features := []float32{0.5, -1, 0.25}
	captions := everyCaption()
	const draws = 4096
	options := TrainOptions{LearningRate: 1e-3, WordsOnly: true, BatchWeight: draws}
	gradient := func(captions [][]int32, weightOf func(i int) float64) Values {
		trainer, err := NewTrainer(backend, m, values, nil, options)
		if err != nil {
			t.Fatal(err)
		}
		defer trainer.Finalize()
		var weights []float64
		for i := range captions {
			weights = append(weights, weightOf(i))
		}
		_, gradients, err := trainer.firstStep(policyBatch(features, captions, weights))
		if err != nil {
			t.Fatal(err)
		}
		return gradients
	}
	d, err := New(backend, m, values)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Finalize()
	p := probabilities(t, d, features, captions)
	exact := gradient(captions, func(i int) float64 {
		return draws * p[i] * (policyReward(captions[i]) - 2)
	})
	var repeated []float32
	for range draws {
		repeated = append(repeated, features...)
	}
	generated, err := d.Generate(repeated, GenerateOptions{MaxWords: policyWords, Temperature: 1, Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	var samples [][]int32
	for _, g := range generated {
		samples = append(samples, g[0].IDs)
	}
	sampled := gradient(samples, func(i int) float64 { return policyReward(samples[i]) - 2 })
	for _, name := range []string{outputBias, outputWeight, embeddingWeight} {
		if worst := relativeTo(sampled[name], exact[name]); worst > 0.1 {
			t.Errorf("%s: the mean gradient over %d samples differs from the exact one by %.2g", name, draws, worst)
		}
	}
}

// A step on several batches is that on all their captions in one.
func TestStepOnSeveralBatches(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	m, values := policyModel()
	features := []float32{0.5, -1, 0.25}
	captions := everyCaption()
	var weights []float64
	for _, c := range captions {
		weights = append(weights, policyReward(c)-2)
	}
	gradients := func(batches ...*Batch) (float64, Values) {
		trainer, err := NewTrainer(backend, m, values, nil,
			TrainOptions{LearningRate: 1e-3, WordsOnly: true, BatchWeight: 10})
		if err != nil {
			t.Fatal(err)
		}
		defer trainer.Finalize()
		loss, gradients, err := trainer.firstStep(batches...)
		if err != nil {
			t.Fatal(err)
		}
		return loss, gradients
	}
	wantLoss, want := gradients(policyBatch(features, captions, weights))
	loss, got := gradients(policyBatch(features, captions[:5], weights[:5]),
		policyBatch(features, captions[5:], weights[5:]))
	if math.Abs(loss-wantLoss) > 1e-5 {
		t.Errorf("loss %v, want %v", loss, wantLoss)
	}
	for name := range want {
		if worst := relativeTo(got[name], want[name]); worst > 1e-4 {
			t.Errorf("the gradient of %s differs by %.2g", name, worst)
		}
	}
	trainer, err := NewTrainer(backend, m, values, nil, TrainOptions{LearningRate: 1e-3})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Finalize()
	b := policyBatch(features, captions, weights)
	for _, batches := range [][]*Batch{nil, {b, b}} {
		if _, err := trainer.Step(batches...); err == nil {
			t.Errorf("a step on %d batches without a batch weight was accepted", len(batches))
		}
	}
}

// A caption whose weight is 0 changes nothing in the loss of the others, however many positions have a weight.
func TestWordsOnlyBesideACaptionWithoutWeight(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	m, values := policyModel()
	features := []float32{0.5, -1, 0.25}
	var captions [][]int32
	for _, c := range everyCaption() {
		if len(c) == policyWords-1 { // with <end>, a token for each position
			captions = append(captions, c, c)
		}
	}
	weights := make([]float64, len(captions))
	for i := range weights {
		weights[i] = 1
	}
	weights[0] = 0
	trainer, err := NewTrainer(backend, m, values, nil,
		TrainOptions{LearningRate: 1e-3, WordsOnly: true, BatchWeight: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Finalize()
	want := 0.0
	for i, p := range probabilities(t, trainer.Decoder, features, captions) {
		want -= weights[i] * math.Log(p)
	}
	got, err := trainer.Step(policyBatch(features, captions, weights))
	if err != nil || math.Abs(got-want) > 1e-4*want {
		t.Errorf("loss %v, error %v; want %v", got, err, want)
	}
}
