package shapes

import (
	"fmt"
	"regexp"
	"sync"
)

// claim reports whether a statement holds for a scene. o are the objects named in the caption, in the order of their
// mention.
type claim func(s *Scene, o []Object) bool

func leftOf(a, b Object) bool      { return a.X+a.Radius < b.X-b.Radius+.01 }
func above(a, b Object) bool       { return a.Y+a.Radius < b.Y-b.Radius+.01 }
func rightOf(a, b Object) bool     { return leftOf(b, a) }
func below(a, b Object) bool       { return above(b, a) }
func sameHeight(a, b Object) bool  { return near(a.Y, b.Y, .1) }
func near(v, want, d float64) bool { return v > want-d && v < want+d }

func within(a, b Object) bool {
	return near(a.X, b.X, .01) && near(a.Y, b.Y, .01) && a.Radius < b.Radius*.4
}

func amid(a, b, c Object) bool {
	return inLine([]Object{b, a, c}, leftOf) || inLine([]Object{c, a, b}, leftOf) ||
		inLine([]Object{b, a, c}, above) || inLine([]Object{c, a, b}, above)
}

// relation is a relation between two objects.
type relation func(a, b Object) bool

// inLine reports whether two or more objects are ordered along one direction.
func inLine(o []Object, along relation) bool {
	for i := range len(o) - 1 {
		if !along(o[i], o[i+1]) {
			return false
		}
	}
	return len(o) > 1
}

func middleOf(a Object, all []Object) bool {
	return len(all) == 3 && amid(a, all[0], all[2])
}

// number claims that the scene has n objects.
func number(n int) claim { return func(s *Scene, o []Object) bool { return len(s.Objects) == n } }

// at claims that the first object is in a cell of a 3 x 3 grid.
func at(column, row int) claim {
	return func(s *Scene, o []Object) bool {
		return near(o[0].X, .22+.28*float64(column), .06) && near(o[0].Y, .22+.28*float64(row), .06)
	}
}

// is claims a relation between the first and the second object.
func is(r relation) claim { return func(s *Scene, o []Object) bool { return r(o[0], o[1]) } }

// isToBoth claims a relation of the first object to the second and to the third.
func isToBoth(r relation) claim {
	return func(s *Scene, o []Object) bool { return r(o[0], o[1]) && r(o[0], o[2]) }
}

// lined claims that the scene has n objects in a line.
func lined(n int, along relation) claim {
	return func(s *Scene, o []Object) bool { return len(s.Objects) == n && inLine(s.Objects, along) }
}

// middleOfLine claims that the first object is in the middle of three in a line.
func middleOfLine(along relation) claim {
	return func(s *Scene, o []Object) bool { return inLine(s.Objects, along) && middleOf(o[0], s.Objects) }
}

// middleWith claims that the first object is in the middle of three and the second one is on the given side of it.
func middleWith(side relation) claim {
	return func(s *Scene, o []Object) bool { return middleOf(o[0], s.Objects) && side(o[1], o[0]) }
}

// outermost claims that the first object is at one end of three.
func outermost(before relation) claim {
	return func(s *Scene, o []Object) bool {
		for _, other := range s.Objects {
			if other != o[0] && !before(o[0], other) {
				return false
			}
		}
		return len(s.Objects) == 3
	}
}

// equals claims a relation between the first and the second of several equal objects in the scene.
func equals(r relation) claim {
	return func(s *Scene, o []Object) bool { return r(s.Objects[0], s.Objects[1]) }
}

