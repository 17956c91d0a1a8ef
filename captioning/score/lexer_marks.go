package score

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// entities are what the names of characters become; "" is nothing.
var entities = []struct{ name, token string }{
	{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "''"}, {"&nbsp;", ""}, {"&apos;", "'"},
}

// brackets are names of brackets that are written out.
var brackets = map[string]bool{"-lrb-": true, "-rrb-": true, "-lcb-": true, "-rcb-": true, "-lsb-": true, "-rsb-": true}

// fromMark takes a token that begins with a mark of ASCII.
func (x *lexer) fromMark(i int) int {
	rest := x.line[i:]
	if end := x.face(i); end > i {
		x.emit(strings.NewReplacer("(", "-lrb-", ")", "-rrb-").Replace(x.line[i:end]))
		return end
	}
	switch c := rest[0]; c {
	case '\'':
		if strings.HasPrefix(rest, "''") {
			return x.mark("''", i+2)
		}
		return x.fromApostrophe(i, 1)
	case '"':
		return x.mark("''", i+1)
	case '`':
		return x.mark("`", i+1)
	case '(':
		if end := x.telephone(i); end > i {
			x.joined(i, end)
			return end
		}
		return x.mark("-lrb-", i+1)
	case ')':
		return x.mark("-rrb-", i+1)
	case '[':
		return x.mark("-lsb-", i+1)
	case ']':
		return x.mark("-rsb-", i+1)
	case '{':
		return x.mark("-lcb-", i+1)
	case '}':
		return x.mark("-rcb-", i+1)
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
		if n := x.apostrophe(i); n > 0 {
			return x.fromApostrophe(i, n)
		}
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
	case '!', '?':
		end := i
		for x.at(end) == '!' || x.at(end) == '?' {
			end++
		}
		return x.take(i, end)
	case '*', '_':
		return x.take(i, x.repeated(i))
	case '-':
		if len(rest) >= 5 && brackets[strings.ToLower(rest[:5])] {
			return x.take(i, i+5)
		}
		if strings.HasPrefix(rest, "--") {
			if end := x.repeated(i); end < i+5 {
				return x.mark("--", end)
			}
			return x.take(i, x.repeated(i))
		}
		if end := x.signed(i); end > i {
			return x.take(i, end)
		}
	case '+':
		if end := x.signed(i); end > i {
			return x.take(i, end)
		}
	case '.':
		if end := x.number(i); end > i {
			return x.take(i, end)
		}
		if strings.HasPrefix(rest, "...") {
			return x.mark("...", x.repeated(i))
		}
	case ',', ':':
		if end := x.number(i); end > i {
			return x.take(i, end)
		}
	case '#', '@':
		if end := x.handle(i); end > i {
			return x.take(i, end)
		}
		return x.take(i, x.repeated(i))
	}
	if rest[0] < ' ' || rest[0] == 0x7f {
		return i + 1
	}
	return x.take(i, i+1)
}

// mark emits a token for what ends at end.
func (x *lexer) mark(token string, end int) int {
	x.tokens = append(x.tokens, token)
	return end
}

// repeated is the end of a run of the character at i.
func (x *lexer) repeated(i int) int {
	end := i + 1
	for x.at(end) == x.line[i] {
		end++
	}
	return end
}

// signed is the end of a number with a sign.
func (x *lexer) signed(i int) int {
	if end := x.number(i + 1); end > i+1 {
		return end
	}
	return i
}

