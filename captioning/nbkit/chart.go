package nbkit

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"html"
	"html/template"
	"slices"

	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/chart"
)

// Line is one line of a chart.
type Line struct {
	Name string
	X, Y []float64 // of the same length
}

func (l *Line) add(x, y float64) { l.X, l.Y = append(l.X, x), append(l.Y, y) }

// Axes are the title and the axes of a chart. All fields may be empty.
type Axes struct {
	Title, X, Y string
	LogX        bool // logarithmic x axis; every x must be above 0
	WholeX      bool // x has whole numbers only
}

// Curves draws lines as an SVG image, which a saved notebook keeps.
func Curves(a Axes, lines ...Line) (template.HTML, error) {
	c := chart.Chart{Title: a.Title, X: a.X, Left: a.Y, LogX: a.LogX, WholeX: a.WholeX}
	for _, line := range lines {
		if len(line.X) != len(line.Y) {
			return "", fmt.Errorf("line %q has %d x values and %d y values: give as many of both",
				line.Name, len(line.X), len(line.Y))
		}
		if a.LogX && len(line.X) > 0 && slices.Min(line.X) <= 0 {
			return "", fmt.Errorf("line %q has a point at x = %g: a logarithmic axis needs values above 0",
				line.Name, slices.Min(line.X))
		}
		s := chart.Series{Name: line.Name}
		for i := range line.X {
			s.Points = append(s.Points, [2]float64{line.X[i], line.Y[i]})
		}
		c.Series = append(c.Series, s)
	}
	return drawn(c), nil
}

// drawn is a chart in the size that suits a notebook.
func drawn(c chart.Chart) template.HTML {
	c.Width, c.Height = 640, 320
	return figure([]byte(c.SVG()), c.Title)
}

// figure embeds an SVG as an image. JupyterLab and GitHub remove inline SVG from a saved notebook that is not
// trusted, but keep images in data URLs. Such an image follows the browser's light or dark color scheme, if the SVG
// does.
func figure(svg []byte, title string) template.HTML {
	return template.HTML(fmt.Sprintf(`<img src="data:image/svg+xml;base64,%s" alt="%s" style="max-width:100%%">`,
		base64.StdEncoding.EncodeToString(svg), html.EscapeString(cmp.Or(title, "chart"))))
}

// lossAxes are the axes of a loss curve.
func lossAxes(title string) Axes {
	return Axes{Title: title, X: "epoch", Y: "loss in nats per token", WholeX: true}
}

// LossCurve draws the training and the validation loss of a run by epoch.
func LossCurve(title string, curve []experiment.CurvePoint) (template.HTML, error) {
	train, val := Line{Name: "training"}, Line{Name: "validation"}
	for _, p := range curve {
		train.add(float64(p.Epoch), p.TrainLoss)
		val.add(float64(p.Epoch), p.Val.Token)
	}
	return Curves(lossAxes(title), train, val)
}
