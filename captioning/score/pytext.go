package score

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The reference implementations are Python programs. Python's str differs from Go in a few characters in what is white
// space, part of a word, and lower case; the functions in this file follow Python. (Python 3.11 uses Unicode 14, Go
// 1.26 a later version; characters added in between may differ.)

// isSpace is str.isspace, and \s of Python's regular expressions.
func isSpace(r rune) bool {
	if r < utf8.RuneSelf {
		return r == ' ' || r >= '\t' && r <= '\r' || r >= 0x1c && r <= 0x1f
	}
	return unicode.IsSpace(r)
}

// isWord is \w of Python's regular expressions: letters, every kind of number, and the underscore, without combining
// marks.
func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

// fields is str.split(): the non-empty pieces between white space.
func fields(s string) []string {
	count, inside := 0, false
	for _, r := range s {
		if isSpace(r) {
			inside = false
		} else if !inside {
			inside = true
			count++
		}
	}
	return appendFields(make([]string, 0, count), s)
}

// appendFields appends the fields of s to out.
func appendFields(out []string, s string) []string {
	start := -1
	for i, r := range s {
		switch space := isSpace(r); {
		case !space && start < 0:
			start = i
		case space && start >= 0:
			out = append(out, s[start:i])
			start = -1
		}
	}
	if start >= 0 {
		out = append(out, s[start:])
	}
	return out
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// lower is str.lower(). Unlike strings.ToLower, it writes the Turkish capital I with dot as two characters, and a
// capital sigma at the end of a word as a final sigma.
func lower(s string) string {
	if isASCII(s) || !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	runes := []rune(s)
	var out strings.Builder
	for i, r := range runes {
		switch {
		case r == 'İ':
			out.WriteString("i\u0307")
		case r == 'Σ' && casedNeighbour(runes, i, -1) && !casedNeighbour(runes, i, 1):
			out.WriteRune('ς')
		default:
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return out.String()
}

// casedNeighbour reports whether the next character from i, in the direction of step, has a case. It skips characters
// that occur inside words without being letters (The Unicode Standard, section 3.13, Final_Sigma).
func casedNeighbour(runes []rune, i, step int) bool {
	for i += step; i >= 0 && i < len(runes); i += step {
		r := runes[i]
		if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
			strings.ContainsRune("'.:·\u0387\u055f\u05f4‘’\u2024\u2027\ufe13\ufe52\ufe55＇．：", r) {
			continue
		}
		return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
	}
	return false
}
