package score

import (
	"regexp/syntax"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"unicode"
)

// An automaton finds the longest match of any of several regular expressions. Its states are sets of positions in
// the expressions. They are made when a text first needs them; the automaton may be used concurrently.
type automaton struct {
	positions []position
	bounds    []rune // the characters from one bound to the next are alike; the first bound is 0
	ascii     [128]uint16
	start     *state

	mu     sync.Mutex // for states and numbers; the transitions are atomic
	states map[string]*state
	number uint32
}

// position is an instruction of a compiled expression. Its Out and Arg count from the first instruction of all.
type position struct {
	syntax.Inst
	rule int
}

type state struct {
	number uint32
	rule   int // the last expression that ends here, -1 if none does
	set    []uint32
	next   []atomic.Pointer[state] // by class of character; nil if not made yet
}

// dead is the state from which nothing matches.
var dead = &state{rule: -1}

// newAutomaton compiles the expressions. An earlier one counts only where no later one matches the same text.
func newAutomaton(patterns []string) *automaton {
	a := &automaton{states: make(map[string]*state)}
	var first []uint32
	for rule, pattern := range patterns {
		parsed, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			panic("score: " + err.Error())
		}
		prog, err := syntax.Compile(parsed.Simplify())
		if err != nil {
			panic("score: " + err.Error())
		}
		base := uint32(len(a.positions))
		first = append(first, base+uint32(prog.Start))
		for _, in := range prog.Inst {
			in.Out += base
			if in.Op == syntax.InstAlt {
				in.Arg += base
			}
			a.positions = append(a.positions, position{in, rule})
		}
	}
	a.divide()
	a.start = a.stateOf(first)
	return a
}

// divide sets the classes of characters: the intervals between the characters that occur in the expressions.
func (a *automaton) divide() {
	bounds := []rune{0}
	for _, p := range a.positions {
		switch p.Op {
		case syntax.InstRune, syntax.InstRune1:
			for i := 0; i < len(p.Rune); i += 2 {
				bounds = append(bounds, p.Rune[i], p.Rune[min(i+1, len(p.Rune)-1)]+1)
			}
			if len(p.Rune) == 1 && syntax.Flags(p.Arg)&syntax.FoldCase != 0 {
				for c := unicode.SimpleFold(p.Rune[0]); c != p.Rune[0]; c = unicode.SimpleFold(c) {
					bounds = append(bounds, c, c+1)
				}
			}
		case syntax.InstRuneAnyNotNL:
			bounds = append(bounds, '\n', '\n'+1)
		}
	}
	slices.Sort(bounds)
	a.bounds = slices.Compact(bounds)
	for c := range a.ascii {
		a.ascii[c] = a.search(rune(c))
	}
}

func (a *automaton) search(r rune) uint16 {
	return uint16(sort.Search(len(a.bounds), func(i int) bool { return a.bounds[i] > r }) - 1)
}

// class returns the number of r's class.
func (a *automaton) class(r rune) uint16 {
	if r < 128 {
		return a.ascii[r]
	}
	return a.search(r)
}

// stateOf returns the state of the given positions and those that they lead to without a character.
func (a *automaton) stateOf(from []uint32) *state {
	seen := make(map[uint32]bool)
	rule := -1
	var set []uint32
	for len(from) > 0 {
		p := from[len(from)-1]
		from = from[:len(from)-1]
		if seen[p] {
			continue
		}
		seen[p] = true
		switch in := a.positions[p]; in.Op {
		case syntax.InstAlt:
			from = append(from, in.Out, in.Arg)
		case syntax.InstNop, syntax.InstCapture:
			from = append(from, in.Out)
		case syntax.InstMatch:
			rule = max(rule, in.rule)
			set = append(set, p)
		case syntax.InstFail:
		default:
			set = append(set, p)
		}
	}
	if len(set) == 0 {
		return dead
	}
	slices.Sort(set)
	key := make([]byte, 0, 3*len(set))
	for _, p := range set {
		key = append(key, byte(p), byte(p>>8), byte(p>>16))
	}
	if s := a.states[string(key)]; s != nil {
		return s
	}
	a.number++
	s := &state{number: a.number, rule: rule, set: set, next: make([]atomic.Pointer[state], len(a.bounds))}
	a.states[string(key)] = s
	return s
}

// step returns the state after s and a character of the class.
func (a *automaton) step(s *state, class uint16) *state {
	if s == dead {
		return dead
	}
	if next := s.next[class].Load(); next != nil {
		return next
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.bounds[class]
	var to []uint32
	for _, p := range s.set {
		if in := &a.positions[p]; in.Op != syntax.InstMatch && in.MatchRune(r) {
			to = append(to, in.Out)
		}
	}
	next := a.stateOf(to)
	s.next[class].Store(next)
	return next
}
