package nbkit

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"html"
	"html/template"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"captionlab/captioning"
)

// Line is one line of a diagram.
type Line struct {
	Name string
	X, Y []float64 // of the same length
}

// Curves draws lines into one diagram as SVG, which survives in a saved notebook.
func Curves(title, xLabel, yLabel string, lines ...Line) (template.HTML, error) {
	return curves(newDiagram(title, xLabel, yLabel), lines)
}

// CurvesLogX is Curves with a logarithmic x axis, for lines that rise to the right; all x must be above 0.
func CurvesLogX(title, xLabel, yLabel string, lines ...Line) (template.HTML, error) {
	p := newDiagram(title, xLabel, yLabel)
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Legend.Top = false
	for _, line := range lines {
		if len(line.X) > 0 && slices.Min(line.X) <= 0 {
			return "", fmt.Errorf("line %q goes to x = %g, but a logarithmic axis begins above 0", line.Name, slices.Min(line.X))
		}
	}
	return curves(p, lines)
}

func newDiagram(title, xLabel, yLabel string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, xLabel, yLabel
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	return p
}

// dotted is up to how many points the points of a line are marked.
const dotted = 60

func curves(p *plot.Plot, lines []Line) (template.HTML, error) {
	for i, line := range lines {
		if len(line.X) != len(line.Y) {
			return "", fmt.Errorf("line %q has %d x and %d y values", line.Name, len(line.X), len(line.Y))
		}
		if len(line.X) == 0 {
			continue
		}
		points := make(plotter.XYs, len(line.X))
		for j := range points {
			points[j] = plotter.XY{X: line.X[j], Y: line.Y[j]}
		}
		drawn, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return "", fmt.Errorf("line %q: %w", line.Name, err)
		}
		drawn.Color, dots.Color, dots.Shape = plotutil.Color(i), plotutil.Color(i), draw.CircleGlyph{}
		drawn.Width, dots.Radius = vg.Points(1.5), vg.Points(2)
		p.Add(drawn)
		if len(points) <= dotted {
			p.Add(dots)
		}
		p.Legend.Add(line.Name, drawn)
	}
	return drawSVG(p)
}

// drawSVG draws a diagram as SVG for an HTML page.
func drawSVG(p *plot.Plot) (template.HTML, error) {
	canvas := vgsvg.New(6*vg.Inch, 3.2*vg.Inch)
	p.Draw(draw.New(canvas))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return "", err
	}
	return diagram(out.Bytes(), p.Title.Text), nil
}

// diagram puts an SVG into an img: JupyterLab and GitHub drop inline SVG from a saved notebook that they do not trust, but keep
// pictures in data addresses.
func diagram(svg []byte, about string) template.HTML {
	return template.HTML(fmt.Sprintf(`<img src="data:image/svg+xml;base64,%s" alt="%s" style="max-width:100%%;background:#fff">`,
		base64.StdEncoding.EncodeToString(svg), html.EscapeString(cmp.Or(about, "diagram"))))
}

// LossCurve draws the training and the validation loss of a run by epoch.
func LossCurve(title string, curve []captioning.CurvePoint) (template.HTML, error) {
	train, val := Line{Name: "training"}, Line{Name: "validation"}
	for _, p := range curve {
		train.X, train.Y = append(train.X, float64(p.Epoch)), append(train.Y, p.TrainLoss)
		val.X, val.Y = append(val.X, float64(p.Epoch)), append(val.Y, p.Val.Token)
	}
	return Curves(title, "epoch", "loss in nats per token", train, val)
}
