package score

import "fmt"

// Limits of what is scored. The time for ROUGE-L grows with the square of the words of a caption, that for Self-CIDEr
// with the cube of the captions of an image.
const (
	MaxWords      = 10_000 // in a caption or reference
	MaxReferences = 10_000 // of one image, with up to 1,000,000 words in all
	MaxSamples    = 200    // of one image, for MeasureSamples
	MaxDraws      = 100_000
)

// maxText is the longest caption or reference, in bytes.
const maxText = 1 << 20

// maxImageWords is the largest number of words in the references of an image. A million need about 0.7 GB.
const maxImageWords = 1_000_000

// checkText fails for a text that is certainly too long, without tokenizing it.
func checkText(text string) error {
	if len(text) > maxText {
		return fmt.Errorf("a caption of %d bytes is too long: at most %d", len(text), maxText)
	}
	if len(text) < 2*MaxWords {
		return nil
	}
	return checkWords(len(fields(text)))
}

func checkWords(n int) error {
	if n > MaxWords {
		return fmt.Errorf("a caption of %d words is too long: at most %d", n, MaxWords)
	}
	return nil
}

// checkTexts fails if a caption or reference is too long to be tokenized, or if there are too many references.
func checkTexts(id ID, caption string, refs []string) error {
	if err := checkText(caption); err != nil {
		return fmt.Errorf("caption of image %s: %w", id, err)
	}
	if n := len(refs); n > MaxReferences {
		return fmt.Errorf("image %s has %d references: at most %d", id, n, MaxReferences)
	}
	for k, r := range refs {
		if err := checkText(r); err != nil {
			return fmt.Errorf("reference %d of image %s: %w", k, id, err)
		}
	}
	return nil
}

// checkTokenCount is checkText for the tokens of the caption (which = 0) or of a reference (from 1). There may be more
// of them than words between spaces.
func checkTokenCount(id ID, which, tokens int) error {
	switch err := checkWords(tokens); {
	case err == nil:
		return nil
	case which == 0:
		return fmt.Errorf("caption of image %s: %w", id, err)
	default:
		return fmt.Errorf("reference %d of image %s: %w", which-1, id, err)
	}
}

// checkImage fails if the references of an image have too many words in all.
func checkImage(id ID, words int) error {
	if words > maxImageWords {
		return fmt.Errorf("the references of image %s have %d words: at most %d", id, words, maxImageWords)
	}
	return nil
}
