package shapes

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// These expressions let untrue read captions without the patterns that wrote them. It replaces noun phrases by slots,
// looks up the claim made by the remaining words, and checks the claim against the objects in the scene.
var (
	sizeIn     = `(?:(small|little|large|big) )?`
	colourIn   = `(red|orange|yellow|green|blue|purple|pink|black)`
	shapeIn    = `(circle|square|triangle|diamond|hexagon|star|heart|cross)(e?s)?\b`
	nounPhrase = regexp.MustCompile(`(?:\b(an?|one|another|two other|two|three) )?` + sizeIn + colourIn + ` ` + shapeIn)
	background = regexp.MustCompile(
		`\b(?:on|of) a (?:(plain|striped|dotted|checkered) )?(?:(white|gray|beige) )?background$`)
	leadIn = regexp.MustCompile(`^(there is |there are |the picture shows |a picture of )`)
)

// slots describes the words that begin a noun phrase: the number of equal objects in the scene, whether the noun is
// plural, and the slot that replaces the phrase. A single object may have others like it.
var slots = map[string]struct {
	count  int
	plural bool
	slot   string
}{
	"a":         {1, false, "#"},
	"an":        {1, false, "#"},
	"one":       {1, false, "#"},
	"another":   {2, false, "@"},
	"two other": {3, true, "2other#"},
	"two":       {2, true, "2#"},
	"three":     {3, true, "3#"},
	"":          {2, true, "0#"}, // "a pair of ..."
}

// untrue returns the reason why a caption is not true of a scene, or "".
func untrue(s *Scene, caption string) string {
	text := strings.ToLower(caption[:1]) + caption[1:]
	text = leadIn.ReplaceAllString(text, "")
	if m := background.FindStringSubmatch(text); m != nil {
		for i, actual := range []string{s.Background.Pattern, s.Background.Tint} {
			if said := m[i+1]; said != "" && said != actual {
				return fmt.Sprintf("the background is %s, not %s", actual, said)
			}
		}
		text = strings.TrimSpace(strings.TrimSuffix(text, m[0]))
	}
	text = strings.TrimSuffix(text, " of the picture")

	var named []Object
	wrong := ""
	rest := nounPhrase.ReplaceAllStringFunc(text, func(phrase string) string {
		object, slot, why := resolve(s, phrase)
		if why != "" {
			wrong = why
		}
		named = append(named, object)
		return slot
	})
	if wrong != "" {
		return wrong
	}
	for i, words := range wholeRest() {
		if !words.MatchString(rest) {
			continue
		}
		if !claims[i].holds(s, named) {
			return fmt.Sprintf("%q does not hold", rest)
		}
		return ""
	}
	return fmt.Sprintf("this test cannot check the claim %q", rest)
}

// resolve returns the first object in the scene that matches a noun phrase, the slot that replaces the phrase, and what
// is wrong with the phrase, or "".
func resolve(s *Scene, phrase string) (o Object, slot, wrong string) {
	m := nounPhrase.FindStringSubmatch(phrase)
	first, size, colour, shape, many := m[1], m[2], m[3], m[4], m[5] != ""
	size = strings.NewReplacer("little", Small, "big", Large).Replace(size)
	want := slots[first]
	var matching []Object
	for _, o := range s.Objects {
		if o.Colour == colour && o.Shape == shape && (size == "" || o.Size == size) {
			matching = append(matching, o)
		}
	}
	noun := strings.TrimPrefix(phrase, first+" ")
	vowel := strings.ContainsRune("aeiou", rune(noun[0]))
	switch {
	case len(matching) == 0 || (want.slot != "#" && len(matching) != want.count):
		return Object{}, want.slot, fmt.Sprintf("%q: the scene contains %d of them", phrase, len(matching))
	case many != want.plural:
		return Object{}, want.slot, fmt.Sprintf("%q has the wrong number", phrase)
	case slices.Contains([]string{"a", "an"}, first) && (first == "an") != vowel:
		return Object{}, want.slot, fmt.Sprintf("%q has the wrong article", phrase)
	}
	return matching[0], want.slot, ""
}
