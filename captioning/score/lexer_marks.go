package score

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// entities map names of characters to tokens; "" drops the character.
var entities = []struct{ name, token string }{
	{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "''"}, {"&nbsp;", ""}, {"&apos;", "'"},
}

// brackets are names of brackets that a text contains already.
var brackets = map[string]bool{"-lrb-": true, "-rrb-": true, "-lcb-": true, "-rcb-": true, "-lsb-": true, "-rsb-": true}

// plainMarks are marks that become one token, whatever follows.
var plainMarks = [utf8.RuneSelf]string{
	'"': "''", '`': "`", ')': "-rrb-", '[': "-lsb-", ']': "-rsb-", '{': "-lcb-", '}': "-rcb-",
}

// fromMark takes a token that begins with an ASCII mark.
func (x *lexer) fromMark(i int) int {
	if end := x.face(i); end > i {
		x.emit(strings.NewReplacer("(", "-lrb-", ")", "-rrb-").Replace(x.line[i:end]))
		return end
	}
	c := x.line[i]
	if token := plainMarks[c]; token != "" {
		return x.mark(token, i+1)
	}
	if end := x.longMark(i, c); end > i {
		return end
	}
	if c < ' ' || c == 0x7f {
		return i + 1
	}
	return x.take(i, i+1)
}

// longMark takes a token that begins with the mark c and whose length depends on what follows. It returns i if there
// is none.
func (x *lexer) longMark(i int, c byte) int {
	rest := x.line[i:]
	switch c {
	case '\'':
		if strings.HasPrefix(rest, "''") {
			return x.mark("''", i+2)
		}
		return x.fromApostrophe(i, 1)
	case '(':
		if end := x.telephone(i); end > i {
			x.joined(i, end)
			return end
		}
		return x.mark("-lrb-", i+1)
	case '<':
		if end := x.tag(i); end > i {
			x.emit(strings.Join(strings.Fields(x.line[i:end]), noBreak))
			return end
		}
		if strings.HasPrefix(rest, "<<") {
			return x.mark("<<", i+2)
		}
	case '>':
		if strings.HasPrefix(rest, ">>") {
			return x.mark(">>", i+2)
		}
	case '&':
		return x.fromAmpersand(i)
	case '!', '?':
		end := i
		for x.at(end) == '!' || x.at(end) == '?' {
			end++
		}
		return x.take(i, end)
	case '*', '_':
		return x.take(i, x.repeated(i))
	case '#', '@':
		if end := x.handle(i); end > i {
			return x.take(i, end)
		}
		return x.take(i, x.repeated(i))
	case '-', '+', '.', ',', ':':
		return x.fromNumberMark(i, c)
	}
	return i
}

// fromAmpersand takes a character written as an entity, as in "&amp;" and "&#39;". It returns i if there is none.
func (x *lexer) fromAmpersand(i int) int {
	if n := x.apostrophe(i); n > 0 {
		return x.fromApostrophe(i, n)
	}
	rest := x.line[i:]
	for _, e := range entities {
		if len(rest) >= len(e.name) && strings.EqualFold(rest[:len(e.name)], e.name) {
			if e.token != "" {
				x.emit(e.token)
			}
			return i + len(e.name)
		}
	}
	if len(rest) > 3 && rest[1] == '#' {
		if end := x.digits(i + 2); end > i+2 && x.at(end) == ';' {
			return x.take(i, end+1)
		}
	}
	return i
}

// fromNumberMark takes a number that begins with the mark c, or a run of hyphens or full stops. It returns i if there
// is neither.
func (x *lexer) fromNumberMark(i int, c byte) int {
	rest := x.line[i:]
	if c == '-' {
		if len(rest) >= 5 && brackets[strings.ToLower(rest[:5])] {
			return x.take(i, i+5)
		}
		if strings.HasPrefix(rest, "--") {
			if end := x.repeated(i); end < i+5 {
				return x.mark("--", end)
			}
			return x.take(i, x.repeated(i))
		}
	}
	number := x.number
	if c == '-' || c == '+' {
		number = x.signed
	}
	if end := number(i); end > i {
		return x.take(i, end)
	}
	if strings.HasPrefix(rest, "...") {
		return x.mark("...", x.repeated(i))
	}
	return i
}

// mark emits a token and returns end.
func (x *lexer) mark(token string, end int) int {
	x.tokens = append(x.tokens, token)
	return end
}

// repeated returns the end of the run of the character at i.
func (x *lexer) repeated(i int) int {
	end := i + 1
	for x.at(end) == x.line[i] {
		end++
	}
	return end
}

// signed returns the end of a number with a sign.
func (x *lexer) signed(i int) int {
	if end := x.number(i + 1); end > i+1 {
		return end
	}
	return i
}

// face returns the end of an emoticon. No letter or digit may follow one, except the first three.
func (x *lexer) face(i int) int {
	for _, face := range []string{"^_^", "-_-", ">_<"} {
		if strings.HasPrefix(x.line[i:], face) {
			return i + len(face)
		}
	}
	end := i
	if c := x.at(end); c == '<' || c == '>' {
		end++
	}
	if c := x.at(end); c != ':' && c != ';' && c != '=' {
		return i
	}
	end++
	if c := x.at(end); c == '-' || c == 'o' || c == '*' || c == '\'' {
		end++
	}
	if c := x.at(end); c == 0 || strings.IndexByte("()DPpdO[]|\\{@", c) < 0 {
		return i
	}
	end++
	if x.run(end) > end {
		return i
	}
	return end
}

// symbols map characters outside ASCII to tokens.
var symbols = map[rune]string{
	'…': "...", '–': "--", '—': "--", '“': "``", '”': "''", '‘': "`", '«': "``", '»': "''", '‹': "`", '›': "'",
	'€': "$", '£': "#", '¢': "cents", '¤': "$", '¼': "1/4", '½': "1/2", '¾': "3/4", '⅓': "1/3", '⅔': "2/3",
	'\u0085': "...", '\u0080': "$", '\u0091': "`", '\u0092': "'", '\u0093': "``", '\u0094': "''",
	'\u0096': "--", '\u0097': "--",
	'―': "--", '‒': "--",
}

// fromSymbol takes a character outside ASCII that is not a letter.
func (x *lexer) fromSymbol(i int, r rune, size int) int {
	if r == '’' {
		return x.fromApostrophe(i, size)
	}
	if token, ok := symbols[r]; ok {
		return x.mark(token, i+size)
	}
	if r > 0xffff || r == utf8.RuneError || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
		return i + size
	}
	return x.take(i, i+size)
}
