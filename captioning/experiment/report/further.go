package report

import (
	"fmt"
	"strings"

	"captionlab/captioning/score"
)

// further are claims about what came after the paper: the first experiment has the higher CIDEr-D.
var further = []struct{ sentence, better, worse string }{
	{"Soft attention beats none (Xu et al. 2015).", "attention", "hidden-1024-dropout"},
	{"Two LSTMs with attention between them beat one with attention (Anderson et al. 2018).", "top-down", "attention"},
	{"Self-critical training raises CIDEr-D (Rennie et al. 2017).", "self-critical", "hidden-1024-dropout"},
	{"Self-critical training raises CIDEr-D with attention, too.", "attention-self-critical", "attention"},
}

// writeFurther lists these claims, as far as both experiments have runs.
func (d dataset) writeFurther(page *strings.Builder) error {
	var rows [][]string
	for _, c := range further {
		better, ok := d.group(c.better)
		worse, also := d.group(c.worse)
		if !ok || !also {
			continue
		}
		var effects []string
		holds, against := 0, 0
		pairs := sameSeeds(better, worse)
		for _, p := range pairs {
			differences, err := score.Compare(p[0].Coco, p[1].Coco, score.BootstrapOptions{})
			if err != nil {
				return fmt.Errorf("%s compared with %s: %w", c.better, c.worse, err)
			}
			e, _ := differences.Get(cider)
			if e.Low > 0 {
				holds++
			}
			if e.High < 0 {
				against++
			}
			effects = append(effects, fmt.Sprintf("seed %d: %+.2f [%.2f, %.2f], p %s", p[0].Settings.Seed, 100*e.Delta,
				100*e.Low, 100*e.High, pValue(e.P)))
		}
		if len(pairs) == 0 {
			continue
		}
		outcome := "**not shown**: not every seed has an interval above zero"
		switch {
		case holds == len(pairs):
			outcome = "**holds**"
		case against == len(pairs):
			outcome = "**does not hold**: the difference has the opposite sign"
		}
		rows = append(rows, []string{c.sentence, outcome, strings.Join(effects, "<br>")})
	}
	if len(rows) == 0 {
		return nil
	}
	page.WriteString("\n### What came after the paper\n\n" +
		"Effects are differences in CIDEr-D (coco, x100) of greedy captions, seed by seed, with intervals and p-" +
		"values as above. A claim holds if every seed's interval is above zero.\n\n")
	writeTable(page, []string{"claim", "verdict", "effect"}, rows)
	return nil
}

// sameSeeds pairs the runs of two groups that have the same seed.
func sameSeeds(a, b Group) [][2]Run {
	var pairs [][2]Run
	for _, r := range a.Runs {
		for _, s := range b.Runs {
			if r.Settings.Seed == s.Settings.Seed {
				pairs = append(pairs, [2]Run{r, s})
			}
		}
	}
	return pairs
}