// claims maps what is left of a caption without lead-in, background and noun phrases to its meaning. The words are a
// regular expression for the whole rest, in which noun phrases are slots such as #, see slots.
var claims = []struct {
	words string
	holds claim
}{
	// one object
	{`# ?`, number(1)},
	{thereIs(`(?:in|at) the top left(?: corner)?`), at(0, 0)},
	{thereIs(`(?:in|at) the top right(?: corner)?`), at(2, 0)},
	{thereIs(`(?:in|at) the bottom left(?: corner)?`), at(0, 2)},
	{thereIs(`(?:in|at) the bottom right(?: corner)?`), at(2, 2)},
	{thereIs(`at the top`), at(1, 0)},
	{thereIs(`at the bottom`), at(1, 2)},
	{thereIs(`on the left(?: side)?`), at(0, 1)},
	{thereIs(`on the right(?: side)?`), at(2, 1)},
	{thereIs(`in the (?:middle|center)`), at(1, 1)},
	// two objects
	{`#(?: is)? to the left of #`, is(leftOf)},
	{`# is to the right of #`, is(rightOf)},
	{`to the right of # there is #`, is(leftOf)},
	{`# on the left and # on the right`, func(s *Scene, o []Object) bool {
		return leftOf(o[0], o[1]) && o[0].X < .4 && o[1].X > .6
	}},
	{`# on the right and # on the left`, func(s *Scene, o []Object) bool {
		return leftOf(o[1], o[0]) && o[1].X < .4 && o[0].X > .6
	}},
	{`#(?: is)? next to #|# and # side by side|#(?: sits)? beside #`, func(s *Scene, o []Object) bool {
		return len(s.Objects) == 2 && sameHeight(o[0], o[1]) && (leftOf(o[0], o[1]) || leftOf(o[1], o[0]))
	}},
	{`#(?: is)? above #|below # there is #|# with # under it`, is(above)},
	{`#(?: is| sits)? (?:below|under) #|# with # above it`, is(below)},
	{`# at the top and # at the bottom`, func(s *Scene, o []Object) bool {
		return above(o[0], o[1]) && o[0].Y < .4 && o[1].Y > .6
	}},
	{`#(?: is)? inside #|#(?: sits)? in the (?:middle|center) of #`, is(within)},
	{`# with # inside it|# around #|# with # in the center`, is(func(a, b Object) bool { return within(b, a) })},
	// three objects
	{`#(?: is)? between # and #`, func(s *Scene, o []Object) bool { return amid(o[0], o[1], o[2]) }},
	{`# and # and # in a row`, func(s *Scene, o []Object) bool {
		return inLine(o, leftOf) && near(o[0].Y, o[2].Y, .1)
	}},
	{`# and # and # in a column`, func(s *Scene, o []Object) bool {
		return inLine(o, above) && near(o[0].X, o[2].X, .1)
	}},
	{`three shapes in a row with # in the middle`, middleOfLine(leftOf)},
	{`three shapes in a column with # in the middle`, middleOfLine(above)},
	{`a row of three shapes with # on the left`, outermost(leftOf)},
	{`a row of three shapes with # on the right`, outermost(rightOf)},
	{`a column of three shapes with # at the top`, outermost(above)},
	{`a column of three shapes with # at the bottom`, outermost(below)},
	{`# is to the left of # and #`, isToBoth(leftOf)},
	{`# is to the right of # and #`, isToBoth(rightOf)},
	{`# is above # and #`, isToBoth(above)},
	{`# is below # and #`, isToBoth(below)},
	{`# in the middle with # on the left`, middleWith(leftOf)},
	{`# in the middle with # on the right`, middleWith(rightOf)},
	{`# in the middle with # above it`, middleWith(above)},
	{`# in the middle with # under it`, middleWith(below)},
	// equal objects
	{`2#|a pair of 0#`, number(2)},
	{`3#`, number(3)},
	{`2# (?:side by side|next to each other|in a row)|a pair of 0# next to each other`, lined(2, leftOf)},
	{`2# (?:one above the other|one below the other|in a column)|a pair of 0# one above the other`, lined(2, above)},
	{`3# (?:side by side|next to each other|in a row)|a row of 3#`, lined(3, leftOf)},
	{`3# in a column|a column of 3#`, lined(3, above)},
	{`# to the left of @`, equals(leftOf)},
	{`# is next to @`, equals(sameHeight)},
	{`#(?: is| sits)? (?:above|below|under) @`, equals(above)},
	{`# between 2other#`, func(s *Scene, o []Object) bool { return middleOf(s.Objects[1], s.Objects) }},
}

// thereIs returns the words for an object at a place.
func thereIs(place string) string { return fmt.Sprintf(`#(?: is)? %s|%s there is #`, place, place) }

// wholeRest returns the compiled words of each claim.
var wholeRest = sync.OnceValue(func() []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, c := range claims {
		all = append(all, regexp.MustCompile(`^(?:`+c.words+`)$`))
	}
	return all
})
