package score

import (
	"strings"
	"unicode/utf8"
)

func drop(_ *lexer, _, end int) int { return end }

func take(x *lexer, i, end int) int {
	x.emit(x.line[i:end])
	return end
}

// word takes a token without its soft hyphens. If it has nothing else, it becomes "-".
func word(x *lexer, i, end int) int {
	token := strings.ReplaceAll(x.line[i:end], softHyphen, "")
	if token == "" {
		token = "-"
	}
	x.emit(token)
	return end
}

// as emits a token whatever the text is.
func as(token string) action {
	return func(x *lexer, _, end int) int {
		x.tokens = append(x.tokens, token)
		return end
	}
}

// cut takes the first n bytes; another token follows.
func cut(n int) action {
	return func(x *lexer, i, _ int) int { return word(x, i, i+n) }
}

// cutLast takes all but the last n bytes; another token follows.
func cutLast(n int) action {
	return func(x *lexer, i, end int) int { return word(x, i, end-n) }
}

// short does the action without the last character of the match. It may be the end of the line.
func short(do action) action {
	return func(x *lexer, i, end int) int {
		if end > len(x.line) {
			return do(x, i, len(x.line))
		}
		_, size := utf8.DecodeLastRuneInString(x.line[i:end])
		return do(x, i, end-size)
	}
}

// before takes the text before the last of any of the characters.
func before(chars string) action {
	return func(x *lexer, i, end int) int {
		return word(x, i, i+strings.LastIndexAny(x.line[i:end], chars))
	}
}

// stopped takes the text up to the last full stop.
func stopped(x *lexer, i, end int) int {
	return take(x, i, i+1+strings.LastIndexByte(x.line[i:min(end, len(x.line))], '.'))
}

// toStop takes the text up to the first full stop.
func toStop(x *lexer, i, _ int) int {
	return take(x, i, i+1+strings.IndexByte(x.line[i:], '.'))
}

// oneQuote writes every form of an apostrophe alike.
var oneQuote = strings.NewReplacer("’", "'", "\u0092", "'", "&apos;", "'", "‘", "`", "\u0091", "`", "\u201b", "`")

func clitic(x *lexer, i, end int) int {
	x.emit(oneQuote.Replace(x.line[i:end]))
	return end
}

// quotes writes quotation marks in ASCII.
func quotes(x *lexer, i, end int) int {
	x.emit(plainQuotes.Replace(x.line[i:end]))
	return end
}

var plainQuotes = strings.NewReplacer("‘", "`", "\u0091", "`", "\u201b", "`", "‹", "`",
	"’", "'", "\u0092", "'", "›", "'", "“", "``", "\u0093", "``", "«", "``", "”", "''", "\u0094", "''", "»", "''")

// unbroken makes one token of a text with spaces and brackets.
func unbroken(x *lexer, i, end int) int {
	x.emit(strings.NewReplacer(" ", noBreak, "(", "-lrb-", ")", "-rrb-").Replace(x.line[i:end]))
	return end
}

// tag makes one token of a text with spaces.
func tag(x *lexer, i, end int) int {
	x.emit(strings.ReplaceAll(x.line[i:end], " ", noBreak))
	return end
}

// company writes "&amp;" as "&".
func company(x *lexer, i, end int) int {
	x.emit(ampersand.Replace(strings.ReplaceAll(x.line[i:end], softHyphen, "")))
	return end
}

var ampersand = strings.NewReplacer("&amp;", "&", "&AMP;", "&")

// beforeApostrophe takes the text before the last apostrophe.
func beforeApostrophe(x *lexer, i, end int) int {
	at := strings.LastIndexAny(x.line[i:end], "'’\u0092")
	if at < 0 {
		at = strings.LastIndexByte(x.line[i:end], '&') // "&apos;"
	}
	return word(x, i, i+at)
}
