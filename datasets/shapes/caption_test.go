package shapes

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"captionlab/datasets"
)

// What a caption says is read back here without the patterns that wrote it: noun phrases become numbered slots, the words
// between them choose a claim, and the claim is held against where the objects are.
var (
	sizeIn     = `(?:(small|little|large|big) )?`
	lookIn     = `(red|orange|yellow|green|blue|purple|pink|black) (circle|square|triangle|diamond|hexagon|star|heart|cross)(e?s)?\b`
	nounPhrase = regexp.MustCompile(`(?:\b(an?|one|another|two other|two|three) )?` + sizeIn + lookIn)
	background = regexp.MustCompile(`\b(on|of) a (?:(plain|striped|dotted|checkered) )?(?:(white|gray|beige) )?background$`)
	leadIn     = regexp.MustCompile(`^(there is |there are |the picture shows |a picture of )`)
)

// claim holds for the objects that the caption's slots name, in the order of their mention.
type claim func(s *Scene, o []Object) bool

func leftOf(a, b Object) bool      { return a.X+a.Radius < b.X-b.Radius+.01 }
func above(a, b Object) bool       { return a.Y+a.Radius < b.Y-b.Radius+.01 }
func near(v, want, d float64) bool { return v > want-d && v < want+d }

func within(a, b Object) bool {
	return near(a.X, b.X, .01) && near(a.Y, b.Y, .01) && a.Radius < b.Radius*.4
}

func amid(a, b, c Object) bool {
	return inLine([]Object{b, a, c}, leftOf) || inLine([]Object{c, a, b}, leftOf) ||
		inLine([]Object{b, a, c}, above) || inLine([]Object{c, a, b}, above)
}

// inLine holds for two or more objects in order along one direction.
func inLine(o []Object, along func(a, b Object) bool) bool {
	for i := range len(o) - 1 {
		if !along(o[i], o[i+1]) {
			return false
		}
	}
	return len(o) > 1
}

func extreme(a Object, all []Object, before func(a, b Object) bool) bool {
	for _, b := range all {
		if b != a && !before(a, b) {
			return false
		}
	}
	return true
}

func middleOf(a Object, all []Object) bool {
	return len(all) == 3 && amid(a, all[0], all[2])
}

