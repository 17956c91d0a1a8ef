package captioning

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"captionlab/captioning/decoder"
	"captionlab/captioning/xla/xlatest"
)

// A model whose weights are all zero gives every token the same probability, so both losses are known in advance.
func TestLossesOfAUniformModel(t *testing.T) {
	const vocabulary = 11
	m := decoder.Model{Cell: decoder.LSTM{}, Vocabulary: vocabulary, Features: 1, Embedding: 3, Hidden: 4}
	values := m.Initialize(1)
	for _, data := range values {
		clear(data)
	}
	backend := xlatest.OpenForTest(t)
	d, err := decoder.New(backend, m, values)
	must(t, err)
	defer d.Finalize()
	pairs := pairsOf(randomSteps(150)...)
	var images imageTable
	for range pairs {
		images.add([]float32{0})
	}
	const size, seed = 16, 9
	share := 0.0 // mean over the shuffled batches of the share of positions that are real tokens
	batches := slices.Collect(slices.Chunk(rand.New(rand.NewPCG(seed, math.MaxUint64)).Perm(len(pairs)), size))
	for _, members := range batches {
		tokens, longest := 0, 0
		for _, i := range members {
			tokens += pairs[i].steps()
			longest = max(longest, pairs[i].steps())
		}
		share += float64(tokens) / float64(longest*len(members)) / float64(len(batches))
	}
	for _, c := range []struct {
		measurePads bool
		padded      float64
	}{{false, math.Log(vocabulary) * share}, {true, math.Log(vocabulary)}} {
		got, err := lossPlan{size, seed, c.measurePads}.measure(context.Background(), d, &images, pairs)
		must(t, err)
		if math.Abs(got.Token-math.Log(vocabulary)) > 1e-6 || math.Abs(got.Padded-c.padded) > 1e-6 ||
			got.PadsMeasured != c.measurePads {
			t.Errorf("measurePads=%v: %+v, want token %g, padded %g", c.measurePads, got, math.Log(vocabulary),
				c.padded)
		}
	}
}
