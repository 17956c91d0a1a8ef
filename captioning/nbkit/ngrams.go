package nbkit

import (
	"fmt"
	"html"
	"html/template"
	"strings"

	"captionlab/captioning/score"
)

// orderColors are the colors of words, by the order of the longest matching n-gram that a word is part of.
var orderColors = [5]string{"#f8d7da", "#fff3bf", "#d3f9d8", "#96f2a4", "#51cf66"}

// NGrams colors each word of a caption by the longest n-gram around it that some reference holds; a word that no
// reference holds is red. The references are above, the counts from which BLEU is computed below.
func NGrams(e *score.Explanation) template.HTML {
	var out strings.Builder
	out.WriteString(`<div style="font:15px/1.9 system-ui,sans-serif;color:#222;background:#fff;padding:6px">`)
	for _, r := range e.References {
		fmt.Fprintf(&out, `<div style="color:#666;font-size:13px;line-height:1.4">%s</div>`,
			html.EscapeString(strings.Join(r, " ")))
	}
	out.WriteString(`<div style="margin:8px 0">`)
	longest := longestMatches(e)
	for i, word := range e.Caption {
		fmt.Fprintf(&out, `<span style="background:%s;border-radius:3px;padding:2px 5px;margin-right:4px"`+
			` title="longest match: %d">%s</span>`, orderColors[longest[i]], longest[i], html.EscapeString(word))
	}
	out.WriteString(`</div><div style="font-size:12px;line-height:1.6">`)
	for n, color := range orderColors {
		label := "in no reference"
		if n > 0 {
			label = fmt.Sprintf("part of a matching %d-gram", n)
		}
		fmt.Fprintf(&out, `<span style="background:%s;border-radius:3px;padding:1px 5px;margin-right:8px">%s</span>`,
			color, label)
	}
	out.WriteString("</div></div>")
	bleu1, _ := e.PA4BLEU(score.BLEU1)
	bleu4, _ := e.PA4BLEU(score.BLEU4)
	return template.HTML(out.String()) + precisions(e) +
		Text("%d tokens, closest reference %d: brevity penalty %.3f. In the paper's protocol, with NLTK: "+
			"BLEU-1 %.1f, BLEU-4 %.1f.",
			e.Length, e.Closest, e.BrevityPenalty, 100*bleu1, 100*bleu4)
}

// longestMatches returns for each word of the caption the order of the longest matching n-gram around it, or 0.
func longestMatches(e *score.Explanation) []int {
	longest := make([]int, len(e.Caption))
	for n, matches := range e.Matches {
		for _, m := range matches {
			if m.Clipped == 0 {
				continue
			}
			for _, at := range m.At {
				for i := at; i <= at+n; i++ {
					longest[i] = max(longest[i], n+1)
				}
			}
		}
	}
	return longest
}

// precisions is the table of matches, precision and BLEU by order.
func precisions(e *score.Explanation) template.HTML {
	var rows [][]string
	for n := range e.Matches {
		precision := "-"
		if e.Total[n] > 0 {
			precision = fmt.Sprintf("%.3f", float64(e.Clipped[n])/float64(e.Total[n]))
		}
		rows = append(rows, []string{fmt.Sprintf("%d-grams", n+1), fmt.Sprintf("%d of %d", e.Clipped[n], e.Total[n]),
			precision, fmt.Sprintf("%.1f", 100*e.Coco[n])})
	}
	return Table([]string{"", "match", "precision", "coco BLEU-1 to BLEU-4"}, rows)
}
