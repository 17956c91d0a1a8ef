package score

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The lexer finds the longest token at each position of a line: a word, number, address, emoticon or mark. Its rules
// were inferred from the output of the reference tokenizer, treated as a black box, for some millions of lines;
// testdata/ptb_cases.json has a selection of them. Functions such as number and tag return the end of what begins at
// i, and i if there is nothing of the kind. Files: lexer_words.go, lexer_joined.go (words joined by marks),
// lexer_apostrophes.go, lexer_numbers.go, lexer_addresses.go (addresses, handles, tags), lexer_marks.go.

// noBreak replaces a space inside a token, as in "1 1/2".
const noBreak = "\u00a0"

// lexPTB splits a line into lower-case tokens. They may contain no-break spaces, in tags and telephone numbers.
func lexPTB(line string) []string {
	x := lexer{line: line, tokens: make([]string, 0, 1+len(line)/5)}
	for i := 0; i < len(line); {
		if end := x.plainWord(i); end > i {
			i = end
			continue
		}
		i = x.next(i)
	}
	return x.tokens
}

type lexer struct {
	line   string
	tokens []string
	// No mail address, list or comment begins before these positions: they were searched already. This keeps the time
	// linear in the length of the line.
	noMail, noList, noTag int
}

// plainWord takes a word of lower-case ASCII letters followed by a space, the most frequent token of captions.
func (x *lexer) plainWord(i int) int {
	end := i
	for end < len(x.line) && x.line[end] >= 'a' && x.line[end] <= 'z' {
		end++
	}
	if end == i || end < len(x.line) && x.line[end] != ' ' {
		return i
	}
	w := x.line[i:end]
	if len(w) < 5 || len(w) > 6 || split[w] == 0 {
		x.tokens = append(x.tokens, w)
		return end
	}
	x.word(w)
	return end
}

// emit appends a token in lower case, without soft hyphens. A token that is only soft hyphens becomes "-".
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
	if strings.IndexByte(token, 0xc2) >= 0 {
		if token = strings.ReplaceAll(token, string(softHyphen), ""); token == "" {
			token = "-"
		}
	}
	if token = lower(token); token != "\u2010" && token != "\u2011" {
		x.tokens = append(x.tokens, token)
	}
}

// next takes one token, or skips a character that belongs to none, and returns the position after it.
func (x *lexer) next(i int) int {
	switch c := x.line[i]; {
	case c == ' ' || c >= '\t' && c <= '\r':
		return i + 1
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		return x.fromLetter(i)
	case c >= '0' && c <= '9':
		return x.fromDigit(i)
	case c < utf8.RuneSelf:
		return x.fromMark(i)
	}
	r, size := utf8.DecodeRuneInString(x.line[i:])
	switch {
	case isLetter(r):
		return x.fromLetter(i)
	case unicode.IsDigit(r):
		return x.fromDigit(i)
	}
	return x.fromSymbol(i, r, size)
}

// at returns the byte at i, 0 after the end.
func (x *lexer) at(i int) byte {
	if i < len(x.line) {
		return x.line[i]
	}
	return 0
}

// isLetter reports whether r can be part of a word. Digits are not letters.
func isLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	return unicode.IsLetter(r) || r == softHyphen || r == '\u2010' || r == '\u2011' ||
		unicode.In(r, unicode.Mn, unicode.Mc)
}

const softHyphen = '\u00ad'

func isASCIIDigit(c byte) bool { return c >= '0' && c <= '9' }

func isASCIILetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// letters returns the end of the run of letters at i.
func (x *lexer) letters(i int) int {
	for i < len(x.line) {
		r, size := rune(x.line[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(x.line[i:])
		}
		if !isLetter(r) {
			break
		}
		i += size
	}
	return i
}

// digits returns the end of the run of digits at i.
func (x *lexer) digits(i int) int {
	for i < len(x.line) {
		r, size := rune(x.line[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(x.line[i:])
		}
		if !unicode.IsDigit(r) {
			break
		}
		i += size
	}
	return i
}

// run returns the end of the run of letters and digits at i.
func (x *lexer) run(i int) int {
	for {
		end := x.digits(x.letters(i))
		if end == i {
			return end
		}
		i = end
	}
}

// apostrophe returns the length in bytes of an apostrophe at i, in any form, 0 if there is none.
func (x *lexer) apostrophe(i int) int {
	switch rest := x.line[min(i, len(x.line)):]; {
	case strings.HasPrefix(rest, "'"):
		return 1
	case strings.HasPrefix(rest, "’"):
		return len("’")
	case strings.HasPrefix(rest, "&apos;"):
		return len("&apos;")
	}
	return 0
}
