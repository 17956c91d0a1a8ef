package score

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The lexer finds out, at each place of a line, the longest piece that is one token: a word, a number, an address, a
// face, a mark. Which pieces there are was learnt by asking the reference, a black box, what it makes of some millions of
// lines; testdata/ptb_cases.json keeps a selection of questions and answers. Files: lexer_words.go (words, hyphens,
// abbreviations), lexer_apostrophes.go, lexer_numbers.go, lexer_marks.go.

// noBreak stands inside tokens that the reference joins over a space, as in "1 1/2".
const noBreak = "\u00a0"

// lexPTB cuts a line into lower-case tokens. Tokens may hold spaces (tags) and no-break spaces (telephone numbers).
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
	// Up to these places no mail address, list, comment begins: so much was looked at already. They keep the time for a
	// line in proportion to its length.
	noMail, noList, noTag int
}

// plainWord takes a word of lower-case letters between spaces, which is most of what captions hold.
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

// emit notes a token, in lower case and without soft hyphens; alone such a hyphen is a hyphen.
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

// next takes one token, or a character that is none, and returns where the line goes on.
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

// at is the byte at i, 0 behind the end.
func (x *lexer) at(i int) byte {
	if i < len(x.line) {
		return x.line[i]
	}
	return 0
}

// isLetter tells whether r can be inside a word, digits apart.
func isLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	return unicode.IsLetter(r) || r == softHyphen || r == '\u2010' || r == '\u2011' || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Mc, r)
}

const softHyphen = '\u00ad'

func isASCIIDigit(c byte) bool { return c >= '0' && c <= '9' }

func isASCIILetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// letters is the end of the run of letters that begins at i.
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

// digits is the end of the run of digits that begins at i.
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

// run is the end of the run of letters and digits that begins at i.
func (x *lexer) run(i int) int {
	for {
		end := x.digits(x.letters(i))
		if end == i {
			return end
		}
		i = end
	}
}

// apostrophe returns the length of an apostrophe at i, in whichever form, and 0 where there is none.
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
