package captioning

import (
	"fmt"
	"slices"
	"strings"

	"captionlab/captioning/experiment"
)

// Objective is what training minimises: the cross-entropy of the next word, with a weight for every position. A custom
// objective is a value of this type passed to Train; its Name stands in Settings.Loss.
type Objective struct {
	Name string
	// Pads counts the positions after <end>, up to the batch's length, as the paper did. Every pad has weight 1.
	Pads bool
	// Weight is the weight of the loss at one position, given the token to predict (as an id of the vocabulary) and its
	// place in the caption from 0; nil means 1 everywhere. It must not be negative, infinite or not a number.
	Weight func(token int32, place int) float32
	// Choose picks the validation loss that decides which epoch is the best.
	Choose func(experiment.Losses) float64

	selfCritical bool // train on sampled captions; see selfcritical.go
}

// objectives is the list of built-in objectives; a new one is a line here and its name among the choices of the setting
// "loss".
var objectives = []Objective{
	{Name: "token", Choose: func(l experiment.Losses) float64 { return l.Token }},
	{Name: "padded", Pads: true, Choose: func(l experiment.Losses) float64 { return l.Padded }},
	{Name: experiment.SelfCritical, selfCritical: true},
}

// objectiveFor returns custom or, if that is nil, the built-in objective of that name.
func objectiveFor(name string, custom *Objective) (Objective, error) {
	if custom != nil {
		switch {
		case custom.Name != name:
			return Objective{}, fmt.Errorf("the settings name objective %q, the objective given is %q", name,
				custom.Name)
		case custom.Choose == nil:
			return Objective{}, fmt.Errorf(
				"objective %q has no function Choose: set the loss that decides on the best epoch", name)
		}
		return *custom, nil
	}
	i := slices.IndexFunc(objectives, func(o Objective) bool { return o.Name == name })
	if i < 0 {
		var names []string
		for _, o := range objectives {
			names = append(names, o.Name)
		}
		return Objective{}, fmt.Errorf("unknown objective %q: the objectives are %s", name, strings.Join(names, ", "))
	}
	return objectives[i], nil
}

// figure is the figure of an epoch by which the best one has the lowest.
func (o Objective) figure(p experiment.CurvePoint) float64 {
	if o.selfCritical {
		return -p.Sampled.CIDErD
	}
	return o.Choose(p.Val)
}

// weight is the weight of a real token.
func (o Objective) weight(token int32, place int) float32 {
	if o.Weight == nil {
		return 1
	}
	return o.Weight(token, place)
}

// total is the weight of all real tokens of an example.
func (o Objective) total(p pair) float64 {
	if o.Weight == nil {
		return float64(p.steps())
	}
	sum := 0.0
	for t, id := range p.ids[1:] {
		sum += float64(o.Weight(id, t))
	}
	return sum
}
