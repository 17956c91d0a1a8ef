package shapes

// palette holds the colours of objects by name.
var palette = map[string]rgb{
	"red":    {214, 40, 40},
	"orange": {245, 130, 32},
	"yellow": {250, 208, 44},
	"green":  {48, 156, 78},
	"blue":   {38, 96, 196},
	"purple": {122, 62, 168},
	"pink":   {242, 132, 178},
	"black":  {34, 34, 38},
}

var (
	patternNames = []string{"plain", "striped", "dotted", "checkered"}
	tintNames    = []string{"white", "gray", "beige"}
)

// tints holds the colour of the ground and of the pattern for each background.
var tints = map[string][2]rgb{
	"white": {{248, 248, 248}, {228, 230, 234}},
	"gray":  {{196, 199, 204}, {172, 176, 183}},
	"beige": {{238, 222, 192}, {222, 201, 163}},
}

var shadow = rgb{0, 0, 0}

// paint draws the scene on a square canvas of size pixels.
func (s *Scene) paint(size int) *canvas {
	scale := func(steps int) int { return steps * size * subpixel / grid }
	ground, pattern := tints[s.Background.Tint][0].shifted(s.shade), tints[s.Background.Tint][1].shifted(s.shade)
	c := newCanvas(size, ground)
	for _, p := range s.Background.polygons(s.spacing, s.phase) {
		for i := range p {
			p[i] = point{scale(p[i].x), scale(p[i].y)}
		}
		c.fill(p, pattern, 255)
	}
	// Outer before inner. Other objects never overlap.
	for i := len(s.Objects) - 1; i >= 0; i-- {
		o := s.Objects[i]
		x, y, radius := scale(int(o.X*grid)), scale(int(o.Y*grid)), scale(int(o.Radius*grid))
		for step := 1; step <= 3; step++ {
			c.fill(place(outlines[o.Shape], point{x + scale(4*step), y + scale(5*step)}, radius, o.tilt), shadow, 24)
		}
		c.fill(place(outlines[o.Shape], point{x, y}, radius, o.tilt), palette[o.Colour], 255)
	}
	return c
}

func (c rgb) shifted(by int) rgb {
	shift := func(v uint8) uint8 { return uint8(min(max(int(v)+by, 0), 255)) }
	return rgb{shift(c.r), shift(c.g), shift(c.b)}
}

// polygons returns the figures of the pattern in grid steps. The spacing is one period; the phase shifts the pattern.
func (b Background) polygons(spacing, phase int) [][]point {
	var all [][]point
	phase %= spacing
	switch b.Pattern {
	case "striped": // slanted, so no stripe coincides with the edge of an object
		for x := phase - spacing; x < 2*grid+spacing; x += spacing {
			all = append(all, []point{{x, 0}, {x + spacing/2, 0}, {x + spacing/2 - grid, grid}, {x - grid, grid}})
		}
	case "dotted":
		for y := phase - spacing; y < grid+spacing; y += spacing {
			for x := phase - spacing; x < grid+spacing; x += spacing {
				all = append(all, place(outlines["circle"], point{x, y}, spacing/5, 0))
			}
		}
	case "checkered":
		for j, y := 0, phase-spacing; y < grid; j, y = j+1, y+spacing {
			for i, x := 0, phase-spacing; x < grid; i, x = i+1, x+spacing {
				if (i+j)%2 == 0 {
					all = append(all, []point{{x, y}, {x + spacing, y}, {x + spacing, y + spacing}, {x, y + spacing}})
				}
			}
		}
	}
	return all
}
