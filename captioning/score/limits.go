package score

import "fmt"

// Limits of what is scored. The time for ROUGE-L grows with the square of the words of a caption.
const (
	MaxWords      = 10_000 // in a caption or reference
	MaxReferences = 10_000 // of one image, with up to 1,000,000 words in all
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
func checkTexts(refs References, captions []Caption) error {
	for _, c := range captions {
		if err := checkText(c.Text); err != nil {
			return fmt.Errorf("caption of image %s: %w", c.ID, err)
		}
		if n := len(refs[c.ID]); n > MaxReferences {
			return fmt.Errorf("image %s has %d references: at most %d", c.ID, n, MaxReferences)
		}
		for k, r := range refs[c.ID] {
			if err := checkText(r); err != nil {
				return fmt.Errorf("reference %d of image %s: %w", k, c.ID, err)
			}
		}
	}
	return nil
}

// checkSegments is checkTexts for tokens, of which there may be more than words between spaces.
func checkSegments(segments []segment) error {
	for _, s := range segments {
		if err := checkWords(len(s.test)); err != nil {
			return fmt.Errorf("caption of image %s: %w", s.id, err)
		}
		words := 0
		for k, r := range s.refs {
			if err := checkWords(len(r)); err != nil {
				return fmt.Errorf("reference %d of image %s: %w", k, s.id, err)
			}
			words += len(r)
		}
		if words > maxImageWords {
			return fmt.Errorf("the references of image %s have %d words: at most %d", s.id, words, maxImageWords)
		}
	}
	return nil
}
