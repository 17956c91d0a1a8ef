package captioning

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"captionlab/captioning/safetensors"
)

// Identity is a SHA-256, in hex, of everything that decides on captions besides the decoding strategy: the weights of
// the model, its vocabulary and its encoder. Captioners with the same identity write the same captions on the same
// machine.
func (c *Captioner) Identity() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hash := sha256.New()
	if err := json.NewEncoder(hash).Encode([]any{c.model.Checkpoint.Encoder, c.model.Checkpoint.Vocabulary,
		c.model.Checkpoint.Settings.Cell}); err != nil {
		return "", fmt.Errorf("identity of the model: %w", err)
	}
	for _, w := range c.model.decoder.Weights() {
		fmt.Fprintf(hash, "%s %v\n", w.Name, w.Shape)
		err := c.model.decoder.ReadWeight(w.Name, func(data []float32) error {
			return safetensors.WriteFloat32(hash, data)
		})
		if err != nil {
			return "", fmt.Errorf("identity of the model: %w", err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Source names the captioner's model in messages: the file that it was read from, or pretrained.Source.
func (c *Captioner) Source() string { return c.model.source }
