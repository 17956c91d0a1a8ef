package score

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lowerToken is Java's String.toLowerCase. It differs from Python's (see lower) in where it sees the end of a word,
// and so a final sigma.
func lowerToken(token string) string {
	if !strings.ContainsAny(token, "İΣ") {
		return strings.ToLower(token)
	}
	var out strings.Builder
	for i, r := range token {
		switch {
		case r == 'İ':
			out.WriteString("i\u0307")
		case r == 'Σ' && casedBefore(token, i) && !casedAfter(token, i+len("Σ")):
			out.WriteRune('ς')
		default:
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return out.String()
}

func casedBefore(token string, i int) bool {
	last := 'Σ'
	for i > 0 {
		r, size := utf8.DecodeLastRuneInString(token[:i])
		i -= size
		before, _ := utf8.DecodeLastRuneInString(token[:i])
		if !insideWord(before, r, last) {
			return false
		}
		if isCased(r) {
			return true
		}
		last = r
	}
	return false
}

func casedAfter(token string, i int) bool {
	last := 'Σ'
	for i < len(token) {
		r, size := utf8.DecodeRuneInString(token[i:])
		i += size
		after, _ := utf8.DecodeRuneInString(token[i:])
		if !insideWord(last, r, after) {
			return false
		}
		if isCased(r) {
			return true
		}
		last = r
	}
	return false
}

// insideWord reports whether Java sees no end of a word at r, between two other characters.
func insideWord(before, r, after rune) bool {
	switch {
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
		return false
	case unicode.In(r, unicode.L, unicode.N, unicode.Mn, unicode.Mc, unicode.Me, unicode.Cf):
		return true
	case strings.ContainsRune("\"'-._‐–", r) && isLetterOrMark(before) && isLetterOrMark(after):
		return true
	}
	return strings.ContainsRune("',.\u066b", r) && unicode.IsNumber(before) && unicode.IsNumber(after)
}

func isLetterOrMark(r rune) bool { return unicode.In(r, unicode.L, unicode.M) }

func isCased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}
