package nbkit

import (
	"html"
	"html/template"
	"strings"

	"captionlab/captioning/experiment/report"
)

// outcomeColors go with the words in which package report says how a claim fares; the first that fits counts.
var outcomeColors = []struct{ words, color string }{
	{"not measured", "#8a8a8a"},
	{"does not hold", "#a00000"},
	{"not shown", "#8a6d00"},
	{"holds", "#1b7a2f"},
}

// ClaimTable lists the paper's claims with what the runs on one dataset say of them: differences in pa4 scores, each with its
// 95 % interval over pictures.
func ClaimTable(groups []report.Group) (template.HTML, error) {
	verdicts, err := report.Verdicts(groups)
	if err != nil {
		return "", err
	}
	var rows [][]template.HTML
	for _, v := range verdicts {
		outcome := strings.ReplaceAll(v.Outcome, "**", "")
		color := "#222"
		for _, c := range outcomeColors {
			if strings.HasPrefix(outcome, c.words) {
				color = c.color
				break
			}
		}
		var effects []string
		for _, e := range v.Effects {
			effects = append(effects, html.EscapeString(e))
		}
		rows = append(rows, []template.HTML{template.HTML(html.EscapeString(v.Claim)),
			template.HTML(`<b style="color:` + color + `">` + html.EscapeString(outcome) + `</b>`), template.HTML(strings.Join(effects, "<br>"))})
	}
	return Table([]string{"the paper's claim", "on this data", "difference [95 % interval]"}, rows), nil
}
