package nbkit

import (
	"errors"
	"fmt"
	"html"
	"html/template"
	"strings"

	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score"
)

// outcomeColors are the colors of package report's verdicts, by their first words. The first entry that fits counts.
var outcomeColors = []struct{ words, color string }{
	{"not measured", "#8a8a8a"},
	{"does not hold", "#a00000"},
	{"not shown", "#8a6d00"},
	{"holds", "#1b7a2f"},
}

// ClaimTable shows the paper's claims and how the runs on one dataset bear them out: differences in pa4 scores, each
// with its 95 % interval over images.
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
			template.HTML(html.EscapeString(v.Claim)), outcome(v.Outcome),
			template.HTML(strings.Join(effects, "<br>"))})
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

// LeadTable shows what could explain the paper's lead: how far the best model's greedy captions are ahead of the
// baseline under each decoding strategy, in pa4 scores with 95 % intervals over images, next to the paper's lead. It
// fails if a run is missing.
func LeadTable(groups []report.Group) (template.HTML, error) {
	paper, leads := report.Leads(groups)
	if len(leads) == 0 {
		return "", errors.New("no runs of best-lstm and baseline: create them with `captionlab reproduce`")
	}
	rows := [][]string{{"the paper: not stated", fmt.Sprintf("%+.1f", paper.BLEU1.Value),
		fmt.Sprintf("%+.1f", paper.BLEU4.Value), ""}}
	for _, lead := range leads {
		inside := "no"
		if lead.Explains {
			inside = "yes"
		}
		rows = append(rows, []string{strategyLabel(lead.Strategy), leadText(lead.BLEU1), leadText(lead.BLEU4), inside})
	}
	return Table([]string{"the baseline's decoding strategy", "lead in BLEU-1", "lead in BLEU-4",
		"the paper's lead is inside both intervals"}, rows), nil
}

func leadText(i score.Interval) string {
	return fmt.Sprintf("%+.1f [%+.1f, %+.1f]", i.Value, i.Low, i.High)
}
