//go:build long

package captioning

import (
	"context"
	"math"
	"os"
	"testing"

	"captionlab/captioning/decoder"
	"captionlab/captioning/pretrained"
	"captionlab/captioning/score"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

// TestLongPretrainedScores scores the model that comes with captionlab again and compares with its card. Other machines
// round differently, which changes a few captions.
func TestLongPretrainedScores(t *testing.T) {
	if os.Getenv("CAPTIONLAB_DATA") == "" {
		t.Skip("SKIPPED: CAPTIONLAB_DATA does not name a folder with Flickr8k, so the model card is not checked")
	}
	card, err := pretrained.ReadCard("pretrained")
	must(t, err)
	ctx, backend := context.Background(), xlatest.OpenForTest(t)
	m, err := OpenModel(backend, "", ModelOptions{})
	must(t, err)
	defer m.Close()
	options := DataOptions{Encoder: EncoderOptions{Name: m.Checkpoint.Encoder.Name}}
	data, err := OpenData(ctx, backend, m.Checkpoint.Dataset, options)
	must(t, err)
	defer data.Close()
	for _, s := range card.Scores {
		e, err := m.Evaluate(ctx, data, datasets.Test, decoder.GenerateOptions{Beam: s.Beam})
		must(t, err)
		for _, metric := range []string{score.BLEU4, score.CIDErD} {
			got, _ := e.Coco.Value(metric)
			if want, ok := s.Packed.Get(metric); !ok || math.Abs(got-want.Value) > 0.005 {
				t.Errorf("%s: %s is %.4f, the card says %.4f", s.Strategy, metric, got, want.Value)
			}
		}
	}
}
