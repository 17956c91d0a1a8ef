package pretrained

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	_ "image/jpeg"
	"os"
	"testing"
)

// largest is the number of bytes that the model may add to the program.
const largest = 12_000_000

// TestCard checks that the card describes the model beside it, and that README.md is what the card says.
func TestCard(t *testing.T) {
	c, err := ReadCard(".")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(Model())
	if got := hex.EncodeToString(sum[:]); got != c.File || len(Model()) != c.Bytes {
		t.Errorf("the card describes %s of %d bytes, %s is %s of %d: write both again with captionlab pack --card",
			c.File, c.Bytes, ModelFile, got, len(Model()))
	}
	text, err := c.Markdown()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(page, text) {
		t.Errorf("%s is not what %s says: write both again with captionlab pack --card", readme, CardFile)
	}
	if len(Model()) > largest {
		t.Errorf("%s has %d bytes, at most %d are wanted", ModelFile, len(Model()), largest)
	}
	for _, s := range c.Scores {
		if s.Loss() > 0.5 {
			t.Errorf("%s: rounding costs %.2f points of CIDEr-D, at most 0.5 are wanted", s.Strategy, s.Loss())
		}
	}
	if len(c.Scores) == 0 {
		t.Error("the card has no scores")
	}
}

func TestPhotographsAreImages(t *testing.T) {
	entries, err := Photographs.ReadDir("photographs")
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d photographs (%v), want 2", len(entries), err)
	}
	for _, e := range entries {
		f, err := Photographs.Open("photographs/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, _, err := image.Decode(f); err != nil {
			t.Errorf("%s: %v", e.Name(), err)
		}
	}
}
