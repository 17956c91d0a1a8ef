package score

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// noBreak replaces a space inside a token, as in "1 1/2".
const noBreak = "\u00a0"

const softHyphen = "\u00ad"

// split splits a line into lower-case tokens, which are valid until the next call. They may contain no-break spaces, in
// tags and telephone numbers. After is the beginning of what follows the line and its end; a few rules look at it.
func (x *lexer) split(line, after string) []string {
	x.grammar, x.line, x.text, x.tokens, x.failed = ptbGrammar(), line, line, x.tokens[:0], nil
	if after != "" {
		x.text = line + "\n" + after
	}
	for i := 0; i < len(line); {
		if end := x.plain(i); end > i {
			i = end
			continue
		}
		i = x.next(i)
	}
	return x.tokens
}

// lexer splits one line after another.
type lexer struct {
	*grammar
	line   string
	text   string // the line, or the line and what follows it
	tokens []string
	// A visit is a state at a position of the line. From those that failed, no token ends later. Every 64th position
	// is noted, which keeps the time linear in the length of the line.
	visits []visit
	failed map[visit]bool
}

type visit struct {
	state uint32
	at    int
}

// next takes the longest token at i.
func (x *lexer) next(i int) int {
	s := x.start
	end, rule := i, -1
	x.visits = x.visits[:0]
	for at := i; at <= len(x.text) && s != dead; {
		class, size := x.newline, 1 // as if the text went on after its end
		if at < len(x.text) {
			r := rune(x.text[at])
			if r >= utf8.RuneSelf {
				r, size = utf8.DecodeRuneInString(x.text[at:])
			}
			class = x.none
			if r <= 0xffff {
				class = x.classes[r]
			}
			if r > 0xffff { // two characters in Java
				if s = x.step(s, class); s.rule >= 0 {
					end, rule = at+size, s.rule
				}
			}
		}
		s = x.step(s, class)
		at += size
		if s.rule >= 0 {
			end, rule = at, s.rule
			x.visits = x.visits[:0]
		} else if at%64 == 0 {
			v := visit{s.number, at}
			if x.failed[v] {
				break
			}
			x.visits = append(x.visits, v)
		}
	}
	if len(x.visits) > 0 && x.failed == nil {
		x.failed = make(map[visit]bool)
	}
	for _, v := range x.visits {
		x.failed[v] = true
	}
	return x.actions[rule](x, i, end)
}

// plain takes a word of ASCII letters or a comma before a space, or the last full stop: most tokens of captions. It
// returns i if there is none.
func (x *lexer) plain(i int) int {
	end := i
	for end < len(x.line) && (x.line[end] >= 'a' && x.line[end] <= 'z' || x.line[end] >= 'A' && x.line[end] <= 'Z') {
		end++
	}
	if end == i && (x.line[i] == ',' || x.line[i] == '.' && i+1 == len(x.line)) {
		end++
	}
	if end == i || end < len(x.line) && x.line[end] != ' ' {
		return i
	}
	if w := x.line[i:end]; len(w) < 5 || len(w) > 6 || !split[strings.ToLower(w)] {
		x.emit(w)
		return end
	}
	return i
}

var split = map[string]bool{"cannot": true, "gonna": true, "gotta": true, "lemme": true, "gimme": true, "wanna": true}

// emit appends a token in lower case.
func (x *lexer) emit(token string) {
	plain := true
	for i := range len(token) {
		if c := token[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' {
			plain = false
			break
		}
	}
	if plain {
		x.tokens = append(x.tokens, token)
		return
	}
	x.tokens = append(x.tokens, lowerToken(token))
}

type grammar struct {
	*automaton
	actions       []action
	classes       [1 << 16]uint16
	newline, none uint16
}

var ptbGrammar = sync.OnceValue(func() *grammar {
	g := new(grammar)
	var patterns []string
	for _, rules := range [][]rule{markRules, hostRules, wordRules, stopRules, numberRules, addressRules} {
		for _, r := range rules {
			patterns = append(patterns, expand(r.pattern))
			g.actions = append(g.actions, r.do)
		}
	}
	g.automaton = newAutomaton(patterns)
	for i := range g.classes {
		g.classes[i] = g.class(rune(i))
	}
	for _, k := range kinds {
		defer func() { g.classes[k.like] = g.class(k.like) }()
		for i := 0; i < len(k.ranges); i += 2 {
			for r := int(k.ranges[i]); r <= int(k.ranges[i+1]); r++ {
				g.classes[r] = g.class(k.like)
			}
		}
	}
	for _, r := range named {
		g.classes[r] = g.class(r)
	}
	g.newline, g.none = g.class('\n'), g.class(0)
	return g
})
