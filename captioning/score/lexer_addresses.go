package score

import (
	"strings"
	"unicode/utf8"
)

// address returns the end of a web or mail address.
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

// noSpace returns the end of the run of characters that an address may contain: all but white space, control
// characters, double quotes, vertical bars and brackets other than [].
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

// mail returns the end of a mail address: "@" between almost any characters. It does not end with a full stop.
func (x *lexer) mail(i int) int {
	if i < x.noMail {
		return i
	}
	end := x.noSpace(i)
	at := i + strings.IndexByte(x.line[i:end], '@')
	if at <= i {
		x.noMail = end // no later start before end has an "@" either
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

// handle returns the end of "#topic", only letters, or "@name", also digits and underscores.
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

// tag returns the end of a tag in angle brackets, with attributes in quotes, of a comment or of an instruction.
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

// name returns the end of the name of a tag or attribute.
func (x *lexer) name(i int) int {
	if !isASCIILetter(x.at(i)) {
		return i
	}
	for c := x.at(i); isASCIILetter(c) || isASCIIDigit(c) || c != 0 && strings.IndexByte("_:.-", c) >= 0; c = x.at(i) {
		i++
	}
	return i
}
