package decoder

import (
	"fmt"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
)

// Ensemble joins several trained models into one that multiplies their probabilities of each word and takes the root:
// its logits are the means of theirs. The members must read the same features and write the same vocabulary; cells and
// sizes may differ. Their hidden states and embeddings stand side by side in those of the ensemble, whose weights are
// theirs, so that it generates and scores captions like any model. Training it would train all members together.
func Ensemble(models []Model, values []Values) (Model, Values, error) {
	if len(models) < 2 || len(models) != len(values) {
		return Model{}, nil, fmt.Errorf("decoder: an ensemble of %d models with %d sets of weights: it takes two or "+
			"more", len(models), len(values))
	}
	first := models[0]
	joint := Model{Vocabulary: first.Vocabulary, Features: first.Features, ImageFirst: first.ImageFirst}
	cell := &ensemble{seen: make([]int, len(models))}
	for i, m := range models {
		if err := m.CheckValues(values[i]); err != nil {
			return Model{}, nil, fmt.Errorf("member %d of the ensemble: %w", i+1, err)
		}
		if m.Vocabulary != first.Vocabulary || m.Features != first.Features || m.ImageFirst != first.ImageFirst {
			return Model{}, nil, fmt.Errorf("decoder: member %d of the ensemble has %d words and %d features, the "+
				"first one %d and %d: they must be equal, and so must the place at which the image enters", i+1,
				m.Vocabulary, m.Features, first.Vocabulary, first.Features)
		}
		if m.Looks() {
			if joint.Places > 0 && (m.Places != joint.Places || m.Channels != joint.Channels) {
				return Model{}, nil, fmt.Errorf("decoder: member %d of the ensemble looks at %d places with %d "+
					"channels, another one at %d with %d", i+1, m.Places, m.Channels, joint.Places, joint.Channels)
			}
			joint.Places, joint.Channels = m.Places, m.Channels
		}
		joint.Embedding, joint.Hidden = joint.Embedding+m.Embedding, joint.Hidden+m.Hidden
		cell.members = append(cell.members, m)
	}
	joint.Cell = cell
	if joint.Places > 0 {
		joint.Cell = lookingEnsemble{cell}
		if !slices.ContainsFunc(models, func(m Model) bool { return !m.Attends() }) {
			joint.Cell = attendingEnsemble{lookingEnsemble{cell}}
		}
	}
	return joint, cell.joined(joint, values), nil
}

// joined returns the weights of the joint model.
func (e *ensemble) joined(joint Model, values []Values) Values {
	out := Values{embeddingWeight: make([]float32, joint.Vocabulary*joint.Embedding),
		outputWeight: make([]float32, joint.Vocabulary*joint.Hidden), outputBias: make([]float32, joint.Vocabulary)}
	share := 1 / float32(len(e.members))
	inAll, hiddenAll := 0, 0
	for i, m := range e.members {
		v := values[i]
		output := v[outputWeight]
		if m.Tied {
			output = v[embeddingWeight]
		}
		for word := range m.Vocabulary {
			embedding := v[embeddingWeight][word*m.Embedding : (word+1)*m.Embedding]
			copy(out[embeddingWeight][word*joint.Embedding+inAll:], embedding)
			for j, x := range output[word*m.Hidden : (word+1)*m.Hidden] {
				out[outputWeight][word*joint.Hidden+hiddenAll+j] = x * share
			}
			out[outputBias][word] += v[outputBias][word] * share
		}
		out[imageWeight] = append(out[imageWeight], v[imageWeight]...)
		out[imageBias] = append(out[imageBias], v[imageBias]...)
		for _, w := range m.ownWeights() {
			out[cellPrefix+e.name(i, w.Name)] = v[cellPrefix+w.Name]
		}
		inAll, hiddenAll = inAll+m.Embedding, hiddenAll+m.Hidden
	}
	return out
}

// ensemble is the cell of an ensemble. Its states are those of the members side by side; one with fewer states than
// others has zeros in the rest.
type ensemble struct {
	members []Model
	seen    []int // the number of arrays that Look returns for each member; set by Look, which comes before each Step
}

// Name lists the members' cells.
func (e *ensemble) Name() string {
	name := "ensemble of"
	for _, m := range e.members {
		name += " " + m.Cell.Name()
	}
	return name
}

func (*ensemble) name(member int, weight string) string {
	return fmt.Sprintf("%d.%s", member+1, weight)
}

