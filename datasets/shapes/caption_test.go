package shapes

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"captionlab/datasets"
)

func TestCaptionsAreTrue(t *testing.T) {
	for _, seed := range []int64{1, 2} {
		ds := open(t, WithSeed(seed))
		for _, split := range datasets.Splits {
			for _, ex := range ds.Examples(split) {
				for _, caption := range ex.Captions {
					if why := untrue(ds.scenes[ex.ID], caption); why != "" {
						t.Errorf("%s: %q: %s\n%+v", ex.ID, caption, why, *ds.scenes[ex.ID])
					}
				}
			}
		}
	}
}

// TestUntrueCaptionsAreFound shows that untrue finds false captions.
func TestUntrueCaptionsAreFound(t *testing.T) {
	scene := &Scene{Arrangement: Beside, Background: Background{Pattern: "plain", Tint: "gray"}, Objects: []Object{
		{Shape: "circle", Colour: "red", Size: Small, X: .25, Y: .5, Radius: .08},
		{Shape: "square", Colour: "orange", Size: Large, X: .75, Y: .5, Radius: .15},
	}}
	for caption, want := range map[string]bool{
		"A small red circle is to the left of an orange square":           true,
		"A red circle next to a big orange square on a gray background":   true,
		"A red circle is to the right of an orange square":                false,
		"A red circle above an orange square":                             false,
		"A red circle inside an orange square":                            false,
		"A large red circle is next to an orange square":                  false,
		"A blue circle is next to an orange square":                       false,
		"A red star is next to an orange square":                          false,
		"A red circle is next to a orange square":                         false,
		"Two red circles side by side":                                    false,
		"A red circle is next to another red circle":                      false,
		"A red circle on the left":                                        true,
		"A red circle at the top":                                         false,
		"A red circle next to a big orange square on a dotted background": false,
		"A red circle dreams of an orange square":                         false,
	} {
		if why := untrue(scene, caption); (why == "") != want {
			t.Errorf("%q: %q, want true %v", caption, why, want)
		}
	}
}

func TestCaptionForm(t *testing.T) {
	ds := open(t)
	words := map[string]int{}
	inTrain := map[string]bool{}
	for _, split := range datasets.Splits {
		for _, ex := range ds.Examples(split) {
			if len(ex.Captions) != CaptionsPerImage {
				t.Fatalf("%s has %d captions", ex.ID, len(ex.Captions))
			}
			for i, caption := range ex.Captions {
				if slices.Contains(ex.Captions[:i], caption) {
					t.Errorf("%s says %q twice", ex.ID, caption)
				}
				fields := strings.Fields(caption)
				if n := len(fields); n < 5 || n > maxWords {
					t.Errorf("%s: %q has %d words", ex.ID, caption, n)
				}
				if strings.Join(fields, " ") != caption || !unicode.IsUpper(rune(caption[0])) ||
					strings.ContainsAny(caption, "{}.,") {
					t.Errorf("%s: %q has the wrong form", ex.ID, caption)
				}
				for _, w := range fields {
					w = strings.ToLower(w)
					words[w]++
					if split == datasets.Train {
						inTrain[w] = true
					} else if !inTrain[w] {
						t.Errorf("%s: %q never occurs in training", ex.ID, w)
					}
				}
			}
		}
	}
	if len(words) < 60 || len(words) > 85 {
		t.Errorf("a vocabulary of %d words", len(words))
	}
}

// TestSentencesSuffice checks that every arrangement has enough patterns, all different.
func TestSentencesSuffice(t *testing.T) {
	for _, all := range []map[Arrangement][]string{sentences, sentencesAlike} {
		for arrangement, patterns := range all {
			if len(patterns) < CaptionsPerImage+2 {
				t.Errorf("%s: %d patterns", arrangement, len(patterns))
			}
			for i, p := range patterns {
				if slices.Contains(patterns[:i], p) {
					t.Errorf("%s: %q twice", arrangement, p)
				}
			}
		}
	}
}
