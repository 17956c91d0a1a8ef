package nbkit

import (
	"html"
	"html/template"
	"strings"

	"captionlab/captioning/experiment/report"
)

// outcomeColors are the colors of package report's verdicts, by their first words. The first entry that fits counts.
var outcomeColors = []struct{ words, color string }{
	{"not measured", "#8a8a8a"},
	{"does not hold", "#a00000"},
	{"not shown", "#8a6d00"},
	{"holds", "#1b7a2f"},
}

// ClaimTable shows the paper's claims and how the runs on one dataset bear them out: differences in pa4 scores, each with
// its 95 % interval over images.
func ClaimTable(groups []report.Group) (template.HTML, error) {
	verdicts, err := report.Verdicts(groups)
	if err != nil {
		return "", err
	}
	var rows [][]template.HTML
	for _, v := range verdicts {
		var effects []string
		for _, e := range v.Effects {
			effects = append(effects, html.EscapeString(e))
		}
		rows = append(rows, []template.HTML{
			template.HTML(html.EscapeString(v.Claim)), outcome(v.Outcome), template.HTML(strings.Join(effects, "<br>"))})
	}
	return Table([]string{"the paper's claim", "on this data", "difference [95 % interval]"}, rows), nil
}

// outcome is a verdict in its color.
func outcome(markdown string) template.HTML {
	text, color := strings.ReplaceAll(markdown, "**", ""), "#222"
	for _, c := range outcomeColors {
		if strings.HasPrefix(text, c.words) {
			color = c.color
			break
		}
	}
	return template.HTML(`<b style="color:` + color + `">` + html.EscapeString(text) + `</b>`)
}
