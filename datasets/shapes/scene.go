package shapes

import "captionlab/datasets"

// The shapes and colours of objects, in the words of the captions.
var (
	shapeNames  = []string{"circle", "square", "triangle", "diamond", "hexagon", "star", "heart", "cross"}
	colourNames = []string{"red", "orange", "yellow", "green", "blue", "purple", "pink", "black"}
)

// The sizes of objects. Captions also use "little" and "big". The radius of a small object is less than a tenth of the
// image's side, that of a large object more than an eighth.
const (
	Small = "small"
	Large = "large"
)

// Arrangement is the spatial relation of the objects in a scene.
type Arrangement string

// The arrangements. Objects with the same shape and colour also have the same size.
const (
	Single  Arrangement = "single"  // one object at one of nine positions
	Beside  Arrangement = "beside"  // two, left to right
	Stacked Arrangement = "stacked" // two, top to bottom
	Inside  Arrangement = "inside"  // a small one within a large one
	Row     Arrangement = "row"     // three, left to right
	Column  Arrangement = "column"  // three, top to bottom
)

// arrangements and their frequencies in percent.
var (
	arrangements      = []Arrangement{Single, Beside, Stacked, Inside, Row, Column}
	arrangementShares = []int{25, 22, 20, 13, 11, 9}
)

// Object is one drawn object. X and Y (of the centre, from the top left) and Radius are fractions of the image's side.
type Object struct {
	Shape, Colour, Size string
	X, Y, Radius        float64
	tilt                int // degrees
}

// Background is the background of a scene.
type Background struct {
	Pattern string // plain, striped, dotted, checkered
	Tint    string // white, gray, beige
}

// Scene is the content of an image: everything its captions can mention.
type Scene struct {
	Arrangement Arrangement
	// Objects are ordered by arrangement: left to right, top to bottom, inner before outer.
	Objects    []Object
	Position   string // of a single object: "top left", "top", ... "middle"; otherwise empty
	Background Background

	shade, spacing, phase int // of the background
}

// alike reports whether all objects of a scene have the same shape and colour.
func (s *Scene) alike() bool {
	return len(s.Objects) > 1 && s.Objects[0].look() == s.Objects[1].look()
}

func (o Object) look() Look { return Look{o.Shape, o.Colour} }

// grid is the side of an image in the integer steps used to compose scenes. Fractions of it are exact in binary.
const grid = 1024

// drawScene returns a random scene with all combinations in split. Every arrangement has such combinations in every
// split, so the search ends. Three different objects in the test split take about a thousand draws.
func drawScene(r *random, split datasets.Split) *Scene {
	s := &Scene{Arrangement: arrangements[r.weighted(arrangementShares)]}
	alike := s.Arrangement != Single && s.Arrangement != Inside && r.oneIn(5)
	for {
		s.drawLooks(r, alike)
		if s.within(split) {
			break
		}
	}
	s.arrange(r, alike)
	s.Background = Background{Pattern: pick(r, patternNames), Tint: pick(r, tintNames)}
	s.shade, s.spacing, s.phase = r.between(-6, 6), r.between(90, 150), r.below(grid)
	return s
}

func (s *Scene) within(split datasets.Split) bool {
	for _, c := range s.Combinations() {
		if c.Split() != split {
			return false
		}
	}
	return true
}

// drawLooks chooses shapes and colours: all equal if alike, otherwise all different. Inside and outside objects never
// have the same colour, which would hide the inner one.
func (s *Scene) drawLooks(r *random, alike bool) {
	count := map[Arrangement]int{Single: 1, Beside: 2, Stacked: 2, Inside: 2, Row: 3, Column: 3}[s.Arrangement]
	s.Objects = s.Objects[:0]
	for len(s.Objects) < count {
		o := Object{Shape: pick(r, shapeNames), Colour: pick(r, colourNames)}
		if alike && len(s.Objects) > 0 {
			o = s.Objects[0]
		}
		if !alike && s.clashes(o) {
			continue
		}
		s.Objects = append(s.Objects, o)
	}
	if s.Arrangement == Single {
		s.Position = positions[r.below(len(positions))].name
	}
}

func (s *Scene) clashes(o Object) bool {
	for _, other := range s.Objects {
		if o.look() == other.look() || (s.Arrangement == Inside && o.Colour == other.Colour) {
			return true
		}
	}
	return false
}

// positions of a single object in grid steps.
var positions = []struct {
	name string
	x, y int
}{
	{"top left", 225, 225}, {"top", 512, 225}, {"top right", 799, 225},
	{"left", 225, 512}, {"middle", 512, 512}, {"right", 799, 512},
	{"bottom left", 225, 799}, {"bottom", 512, 799}, {"bottom right", 799, 799},
}

// arrange sets the size, place and tilt of every object.
func (s *Scene) arrange(r *random, alike bool) {
	// The range of a large object's radius. It fits into the image without touching another object.
	large := map[Arrangement][2]int{Single: {140, 172}, Beside: {140, 195}, Stacked: {140, 195},
		Inside: {260, 320}, Row: {130, 138}, Column: {130, 138}}[s.Arrangement]
	for i := range s.Objects {
		o := &s.Objects[i]
		o.Size = pick(r, []string{Small, Large})
		switch {
		case alike && i > 0:
			o.Size = s.Objects[0].Size
		case s.Arrangement == Inside:
			o.Size = []string{Small, Large}[i]
		}
		radius := r.between(76, 92)
		if o.Size == Large {
			radius = r.between(large[0], large[1])
		}
		o.Radius = float64(radius) / grid
		o.tilt = r.between(-9, 9)
	}

	along, across := s.places(r)
	for i := range s.Objects {
		x, y := along[i], across[i]
		if s.Arrangement == Stacked || s.Arrangement == Column {
			x, y = y, x
		}
		s.Objects[i].X, s.Objects[i].Y = float64(x)/grid, float64(y)/grid
	}
}

// places returns the centres of the objects along and across the direction of the arrangement.
func (s *Scene) places(r *random) (along, across []int) {
	switch s.Arrangement {
	case Single:
		for _, p := range positions {
			if p.name == s.Position {
				return []int{p.x + r.between(-22, 22)}, []int{p.y + r.between(-22, 22)}
			}
		}
	case Inside:
		x, y := r.between(400, 624), r.between(400, 624)
		return []int{x, x}, []int{y, y}
	case Row, Column:
		base := r.between(340, 684)
		for i := range 3 {
			along = append(along, 185+327*i+r.between(-5, 5))
			across = append(across, base+r.between(-40, 40))
		}
		return along, across
	}
	base := r.between(290, 734)
	along = []int{r.between(225, 290), r.between(734, 799)}
	return along, []int{base + r.between(-45, 45), base + r.between(-45, 45)}
}
