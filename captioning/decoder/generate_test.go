package decoder

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"captionlab/captioning/vocab"
	"captionlab/captioning/xla/xlatest"
)

// sharpDecoder is a decoder on XLA and its reference on the host.
type sharpDecoder struct {
	*Decoder
	host hostLSTM
}

var sharp struct {
	once sync.Once
	sharpDecoder
	err error
}

// sharpModel returns the golden model with larger weights, so that captions end at different lengths. All tests share
// it and its compiled programs.
func sharpModel(t *testing.T) sharpDecoder {
	t.Helper()
	backend := xlatest.OpenForTest(t)
	sharp.once.Do(func() {
		m, values := goldenModel(LSTM{}, false)
		for _, name := range []string{embeddingWeight, cellPrefix + "weight_hh", imageWeight, outputWeight} {
			for i := range values[name] {
				values[name][i] *= 5
			}
		}
		values[outputBias][vocab.End] += 1
		sharp.host = hostLSTM{m, values}
		sharp.Decoder, sharp.err = New(backend, m, values)
	})
	if sharp.err != nil {
		t.Fatal(sharp.err)
	}
	return sharp.sharpDecoder
}

func TestSearchAgreesWithPlainReference(t *testing.T) {
	sharp := sharpModel(t)
	const n = 7
	features := formula(n*goldenF, 77, 1)
	lengths := make(map[int]bool)
	for _, o := range []GenerateOptions{
		{MaxWords: 6},
		{MaxWords: 6, AllowUnknown: true},
		{MaxWords: 6, Beam: 3},
		{MaxWords: 6, Beam: 5, LengthPenalty: 0.7, BatchSize: 3},
	} {
		name := fmt.Sprintf("beam %d penalty %g unknown %v", o.Beam, o.LengthPenalty, o.AllowUnknown)
		t.Run(name, func(t *testing.T) {
			got, err := sharp.Generate(features, o)
			if err != nil {
				t.Fatal(err)
			}
			o.Beam = max(o.Beam, 1)
			for i := range n {
				want := sharp.host.beam(features[i*goldenF:(i+1)*goldenF], o)
				for k := range want {
					g, w := got[i][k], want[k]
					if !slices.Equal(g.IDs, w.IDs) || math.Abs(g.LogProb-w.LogProb) > 1e-4 ||
						math.Abs(g.Score-w.Score) > 1e-4 {
						t.Errorf("image %d, hypothesis %d: got %+v, want %+v", i, k, g, w)
					}
					lengths[len(g.IDs)] = true
				}
			}
		})
	}
	if len(lengths) < 3 {
		t.Errorf("captions have only %d different lengths, want at least 3", len(lengths))
	}
}

func TestBeamOfOneIsGreedy(t *testing.T) {
	sharp := sharpModel(t)
	features := formula(8*goldenF, 5, 1) // 8, like the 7 above, share compiled programs
	greedy, err := sharp.Generate(features, GenerateOptions{MaxWords: 6})
	if err != nil {
		t.Fatal(err)
	}
	beam, err := sharp.Generate(features, GenerateOptions{MaxWords: 6, Beam: 1, BatchSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i := range greedy {
		if !slices.Equal(greedy[i][0].IDs, beam[i][0].IDs) {
			t.Errorf("image %d: greedy %v, beam of one %v", i, greedy[i][0].IDs, beam[i][0].IDs)
		}
		if n := len(greedy[i][0].IDs); n < 1 || n > 6 {
			t.Errorf("image %d: the caption has %d words, want 1 to 6", i, n)
		}
	}
}

func TestGenerateOptionsCheck(t *testing.T) {
	for _, o := range []GenerateOptions{
		{Temperature: -1}, {Temperature: math.NaN()}, {Beam: -1}, {Beam: 3, Temperature: 1}, {TopK: 4},
		{TopP: 1.01, Temperature: 1}, {MaxWords: -3},
	} {
		if err := o.Check(); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}