// Weights lists the arrays of all members, "2.score" being the array "score" of the second one.
func (e *ensemble) Weights(_, _ int) []Weight {
	var all []Weight
	for i, m := range e.members {
		for _, w := range m.Cell.Weights(m.Embedding, m.Hidden) {
			all = append(all, Weight{e.name(i, w.Name), w.Shape})
		}
	}
	return all
}

// own are the weights of a member by the names that it gave them.
func (e *ensemble) own(w Weights, member int) Weights {
	own := make(Weights)
	for _, spec := range e.members[member].ownWeights() {
		own[spec.Name] = w[e.name(member, spec.Name)]
	}
	return own
}

// NumStates returns the largest number among the members.
func (e *ensemble) NumStates() int {
	n := 0
	for _, m := range e.members {
		n = max(n, m.Cell.NumStates())
	}
	return n
}

// Start gives each member its part of the image embedding.
func (e *ensemble) Start(image *Node) []*Node {
	var states [][]*Node
	at := 0
	for _, m := range e.members {
		states = append(states, m.Cell.Start(SliceAxis(image, 1, AxisRange(at, at+m.Hidden))))
		at += m.Hidden
	}
	return e.joint(states)
}

// Step takes a step with every member.
func (e *ensemble) Step(w Weights, x *Node, state []*Node) []*Node {
	var states [][]*Node
	for i, m := range e.members {
		own, in, before := e.part(i, w, x, state)
		states = append(states, m.Cell.Step(own, in, before))
	}
	return e.joint(states)
}

// part returns what a member reads in a step: its weights, its part of the input, and its states with what it has seen.
func (e *ensemble) part(member int, w Weights, x *Node, state []*Node) (own Weights, in *Node, before []*Node) {
	inAt, hiddenAt, seenAt := 0, 0, e.NumStates()
	for i, m := range e.members[:member] {
		inAt, hiddenAt, seenAt = inAt+m.Embedding, hiddenAt+m.Hidden, seenAt+e.seen[i]
	}
	m := e.members[member]
	for _, s := range state[:m.Cell.NumStates()] {
		before = append(before, SliceAxis(s, 1, AxisRange(hiddenAt, hiddenAt+m.Hidden)))
	}
	before = append(before, state[seenAt:seenAt+e.seen[member]]...)
	return e.own(w, member), SliceAxis(x, 1, AxisRange(inAt, inAt+m.Embedding)), before
}

// joint puts the states of the members side by side.
func (e *ensemble) joint(states [][]*Node) []*Node {
	joint := make([]*Node, e.NumStates())
	for k := range joint {
		var parts []*Node
		for i, own := range states {
			if k < len(own) {
				parts = append(parts, own[k])
			} else {
				parts = append(parts, zeros(own[0].Graph(), own[0].Shape().Dim(0), e.members[i].Hidden))
			}
		}
		joint[k] = Concatenate(parts, 1)
	}
	return joint
}

// lookingEnsemble is an ensemble with a member that looks.
type lookingEnsemble struct{ *ensemble }

// LookWeights lists those of the members that look.
func (e lookingEnsemble) LookWeights(channels, _ int) []Weight {
	var all []Weight
	for i, m := range e.members {
		if looking, ok := asLooking(m.Cell); ok {
			for _, w := range looking.LookWeights(channels, m.Hidden) {
				all = append(all, Weight{e.name(i, w.Name), w.Shape})
			}
		}
	}
	return all
}

// Look returns what the members have seen, one after the other.
func (e lookingEnsemble) Look(w Weights, grid *Node) []*Node {
	var all []*Node
	for i, m := range e.members {
		if looking, ok := asLooking(m.Cell); ok {
			seen := looking.Look(e.own(w, i), grid)
			e.seen[i] = len(seen)
			all = append(all, seen...)
		}
	}
	return all
}

// attendingEnsemble is an ensemble whose members can all say where they look.
type attendingEnsemble struct{ lookingEnsemble }

// Attention returns the mean of the members' weights.
func (e attendingEnsemble) Attention(w Weights, x *Node, state []*Node) *Node {
	var sum *Node
	for i, m := range e.members {
		attending, _ := asAttending(m.Cell)
		own, in, before := e.part(i, w, x, state)
		weights := attending.Attention(own, in, before)
		if sum == nil {
			sum = weights
		} else {
			sum = Add(sum, weights)
		}
	}
	return Mul(sum, filled(sum.Graph(), 1/float32(len(e.members)), sum.Shape().Dimensions...))
}
