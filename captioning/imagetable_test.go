package captioning

import (
	"context"
	"math"
	"testing"

	"captionlab/captioning/decoder"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

// A model trained and measured on a table on the device and one on rows taken batch by batch are the same to the bit.
func TestTablesOnAndOffTheDevice(t *testing.T) {
	ctx, backend, data := context.Background(), xlatest.OpenForTest(t), toyData(t)
	settings := toySettings()
	var losses [2][]float64
	for way, limit := range []int{maxOnDevice, 0} {
		words, err := buildVocabulary(data.Dataset, settings)
		must(t, err)
		c := &Checkpoint{Settings: settings, Vocabulary: words, Encoder: data.Encoder()}
		var table imageTable
		m, err := c.model(nil)
		must(t, err)
		pairs, err := table.makePairs(ctx, data, datasets.Train, c, m)
		must(t, err)
		must(t, table.upload(backend, limit))
		if (table.device != nil) != (limit > 0) {
			t.Fatalf("limit %d: on the device: %v", limit, table.device != nil)
		}
		trainer, err := decoder.NewTrainer(backend, m, m.Initialize(1), nil,
			decoder.TrainOptions{LearningRate: 1e-2, Dropout: 0.1, Seed: 1})
		must(t, err)
		b := newBatcher(pairs, settings.BatchSize, 1, true)
		for _, p := range b.epoch(0) {
			loss, err := trainer.Step(table.give(b.fill(p, Objective{})))
			must(t, err)
			losses[way] = append(losses[way], loss)
		}
		val, err := lossPlan{settings.BatchSize, 1, false}.measure(ctx, trainer.Decoder, &table, pairs)
		must(t, err)
		losses[way] = append(losses[way], val.Token, val.Padded)
		trainer.Finalize()
		table.finalize()
	}
	for i, loss := range losses[0] {
		if other := losses[1][i]; math.Float64bits(loss) != math.Float64bits(other) {
			t.Errorf("number %d: %v from a table on the device, %v from single rows", i, loss, other)
		}
	}
}