// claims by what is left of a caption when lead-in, background and noun phrases are taken out.
var claims = []struct {
	words string // a regular expression for the whole rest
	holds claim
}{
	// one object
	{`# ?`, func(s *Scene, o []Object) bool { return len(s.Objects) == 1 }},
	{`#(?: is)? (?:in|at) the top left(?: corner)?|(?:in|at) the top left(?: corner)? there is #`, at(0, 0)},
	{`#(?: is)? (?:in|at) the top right(?: corner)?|(?:in|at) the top right(?: corner)? there is #`, at(2, 0)},
	{`#(?: is)? (?:in|at) the bottom left(?: corner)?|(?:in|at) the bottom left(?: corner)? there is #`, at(0, 2)},
	{`#(?: is)? (?:in|at) the bottom right(?: corner)?|(?:in|at) the bottom right(?: corner)? there is #`, at(2, 2)},
	{`#(?: is)? at the top|at the top there is #`, at(1, 0)},
	{`#(?: is)? at the bottom|at the bottom there is #`, at(1, 2)},
	{`#(?: is)? on the left(?: side)?|on the left(?: side)? there is #`, at(0, 1)},
	{`#(?: is)? on the right(?: side)?|on the right(?: side)? there is #`, at(2, 1)},
	{`#(?: is)? in the (?:middle|center)|in the (?:middle|center) there is #`, at(1, 1)},
	// two objects
	{`#(?: is)? to the left of #`, func(s *Scene, o []Object) bool { return leftOf(o[0], o[1]) }},
	{`# is to the right of #`, func(s *Scene, o []Object) bool { return leftOf(o[1], o[0]) }},
	{`to the right of # there is #`, func(s *Scene, o []Object) bool { return leftOf(o[0], o[1]) }},
	{`# on the left and # on the right`, func(s *Scene, o []Object) bool { return leftOf(o[0], o[1]) && o[0].X < .4 && o[1].X > .6 }},
	{`# on the right and # on the left`, func(s *Scene, o []Object) bool { return leftOf(o[1], o[0]) && o[1].X < .4 && o[0].X > .6 }},
	{`#(?: is)? next to #|# and # side by side|#(?: sits)? beside #`, func(s *Scene, o []Object) bool {
		return len(s.Objects) == 2 && near(o[0].Y, o[1].Y, .1) && (leftOf(o[0], o[1]) || leftOf(o[1], o[0]))
	}},
	{`#(?: is)? above #|below # there is #|# with # under it`, func(s *Scene, o []Object) bool { return above(o[0], o[1]) }},
	{`#(?: is| sits)? (?:below|under) #|# with # above it`, func(s *Scene, o []Object) bool { return above(o[1], o[0]) }},
	{`# at the top and # at the bottom`, func(s *Scene, o []Object) bool { return above(o[0], o[1]) && o[0].Y < .4 && o[1].Y > .6 }},
	{`#(?: is)? inside #|#(?: sits)? in the (?:middle|center) of #`, func(s *Scene, o []Object) bool { return within(o[0], o[1]) }},
	{`# with # inside it|# around #|# with # in the center`, func(s *Scene, o []Object) bool { return within(o[1], o[0]) }},
	// three objects
	{`#(?: is)? between # and #`, func(s *Scene, o []Object) bool { return amid(o[0], o[1], o[2]) }},
	{`# and # and # in a row`, func(s *Scene, o []Object) bool { return inLine(o, leftOf) && near(o[0].Y, o[2].Y, .1) }},
	{`# and # and # in a column`, func(s *Scene, o []Object) bool { return inLine(o, above) && near(o[0].X, o[2].X, .1) }},
	{`three shapes in a row with # in the middle`, func(s *Scene, o []Object) bool { return inLine(s.Objects, leftOf) && middleOf(o[0], s.Objects) }},
	{`three shapes in a column with # in the middle`, func(s *Scene, o []Object) bool { return inLine(s.Objects, above) && middleOf(o[0], s.Objects) }},
	{`a row of three shapes with # on the left`, func(s *Scene, o []Object) bool {
		return len(s.Objects) == 3 && extreme(o[0], s.Objects, leftOf)
	}},
	{`a row of three shapes with # on the right`, func(s *Scene, o []Object) bool {
		return len(s.Objects) == 3 && extreme(o[0], s.Objects, func(a, b Object) bool { return leftOf(b, a) })
	}},
	{`a column of three shapes with # at the top`, func(s *Scene, o []Object) bool {
		return len(s.Objects) == 3 && extreme(o[0], s.Objects, above)
	}},
	{`a column of three shapes with # at the bottom`, func(s *Scene, o []Object) bool {
		return len(s.Objects) == 3 && extreme(o[0], s.Objects, func(a, b Object) bool { return above(b, a) })
	}},
	{`# is to the left of # and #`, func(s *Scene, o []Object) bool { return leftOf(o[0], o[1]) && leftOf(o[0], o[2]) }},
	{`# is to the right of # and #`, func(s *Scene, o []Object) bool { return leftOf(o[1], o[0]) && leftOf(o[2], o[0]) }},
	{`# is above # and #`, func(s *Scene, o []Object) bool { return above(o[0], o[1]) && above(o[0], o[2]) }},
	{`# is below # and #`, func(s *Scene, o []Object) bool { return above(o[1], o[0]) && above(o[2], o[0]) }},
	{`# in the middle with # on the left`, func(s *Scene, o []Object) bool { return middleOf(o[0], s.Objects) && leftOf(o[1], o[0]) }},
	{`# in the middle with # on the right`, func(s *Scene, o []Object) bool { return middleOf(o[0], s.Objects) && leftOf(o[0], o[1]) }},
	{`# in the middle with # above it`, func(s *Scene, o []Object) bool { return middleOf(o[0], s.Objects) && above(o[1], o[0]) }},
	{`# in the middle with # under it`, func(s *Scene, o []Object) bool { return middleOf(o[0], s.Objects) && above(o[0], o[1]) }},
	// several of a kind
	{`2#|a pair of 0#`, func(s *Scene, o []Object) bool { return len(s.Objects) == 2 }},
	{`3#`, func(s *Scene, o []Object) bool { return len(s.Objects) == 3 }},
	{`2# (?:side by side|next to each other|in a row)|a pair of 0# next to each other`, func(s *Scene, o []Object) bool {
		return len(s.Objects) == 2 && leftOf(s.Objects[0], s.Objects[1])
	}},
	{`2# (?:one above the other|one below the other|in a column)|a pair of 0# one above the other`, func(s *Scene, o []Object) bool {
		return len(s.Objects) == 2 && above(s.Objects[0], s.Objects[1])
	}},
	{`3# (?:side by side|next to each other|in a row)|a row of 3#`, func(s *Scene, o []Object) bool { return len(s.Objects) == 3 && inLine(s.Objects, leftOf) }},
	{`3# in a column|a column of 3#`, func(s *Scene, o []Object) bool { return len(s.Objects) == 3 && inLine(s.Objects, above) }},
	{`# to the left of @`, func(s *Scene, o []Object) bool { return leftOf(s.Objects[0], s.Objects[1]) }},
	{`# is next to @`, func(s *Scene, o []Object) bool { return near(s.Objects[0].Y, s.Objects[1].Y, .1) }},
	{`#(?: is| sits)? (?:above|below|under) @`, func(s *Scene, o []Object) bool { return above(s.Objects[0], s.Objects[1]) }},
	{`# between 2other#`, func(s *Scene, o []Object) bool { return len(s.Objects) == 3 && middleOf(s.Objects[1], s.Objects) }},
}

