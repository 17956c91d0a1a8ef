package shapes

import "strings"

// CaptionsPerImage is the number of different captions of every image.
const CaptionsPerImage = 5

// maxWords is the maximum length of a caption. Longer captions are rewritten without sizes.
const maxWords = 16

// sentences are the caption patterns by arrangement. {a} {b} {c} are the objects in the scene's order, with articles.
// {where} is the position, {ground} the background and {n} a single object without article. Captions begin with a
// capital letter and have no full stop: protocol pa4 splits references at white space, where "square." and "square"
// would be different words.
var sentences = map[Arrangement][]string{
	Single: {
		"{a} {where}",
		"{a} is {where}",
		"there is {a} {where}",
		"{where} there is {a}",
		"the picture shows {a} {where}",
		"{a} {where} of the picture",
		"{a} {where} of {ground}",
		"{a} on {ground}",
		"there is one {n} {where}",
		"a picture of {a} on {ground}",
	},
	Beside: {
		"{a} to the left of {b}",
		"{a} is to the left of {b}",
		"{b} is to the right of {a}",
		"{a} on the left and {b} on the right",
		"{b} on the right and {a} on the left",
		"{a} is next to {b}",
		"{b} next to {a} on {ground}",
		"{a} and {b} side by side",
		"{b} sits beside {a}",
		"there is {a} to the left of {b}",
		"to the right of {a} there is {b}",
		"the picture shows {a} beside {b}",
	},
	Stacked: {
		"{a} above {b}",
		"{a} is above {b}",
		"{b} is below {a}",
		"{a} above {b} on {ground}",
		"{b} sits under {a}",
		"{a} at the top and {b} at the bottom",
		"there is {a} above {b}",
		"{b} with {a} above it",
		"below {a} there is {b}",
		"{a} with {b} under it",
		"the picture shows {a} above {b}",
		"{b} below {a} on {ground}",
	},
	Inside: {
		"{a} inside {b}",
		"{a} is inside {b}",
		"{b} with {a} inside it",
		"{b} around {a}",
		"there is {a} inside {b}",
		"{a} in the middle of {b}",
		"{b} with {a} in the center",
		"{a} sits in the center of {b}",
		"{a} inside {b} on {ground}",
		"the picture shows {b} around {a}",
	},
	Row: {
		"{b} between {a} and {c}",
		"{b} is between {c} and {a}",
		"there is {b} between {a} and {c}",
		"{a} and {b} and {c} in a row",
		"three shapes in a row with {b} in the middle",
		"a row of three shapes with {a} on the left",
		"a row of three shapes with {c} on the right",
		"{a} is to the left of {b} and {c}",
		"{c} is to the right of {a} and {b}",
		"{b} in the middle with {a} on the left",
		"{b} in the middle with {c} on the right",
	},
	Column: {
		"{b} between {a} and {c}",
		"{b} is between {c} and {a}",
		"there is {b} between {a} and {c}",
		"{a} and {b} and {c} in a column",
		"three shapes in a column with {b} in the middle",
		"a column of three shapes with {a} at the top",
		"a column of three shapes with {c} at the bottom",
		"{a} is above {b} and {c}",
		"{c} is below {a} and {b}",
		"{b} in the middle with {a} above it",
		"{b} in the middle with {c} under it",
	},
}

// sentencesAlike are the patterns for scenes of equal objects: {a} is one of them with its article, {n} without, and
// {s} is the plural.
var sentencesAlike = map[Arrangement][]string{
	Beside: {
		"two {s} side by side",
		"two {s} next to each other",
		"two {s} on {ground}",
		"there are two {s} side by side",
		"a pair of {s} next to each other",
		"{a} is next to another {n}",
		"{a} to the left of another {n}",
		"the picture shows two {s} in a row",
	},
	Stacked: {
		"two {s} one above the other",
		"two {s} on {ground}",
		"a pair of {s} one above the other",
		"there are two {s} one below the other",
		"{a} above another {n}",
		"{a} is below another {n}",
		"{a} sits under another {n}",
		"the picture shows two {s} in a column",
	},
	Row: {
		"three {s} in a row",
		"a row of three {s}",
		"there are three {s} side by side",
		"three {s} next to each other",
		"three {s} on {ground}",
		"a row of three {s} on {ground}",
		"{a} between two other {s}",
		"the picture shows three {s} in a row",
	},
	Column: {
		"three {s} in a column",
		"a column of three {s}",
		"there are three {s} in a column",
		"three {s} on {ground}",
		"a column of three {s} on {ground}",
		"{a} between two other {s}",
		"the picture shows three {s} in a column",
	},
}

// wheres are the phrases for each position of a single object.
var wheres = map[string][]string{
	"top left":     {"in the top left corner", "at the top left"},
	"top":          {"at the top"},
	"top right":    {"in the top right corner", "at the top right"},
	"left":         {"on the left", "on the left side"},
	"middle":       {"in the middle", "in the center"},
	"right":        {"on the right", "on the right side"},
	"bottom left":  {"in the bottom left corner", "at the bottom left"},
	"bottom":       {"at the bottom"},
	"bottom right": {"in the bottom right corner", "at the bottom right"},
}

// captions returns CaptionsPerImage captions of the scene, each with a different pattern.
func (s *Scene) captions(r *random) []string {
	from := sentences[s.Arrangement]
	if s.alike() {
		from = sentencesAlike[s.Arrangement]
	}
	order := make([]string, len(from))
	copy(order, from)
	shuffle(r, order)
	out := make([]string, CaptionsPerImage)
	for i := range out {
		text := s.write(r, order[i], true)
		if len(strings.Fields(text)) > maxWords {
			text = s.write(r, order[i], false)
		}
		out[i] = strings.ToUpper(text[:1]) + text[1:]
	}
	return out
}

// write fills in the pattern. It mentions each size with probability one half, or never.
func (s *Scene) write(r *random, pattern string, sizes bool) string {
	noun := func(o Object) string {
		if sizes && r.oneIn(2) {
			return pick(r, sizeWords[o.Size]) + " " + o.look().String()
		}
		return o.look().String()
	}
	fill := []string{"{ground}", s.Background.words(r)}
	for i, o := range s.Objects {
		fill = append(fill, "{"+"abc"[i:i+1]+"}", withArticle(noun(o)))
	}
	name := noun(s.Objects[0])
	fill = append(fill, "{n}", name, "{s}", plural(name))
	if s.Position != "" {
		fill = append(fill, "{where}", pick(r, wheres[s.Position]))
	}
	return strings.NewReplacer(fill...).Replace(pattern)
}

var sizeWords = map[string][]string{Small: {"small", "little"}, Large: {"large", "big"}}

func (b Background) words(r *random) string {
	return pick(r, []string{
		"a " + b.Pattern + " background",
		"a " + b.Tint + " background",
		"a " + b.Pattern + " " + b.Tint + " background",
	})
}

func withArticle(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

func plural(noun string) string {
	if strings.HasSuffix(noun, "s") {
		return noun + "es"
	}
	return noun + "s"
}
