package shapes

import "math"

// unit is the length 1 in an outline: the radius of an object.
const unit = 1 << 12

// point is a position in integer coordinates: steps of 1/unit in outlines, of 1/subpixel pixels on canvases.
type point struct{ x, y int }

// outlines are the shapes around their centres, with y pointing down. All have a radius of about one unit and about the
// same area. They are rounded to integers here. Everything else is integer arithmetic, so images have the same bytes
// regardless of how processor and compiler handle floating point.
var outlines = map[string][]point{
	"circle":   regular(128, 1, 0),
	"square":   regular(4, 1.22, math.Pi/4),
	"triangle": regular(3, 1.15, -math.Pi/2),
	"diamond":  roundOff([]float64{0, -1.08, .78, 0, 0, 1.08, -.78, 0}),
	"hexagon":  regular(6, 1.05, 0),
	"star":     star(),
	"heart":    heart(),
	"cross":    cross(),
}

func regular(corners int, radius, from float64) []point {
	xy := make([]float64, 0, 2*corners)
	for i := range corners {
		sin, cos := math.Sincos(from + 2*math.Pi*float64(i)/float64(corners))
		xy = append(xy, radius*cos, radius*sin)
	}
	return roundOff(xy)
}

func star() []point {
	var xy []float64
	for i := range 10 {
		radius := 1.15
		if i%2 == 1 {
			radius = .52
		}
		sin, cos := math.Sincos(math.Pi * (float64(i)/5 - .5))
		xy = append(xy, radius*cos, radius*sin)
	}
	return roundOff(xy)
}

// heart follows the well-known curve x = 16 sin^3 t, y = 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t.
func heart() []point {
	const corners = 128
	var xy []float64
	for i := range corners {
		t := 2 * math.Pi * float64(i) / corners
		s := math.Sin(t)
		y := 13*math.Cos(t) - 5*math.Cos(2*t) - 2*math.Cos(3*t) - math.Cos(4*t)
		xy = append(xy, s*s*s*1.02, -(y+2)/15.7)
	}
	return roundOff(xy)
}

func cross() []point {
	const arm, half = 1.0, .37
	return roundOff([]float64{
		-half, -arm, half, -arm, half, -half, arm, -half, arm, half, half, half,
		half, arm, -half, arm, -half, half, -arm, half, -arm, -half, -half, -half,
	})
}

func roundOff(xy []float64) []point {
	points := make([]point, 0, len(xy)/2)
	for i := 0; i < len(xy); i += 2 {
		points = append(points, point{int(math.Round(xy[i] * unit)), int(math.Round(xy[i+1] * unit))})
	}
	return points
}

// place returns the outline rotated by degrees and scaled to radius around centre.
func place(outline []point, centre point, radius, degrees int) []point {
	sin64, cos64 := math.Sincos(float64(degrees) * math.Pi / 180)
	sin, cos := int(math.Round(sin64*unit)), int(math.Round(cos64*unit))
	placed := make([]point, len(outline))
	for i, p := range outline {
		x, y := (p.x*cos-p.y*sin)/unit, (p.x*sin+p.y*cos)/unit
		placed[i] = point{centre.x + x*radius/unit, centre.y + y*radius/unit}
	}
	return placed
}