// tag is the end of a tag in angle brackets, with attributes in quotes, of a comment or of an instruction.
func (x *lexer) tag(i int) int {
	rest := x.line[i:]
	for _, special := range [][2]string{{"<!--", "-->"}, {"<?", "?>"}} {
		if strings.HasPrefix(rest, special[0]) && i >= x.noTag {
			if end := strings.Index(rest[len(special[0]):], special[1]); end >= 0 {
				return i + len(special[0]) + end + len(special[1])
			}
			x.noTag = len(x.line)
		}
	}
	end := i + 1
	if c := x.at(end); c == '/' || c == '!' {
		end++
	}
	next := x.name(end)
	if next == end {
		return i
	}
	if mail := x.mail(end); mail > next && x.at(mail) == '>' {
		return mail + 1
	}
	for end = next; ; {
		space := end
		for c := x.at(space); c == ' ' || c == '\t'; c = x.at(space) {
			space++
		}
		if x.at(space) == '/' {
			for space++; x.at(space) == ' '; {
				space++
			}
			if x.at(space) != '>' {
				return i
			}
		}
		if x.at(space) == '>' {
			return space + 1
		}
		next = x.name(space)
		if next == space || space == end {
			return i
		}
		if x.at(next) == '=' && (x.at(next+1) == '"' || x.at(next+1) == '\'') {
			quote := strings.IndexByte(x.line[next+2:], x.line[next+1])
			if quote < 0 {
				return i
			}
			next += 2 + quote + 1
		}
		end = next
	}
}

// name is the end of the name of a tag or attribute.
func (x *lexer) name(i int) int {
	if !isASCIILetter(x.at(i)) {
		return i
	}
	for c := x.at(i); isASCIILetter(c) || isASCIIDigit(c) || c != 0 && strings.IndexByte("_:.-", c) >= 0; c = x.at(i) {
		i++
	}
	return i
}

// handle is the end of "#topic", letters alone, or "@name", digits and underscores too.
func (x *lexer) handle(i int) int {
	end := i + 1
	isName := x.line[i] == '@'
	for c := x.at(end); isASCIILetter(c) || isName && (c == '_' || isASCIIDigit(c) && end > i+1); c = x.at(end) {
		end++
	}
	if end == i+1 {
		return i
	}
	return end
}

// face is the end of an emoticon, behind which no letter or digit may stand.
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

// address is the end of a web or mail address.
func (x *lexer) address(i int) int {
	rest := x.line[i:]
	low := strings.ToLower(rest[:min(8, len(rest))])
	if strings.HasPrefix(low, "http://") || strings.HasPrefix(low, "https://") || strings.HasPrefix(low, "www.") {
		end := x.noSpace(i)
		for end > i && strings.IndexByte(".,!?-", x.line[end-1]) >= 0 {
			end--
		}
		if end > i+len("https://") || low[0] == 'w' && end > i+len("www.") {
			return end
		}
	}
	return x.mail(i)
}

// noSpace is the end of what may be in an address: no white space, brackets or double quotes.
func (x *lexer) noSpace(i int) int {
	for i < len(x.line) {
		c, size := rune(x.line[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(x.line[i:])
		}
		if c < ' ' || isSpace(c) || c < utf8.RuneSelf && strings.IndexByte("\"<>|(){}", byte(c)) >= 0 {
			break
		}
		i += size
	}
	return i
}

// mail is the end of a mail address: "@" between characters of nearly any kind. A full stop does not end it.
func (x *lexer) mail(i int) int {
	if i < x.noMail {
		return i
	}
	end := x.noSpace(i)
	at := i + strings.IndexByte(x.line[i:end], '@')
	if at <= i {
		x.noMail = end // nor is there one from any place up to here
		return i
	}
	for x.line[end-1] == '.' {
		end--
	}
	if end <= at+1 {
		x.noMail = at + 1
		return i
	}
	return end
}

// symbols are what characters beyond ASCII become.
var symbols = map[rune]string{
	'…': "...", '–': "--", '—': "--", '“': "``", '”': "''", '‘': "`", '«': "``", '»': "''", '‹': "`", '›': "'",
	'€': "$", '£': "#", '¢': "cents", '¤': "$", '¼': "1/4", '½': "1/2", '¾': "3/4", '⅓': "1/3", '⅔': "2/3",
	'\u0085': "...", '\u0080': "$", '\u0091': "`", '\u0092': "'", '\u0093': "``", '\u0094': "''", '\u0096': "--", '\u0097': "--",
	'―': "--", '‒': "--",
}

// fromSymbol takes a character beyond ASCII that is no letter.
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
