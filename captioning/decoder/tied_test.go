package decoder

import (
	"math"
	"testing"

	"captionlab/captioning/xla/xlatest"
)

// A tied model computes what an untied one with the embedding as output weight does; the embedding's gradient is the
// sum of both.
func TestTiedWeights(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	m, _ := goldenModel(LSTM{}, false)
	m.Embedding = m.Hidden
	untied := m
	m.Tied = true
	if m.NumParameters() != untied.NumParameters()-m.Vocabulary*m.Hidden {
		t.Errorf("%d parameters tied, %d untied", m.NumParameters(), untied.NumParameters())
	}
	values := m.Initialize(1)
	copied := make(Values)
	for name, data := range values {
		copied[name] = data
	}
	copied[outputWeight] = values[embeddingWeight]
	for name, options := range map[string]TrainOptions{
		"plain":              {LearningRate: 1e-2},
		"embeddings dropped": {LearningRate: 1e-2, EmbeddingDropout: 0.3, Seed: 3},
		"in bfloat16":        {LearningRate: 1e-2, Precision: "bfloat16"},
	} {
		step := func(m Model, values Values) (float64, Values, [][]Caption) {
			trainer, err := NewTrainer(backend, m, values, nil, options)
			if err != nil {
				t.Fatal(err)
			}
			defer trainer.Finalize()
			captions, err := trainer.Generate(goldenBatch().Features, GenerateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			loss, gradients, err := trainer.firstStep(goldenBatch())
			if err != nil {
				t.Fatal(err)
			}
			return loss, gradients, captions
		}
		loss, got, captions := step(m, values)
		wantLoss, want, wantCaptions := step(untied, copied)
		if math.Abs(loss-wantLoss) > 1e-6 {
			t.Errorf("%s: loss %v, untied %v", name, loss, wantLoss)
		}
		for i, c := range captions {
			if math.Abs(c[0].LogProb-wantCaptions[i][0].LogProb) > 1e-5 {
				t.Errorf("%s: caption %d is %+v, untied %+v", name, i, c[0], wantCaptions[i][0])
			}
		}
		for i := range want[embeddingWeight] {
			want[embeddingWeight][i] += want[outputWeight][i]
		}
		for weight := range got {
			if worst := relativeTo(got[weight], want[weight]); worst > 1e-2 || worst > 1e-4 && name != "in bfloat16" {
				t.Errorf("%s: the gradient of %s differs by %.2g", name, weight, worst)
			}
		}
	}
	m.Embedding++
	if err := m.Check(); err == nil {
		t.Error("tied weights of two sizes were accepted")
	}
}
