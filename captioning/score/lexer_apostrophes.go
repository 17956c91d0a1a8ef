package score

import (
	"slices"
	"strings"
)

// joinedWords are words with an apostrophe that are one token. Here the apostrophe is always '.
var joinedWords = set("c'mon cap'n li'l c'est qu'il e'er")

// openWords include an apostrophe at the end, whatever follows.
var openWords = set("y j")

// endWords do so if no letter follows.
var endWords = set("ol dunkin somethin d l")

// afterApostrophe are tokens that begin with an apostrophe.
var (
	clitics   = []string{"ll", "re", "ve", "s", "m", "d"}         // if no letter follows
	clippings = []string{"cause", "till", "til", "em", "n'", "n"} // whatever follows
)

// withApostrophe takes the word from i to letters if the apostrophe of n bytes after it is part of a token with it.
// Else it returns i.
func (x *lexer) withApostrophe(i, letters, n int) int {
	after := letters + n
	w := x.line[i:letters]
	low := strings.ToLower(w)
	end := x.letters(after)
	rest := x.line[after:end]
	restLow := strings.ToLower(rest)
	if joinedWords[low+"'"+restLow] {
		return x.take(i, end)
	}
	if restLow == "" {
		if endWords[low] || openWords[low] {
			return x.take(i, after)
		}
		return i
	}
	if slices.Contains(clitics, restLow) {
		return i
	}
	if low == "n" && restLow == "t" { // "n't" after the word that it was split from
		x.emit("n't")
		return end
	}
	if strings.HasPrefix(restLow, "t") && strings.HasSuffix(low, "n") && len(low) > 1 {
		return i
	}
	switch {
	case joins(w, low, rest):
		return x.takeChain(i, end)
	case openWords[low]:
		return x.take(i, after)
	}
	return i
}

func (x *lexer) take(i, end int) int {
	x.emit(x.line[i:end])
	return end
}

// tailApostrophe returns the end of a chain of words, i to end, whose last word continues after an apostrophe, as in
// "five-o'clock". It returns end if it does not.
func (x *lexer) tailApostrophe(i, end int) int {
	n := x.apostrophe(end)
	last := strings.LastIndexByte(x.line[i:end], '-') + 1 + i
	if n == 0 || last == i || x.letters(last) != end {
		return end
	}
	after := end + n
	low, next := strings.ToLower(x.line[last:end]), x.letters(after)
	rest := x.line[after:next]
	if slices.Contains(clitics, strings.ToLower(rest)) || !joins(x.line[last:end], low, rest) {
		return end
	}
	return next
}

// joins reports whether w, an apostrophe and rest are one word. low is w in lower case.
func joins(w, low, rest string) bool {
	switch {
	case rest == "":
		return false
	case len(w) == 1:
		return strings.Contains("dlnoABCDEFGHJKLMNOPQRSTUVWXZ", w) && len(rest) >= 2
	}
	return strings.IndexByte("aeiouy", low[len(low)-1]) >= 0 &&
		strings.IndexByte("aeiouABCDEFGHIJKLMNOPQRSTUVWXYZ", rest[0]) >= 0
}

// takeChain takes a word that ends at end, and the words that hyphens join to it.
func (x *lexer) takeChain(i, end int) int {
	for x.at(end) == '-' && x.run(end+1) > end+1 {
		end = x.run(end + 1)
	}
	return x.take(i, end)
}

// fromApostrophe takes a token that begins with an apostrophe of n bytes.
func (x *lexer) fromApostrophe(i, n int) int {
	after := i + n
	rest := x.line[after:]
	end := x.letters(after)
	low := strings.ToLower(x.line[after:end])
	for _, c := range clitics {
		if low == c {
			x.emit("'" + c)
			return end
		}
	}
	if isASCIIDigit(x.at(after)) && isASCIIDigit(x.at(after+1)) {
		switch {
		case x.at(after+1) == '0' && x.at(after+2) == 's' && x.run(after) == after+3:
			return x.take(i, after+3)
		case x.at(after+2) == ' ' || x.at(after+2) == 0:
			return x.take(i, after+2)
		}
	}
	for _, c := range clippings {
		if len(rest) >= len(c) && strings.EqualFold(rest[:len(c)], c) {
			if next := x.at(after + 1); c == "n" && next != ' ' && next != '\t' && next != 0 {
				break
			}
			return x.take(i, after+len(c))
		}
	}
	if (low == "tis" || low == "twas") && x.run(after) == end {
		x.emit("'t")
		x.emit(low[1:])
		return end
	}
	x.emit("'")
	return after
}