// wholeRest compiles each claim's words once.
var wholeRest = func() func(string) *regexp.Regexp {
	compiled := map[string]*regexp.Regexp{}
	return func(words string) *regexp.Regexp {
		if compiled[words] == nil {
			compiled[words] = regexp.MustCompile(`^(?:` + words + `)$`)
		}
		return compiled[words]
	}
}()

func at(column, row int) claim {
	return func(s *Scene, o []Object) bool {
		return near(o[0].X, .22+.28*float64(column), .06) && near(o[0].Y, .22+.28*float64(row), .06)
	}
}

// untrue returns why the caption is not true of the scene, or "".
func untrue(s *Scene, caption string) string {
	text := strings.ToLower(caption[:1]) + caption[1:]
	text = leadIn.ReplaceAllString(text, "")
	if m := background.FindStringSubmatchIndex(text); m != nil {
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		if p := group(2); p != "" && p != s.Background.Pattern {
			return fmt.Sprintf("the background is %s, not %s", s.Background.Pattern, p)
		}
		if c := group(3); c != "" && c != s.Background.Tint {
			return fmt.Sprintf("the background is %s, not %s", s.Background.Tint, c)
		}
		text = strings.TrimSpace(text[:m[0]])
	}
	text = strings.TrimSuffix(text, " of the picture")

	var named []Object
	wrong := ""
	rest := nounPhrase.ReplaceAllStringFunc(text, func(phrase string) string {
		m := nounPhrase.FindStringSubmatch(phrase)
		count, size, colour, shape, many := m[1], m[2], m[3], m[4], m[5] != ""
		size = strings.NewReplacer("little", Small, "big", Large).Replace(size)
		matching := slices.Collect(func(yield func(Object) bool) {
			for _, o := range s.Objects {
				if o.Colour == colour && o.Shape == shape && (size == "" || o.Size == size) && !yield(o) {
					return
				}
			}
		})
		article := "a"
		if first := strings.TrimPrefix(strings.TrimPrefix(phrase, "an "), "a "); strings.ContainsRune("aeiou", rune(first[0])) {
			article = "an"
		}
		want, slot := 1, "#"
		switch count {
		case "a", "an", "one":
			if count != "one" && count != article {
				wrong = fmt.Sprintf("%q wants the article %q", phrase, article)
			}
		case "another":
			want, slot = 2, "@"
		case "two other":
			want, slot = 3, "2other#"
		case "two":
			want, slot = 2, "2#"
		case "three":
			want, slot = 3, "3#"
		case "":
			want, slot = 2, "0#" // "a pair of ..."
		}
		plural := count == "two" || count == "three" || count == "two other" || count == ""
		if many != plural {
			wrong = fmt.Sprintf("%q has the wrong number", phrase)
		}
		if len(matching) == 0 || (slot != "#" && len(matching) != want) {
			wrong = fmt.Sprintf("%q: the scene holds %d of them", phrase, len(matching))
			return slot
		}
		named = append(named, matching[0])
		return slot
	})
	if wrong != "" {
		return wrong
	}
	for _, c := range claims {
		if wholeRest(c.words).MatchString(rest) {
			if !c.holds(s, named) {
				return fmt.Sprintf("%q does not hold", rest)
			}
			return ""
		}
	}
	return fmt.Sprintf("%q is no claim that this test can check", rest)
}

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

// TestUntrueCaptionsAreFound makes sure that the check above can fail: every caption is wrong for most other scenes.
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
			if len(ex.Captions) != CaptionsPerPicture {
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
				if strings.Join(fields, " ") != caption || !unicode.IsUpper(rune(caption[0])) || strings.ContainsAny(caption, "{}.,") {
					t.Errorf("%s: %q is not written as a caption", ex.ID, caption)
				}
				for _, w := range fields {
					w = strings.ToLower(w)
					words[w]++
					if split == datasets.Train {
						inTrain[w] = true
					} else if !inTrain[w] {
						t.Errorf("%s: %q is never said in training", ex.ID, w)
					}
				}
			}
		}
	}
	if len(words) < 60 || len(words) > 85 {
		t.Errorf("a vocabulary of %d words", len(words))
	}
}

// TestSentencesSuffice makes sure that every arrangement has enough patterns to choose from, no two the same.
func TestSentencesSuffice(t *testing.T) {
	for _, all := range []map[Arrangement][]string{sentences, sentencesAlike} {
		for arrangement, patterns := range all {
			if len(patterns) < CaptionsPerPicture+2 {
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
