package report

import "fmt"

// Verdict is a claim of the paper with the conclusion from the records.
type Verdict struct {
	Claim   string
	Outcome string   // Markdown; begins with a verdict in bold unless a run is missing
	Effects []string // the differences that decide; empty if a run is missing
}

// Verdicts checks every claim of the paper, in its order, against the runs on one dataset, as returned by Read.
func Verdicts(groups []Group) ([]Verdict, error) { return dataset{groups: groups}.verdicts() }

func (d dataset) verdicts() ([]Verdict, error) {
	var out []Verdict
	for _, c := range claims {
		findings, err := c.check(d)
		if err != nil {
			return nil, err
		}
		var effects []string
		for _, f := range findings {
			e := f.effect
			effect := fmt.Sprintf("%s, %s: %+.2f [%.2f, %.2f], p "+
				"%s", f.what, e.Metric, e.Delta, e.Low, e.High, pValue(e.P))
			if f.note != "" {
				effect += " (" + f.note + ")"
			}
			effects = append(effects, effect)
		}
		out = append(out, Verdict{c.sentence, verdict(findings), effects})
	}
	return out, nil
}

// verdict states the conclusion in a sentence. A claim that names a size needs more than the right sign: the paper's
// difference must not be above the intervals.
func verdict(findings []finding) string {
	agree, against, smaller := 0, 0, 0
	for _, f := range findings {
		if f.agrees {
			agree++
		}
		if f.effect.High < 0 {
			against++
		}
		if f.paper > f.effect.High {
			smaller++
		}
	}
	switch {
	case len(findings) == 0:
		return "not measured yet: a run is missing"
	case agree == len(findings) && smaller > 0:
		return "**holds in direction but not in size**: better, but by less than in the paper"
	case agree == len(findings):
		return "**holds**"
	case against == len(findings):
		return "**does not hold**: the difference has the opposite sign"
	case against > 0 || agree > 0:
		return "**does not hold in full**: one score agrees with it, the other does not"
	case smaller > 0 && smaller == len(findings):
		return "**does not hold**: no significant difference, and the paper's is above the intervals"
	default:
		return "**not shown**: the difference is not significant or not consistent"
	}
}

func pValue(p float64) string {
	if p < 0.001 {
		return "< 0.001"
	}
	return fmt.Sprintf("%.3f", p)
}
