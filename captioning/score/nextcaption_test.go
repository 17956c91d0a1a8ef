package score

import (
	"strings"
	"testing"
)

// The answers are those of the reference's tokenizer to the two lines.
func TestPTBBefore(t *testing.T) {
	for _, c := range []struct{ caption, after, want string }{
		{"He points at a B.", "", "he points at a b."},
		{"He points at a B.", "The dog", "he points at a b"},
		{"He points at a B.", "dogs run", "he points at a b."},
		{"He points at a B. ", "\n\nA dog", "he points at a b"},
		{"K.", "<b> bold", "k"},
		{"K. and L.", "Mr. K.", "k. and l"},
		{"dog.", "The cat", "dog"},
		{"Mr. Smith and no.", "5 dogs", "mr. smith and no."},
		{"Mr. Smith and no.", "dogs", "mr. smith and no"},
	} {
		if got := strings.Join(PTBBefore(c.caption, c.after), " "); got != c.want {
			t.Errorf("%q before %q: %q, want %q", c.caption, c.after, got, c.want)
		}
	}
}

// Scores tokenize captions and references in the context of the next image, in the order of the captions.
func TestScoresTokenizeInContext(t *testing.T) {
	refs := References{"1": {"a dog at K.", "a B."}, "2": {"The dog runs", "x"}, "3": {"a L."}}
	captions := []Caption{{ID: "1", Text: "a dog at a K."}, {ID: "3", Text: "a cat at L."}, {ID: "2", Text: "The dog"}}
	p, _, err := prepare(refs, captions, Options{Tokens: "ptb"})
	if err != nil {
		t.Fatal(err)
	}
	join := func(tokens []string) string { return strings.Join(tokens, " ") }
	for _, c := range []struct{ got, want string }{
		{join(p.Caption(0)), "a dog at a k."},      // before "a cat"
		{join(p.References(0)[0]), "a dog at k."},  // before "a B."
		{join(p.References(0)[1]), "a b."},         // before "a L."
		{join(p.Caption(2)), "a cat at l"},         // before "The dog"
		{join(p.References(2)[0]), "a l"},          // before "The dog runs"
		{join(p.References(1)[0]), "the dog runs"}, // in the middle
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
