package nbkit

import (
	"errors"
	"fmt"
	"html"
	"html/template"
	"strings"

	"captionlab/captioning/score"
	"captionlab/captioning/score/meteor"
)

// openMETEOR opens METEOR's tables. It returns nil if they were not fetched.
func openMETEOR() (*meteor.Tables, error) {
	tables, err := meteor.OpenFetched()
	if errors.Is(err, meteor.ErrNotFetched) {
		return nil, nil
	}
	return tables, err
}

// withoutMETEOR says how to get METEOR's tables.
func withoutMETEOR() template.HTML {
	return Text("METEOR's tables are not on this machine, so METEOR is left out here. To see it, run " +
		"`captionlab fetch meteor` once, a download of 104 MB, and then this cell again.")
}

// METEORMatch shows which words of a caption METEOR matches with words of the reference that counts, and what the score
// is made of. If METEOR's tables are not on this machine, it says how to get them.
func METEORMatch(caption string, references ...string) (template.HTML, error) {
	tables, err := openMETEOR()
	if err != nil {
		return "", err
	}
	if tables == nil {
		return withoutMETEOR(), nil
	}
	defer tables.Close()
	e, err := tables.Explain(caption, references)
	if err != nil {
		return "", err
	}
	return METEORAlignment(e), nil
}

// moduleColors are the colors of matched words, by module.
var moduleColors = map[meteor.Module]string{meteor.Exact: "#96f2a4", meteor.Stem: "#fff3bf",
	meteor.Synonym: "#a5d8ff", meteor.Paraphrase: "#e5dbff"}

// unmatched is the color of words without a match.
const unmatched = "#f8d7da"

// METEORAlignment colors each word of a caption and of the reference that counts by how it matches. Matches have the
// same number in both texts, and a line between words begins a new chunk. The other references are above, the parts of
// the score below.
func METEORAlignment(e *meteor.Explanation) template.HTML {
	var out strings.Builder
	out.WriteString(`<div style="font:15px/2.1 system-ui,sans-serif;color:#222;background:#fff;padding:6px">`)
	for i, r := range e.References {
		if i != e.Best {
			fmt.Fprintf(&out, `<div style="color:#666;font-size:13px;line-height:1.4">%s (%.1f)</div>`,
				html.EscapeString(r), 100*e.Scores[i])
		}
	}
	out.WriteString(alignedLine("reference", e.Reference, e.Alignment, func(m meteor.Match) meteor.Span {
		return m.Reference
	}))
	out.WriteString(alignedLine("caption", e.Caption, e.Alignment, func(m meteor.Match) meteor.Span {
		return m.Caption
	}))
	out.WriteString(`<div style="font-size:12px;line-height:1.6">`)
	for _, m := range []meteor.Module{meteor.Exact, meteor.Stem, meteor.Synonym, meteor.Paraphrase} {
		out.WriteString(colored(moduleColors[m], html.EscapeString(m.String())))
	}
	out.WriteString(colored(unmatched, "no match") + `</div></div>`)
	return template.HTML(out.String()) + meteorParts(e)
}

// alignedLine colors the words of one text; of returns where a match is in it.
func alignedLine(name string, words []string, a meteor.Alignment, of func(m meteor.Match) meteor.Span) string {
	match := make([]int, len(words)) // of each word, from 1
	for i, m := range a.Matches {
		for k := range of(m).Words {
			match[of(m).Start+k] = i + 1
		}
	}
	chunks := a.Chunks()
	var out strings.Builder
	fmt.Fprintf(&out, `<div><span style="color:#666;font-size:12px;display:inline-block;width:72px">%s</span>`, name)
	last := 0
	for i, word := range words {
		text, color, number := html.EscapeString(word), unmatched, match[i]
		if number > 0 {
			color = moduleColors[a.Matches[number-1].Module]
			text += fmt.Sprintf(`<sub style="color:#555;font-size:10px">%d</sub>`, number)
			if last > 0 && chunks[number-1] != chunks[last-1] {
				out.WriteString(`<span style="border-left:2px solid #868e96;margin-right:6px"></span>`)
			}
			last = number
		}
		out.WriteString(colored(color, text))
	}
	return out.String() + `</div>`
}

// colored is a piece of HTML on a color.
func colored(color, text string) string {
	return fmt.Sprintf(`<span style="background:%s;border-radius:3px;padding:1px 5px;margin-right:4px">%s</span>`,
		color, text)
}

// meteorParts is the table of what the score is made of.
func meteorParts(e *meteor.Explanation) template.HTML {
	p := e.Statistics.Parts()
	return Table([]string{"precision", "recall", "mean, recall weighs more", "chunks", "penalty", "METEOR"},
		[][]string{{fmt.Sprintf("%.3f", p.Precision), fmt.Sprintf("%.3f", p.Recall), fmt.Sprintf("%.3f", p.Mean),
			fmt.Sprint(e.Statistics.Chunks()), fmt.Sprintf("%.3f", p.Penalty),
			fmt.Sprintf("%.1f", 100*e.Statistics.Score())}})
}

// rewardMetrics are the scores that RewardTable and RankTable show.
var rewardMetrics = []string{score.BLEU1, score.BLEU4, score.ROUGEL, score.METEOR, score.CIDErD}

// single scores captions one at a time, each as a corpus of one image, in protocol coco and by METEOR.
type single struct {
	tables  *meteor.Tables // nil without METEOR
	options score.Options  // with document frequencies, without which the CIDEr-D of one image is 0
}

// newSingle takes the document frequencies of the references of the test images.
func (l *Lab) newSingle() (s single, err error) {
	if s.options.Frequencies, err = score.CountFrequencies(l.testReferences(), ""); err != nil {
		return s, err
	}
	s.tables, err = openMETEOR()
	return s, err
}

func (s single) close() {
	if s.tables != nil {
		s.tables.Close()
	}
}

// metrics are those of rewardMetrics that can be computed.
func (s single) metrics() []string {
	var out []string
	for _, name := range rewardMetrics {
		if name != score.METEOR || s.tables != nil {
			out = append(out, name)
		}
	}
	return out
}

// scores returns the scores of a caption, from 0 to 100, in the order of metrics.
func (s single) scores(caption string, references []string) ([]float64, error) {
	metrics, err := score.Select("coco")
	if err != nil {
		return nil, err
	}
	if s.tables != nil {
		metrics = append(metrics, s.tables.Metric())
	}
	m, err := score.Measure(score.References{"1": references}, []score.Caption{{ID: "1", Text: caption}}, metrics,
		s.options)
	if err != nil {
		return nil, err
	}
	var out []float64
	for _, name := range s.metrics() {
		out = append(out, points(m, name))
	}
	return out, nil
}

// RewardTable scores captions of one image, each with a few words about it, against the same references, from 0 to 100.
// CIDEr-D takes its document frequencies from the references of the dataset's test images. METEOR is left out, with a
// note, if its tables are not on this machine.
func (l *Lab) RewardTable(references []string, captions ...[2]string) (template.HTML, error) {
	s, err := l.newSingle()
	if err != nil {
		return "", err
	}
	defer s.close()
	var rows [][]string
	for _, c := range captions {
		scores, err := s.scores(c[1], references)
		if err != nil {
			return "", err
		}
		row := []string{c[0], c[1]}
		for _, x := range scores {
			row = append(row, fmt.Sprintf("%.1f", x))
		}
		rows = append(rows, row)
	}
	shown := Table(append([]string{"", "caption"}, s.metrics()...), rows)
	if s.tables == nil {
		shown += withoutMETEOR()
	}
	return shown, nil
}
