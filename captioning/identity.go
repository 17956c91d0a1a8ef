package captioning

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"captionlab/captioning/decoder"
	"captionlab/captioning/score"
)

// Identity names what a captioner's captions depend on, besides the image and the decoding options: a SHA-256, in hex,
// over the decoder's settings, words and weights, the encoder with its weights and preprocessing, and whether
// photographs are turned upright. Captioners with equal identities give equal captions, but for what different
// machines round differently.
func (c *Captioner) Identity() (string, error) {
	checkpoint := c.model.Checkpoint
	text, err := json.Marshal(struct {
		Checkpoint header
		Upright    bool
	}{header{1, checkpoint.Settings, checkpoint.Vocabulary, checkpoint.Encoder, "", "", Training{}},
		c.images.Upright})
	if err != nil {
		return "", fmt.Errorf("the model in %s: %w", c.model.source, err)
	}
	sum := sha256.Sum256(append(text, checkpoint.weightsSum()...))
	return hex.EncodeToString(sum[:]), nil
}

// Source names the captioner's model in messages: the file that it was read from, or pretrained.Source.
func (c *Captioner) Source() string { return c.model.source }

// CaptionFeatures is Model.CaptionFeatures, and safe for concurrent use.
func (c *Captioner) CaptionFeatures(ids []string, rows [][]float32, o decoder.GenerateOptions) (
	[]score.Caption, error) {
	return c.captionFeatures(ids, rows, o)
}
