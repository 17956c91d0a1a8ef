package meteor

import "strings"

// Punctuation marks that stand for others.
var sameQuote = map[rune]rune{'‘': '\'', '’': '\'', '`': '\'', '“': '"', '”': '"'}

// ellipsisDot stands for a dot of an ellipsis while a text is taken apart, so that no rule for dots applies to it. It
// is a private-use character.
const ellipsisDot = '\ue0e1'

// isLetter reports whether the rules treat r as a letter: Latin letters up to Latin Extended-A, and Cyrillic ones.
func isLetter(r rune) bool {
	switch {
	case r < 0x80:
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	case r < 0x180:
		return r >= 0xc0 && r != 0xd7 && r != 0xf7 && r != 0x17f
	}
	return 0x400 <= r && r <= 0x527 || 0x1d00 <= r && r <= 0x1d7f || 0xa640 <= r && r <= 0xa66e ||
		0xa67e <= r && r <= 0xa697
}

func isDigit(r rune) bool        { return '0' <= r && r <= '9' }
func isAlphanumeric(r rune) bool { return isLetter(r) || isDigit(r) }

// isBreak reports whether words end at r while a text is taken apart.
func isBreak(r rune) bool { return r == ' ' || '\t' <= r && r <= '\r' && r != '\v' }

// isSpace reports whether words end at r in the end. Before, a space beyond ASCII is a word of its own.
func isSpace(r rune) bool {
	return isBreak(r) || r == 0xa0 || 0x2000 <= r && r <= 0x200a || r == 0x202f || r == 0x205f || r == 0x3000
}

// isSymbol reports whether r always is a word of its own.
func isSymbol(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\r', '\f', '\v', '.', '\'', ',', '-':
		return false
	}
	return !isAlphanumeric(r)
}

// normalize takes a text apart into lower-case words, as option -norm does: it splits off punctuation (but neither
// decimal points nor commas in numbers), splits at hyphens and before apostrophes, and joins abbreviations ("u.s." is
// "us"). prefix says of a word before a dot whether the dot belongs to it.
func normalize(text string, prefix func(word string) prefixKind) []string {
	if isPlain(text) {
		return strings.Fields(text)
	}
	if words, ok := oneByOne(text, prefix); ok {
		return words
	}
	return wholeText(text, prefix)
}

// oneByOne normalizes the words of a text on their own, if they are such that no rule looks beyond a word: the words
// next to one with apostrophes or hyphens have none, and there are no other marks. This is faster than wholeText.
func oneByOne(text string, prefix func(word string) prefixKind) (words []string, ok bool) {
	wasPlain := true
	for word := range strings.SplitSeq(text, " ") {
		if word == "" {
			continue
		}
		plain := isPlain(word)
		switch {
		case plain:
			words = append(words, word)
		case wasPlain && isPlain(withoutMarks.Replace(word)):
			words = append(words, wholeText(word, prefix)...)
		default:
			return nil, false
		}
		wasPlain = plain
	}
	return words, true
}

// withoutMarks removes the marks that oneByOne can treat.
var withoutMarks = strings.NewReplacer("'", "", "-", "")

// wholeText normalizes any text.
func wholeText(text string, prefix func(word string) prefixKind) []string {
	words := abbreviations(strings.FieldsFunc(string(punctuation(text)), isBreak), prefix)
	if len(words) == 0 {
		return nil
	}
	joined := strings.TrimFunc(strings.Join(words, " "), func(r rune) bool { return r <= ' ' })
	joined = strings.ToLower(strings.ReplaceAll(joined, "İ", "i\u0307"))
	return strings.FieldsFunc(strings.ReplaceAll(joined, string(ellipsisDot), "."), isSpace)
}

// isPlain reports whether text is made of lower-case letters of ASCII, digits and spaces; no rule applies to it.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && c != ' ' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// punctuation puts spaces around punctuation. The order of the rules matters, also within the groups: each rule goes
// through the text once and does not look again at what it has just used.
func punctuation(text string) []rune {
	s := []rune{' '}
	for _, r := range text {
		if same, ok := sameQuote[r]; ok {
			r = same
		}
		s = append(s, r)
	}
	s = pairs(append(s, ' '), '\'', '"')
	var out []rune
	for i := 0; i < len(s); i++ {
		switch r := s[i]; {
		case r == '–':
			out = append(out, ' ', '-', ' ')
		case r == '.' && i+1 < len(s) && s[i+1] == '.':
			out = append(out, ' ')
			for ; i < len(s) && s[i] == '.'; i++ {
				out = append(out, ellipsisDot)
			}
			out = append(out, ' ')
			i--
		case isSymbol(r):
			out = append(out, ' ', r, ' ')
		default:
			out = append(out, r)
		}
	}
	for _, rule := range commaRules {
		out = rule.apply(out)
	}
	out = pairs(out, '-', '-')
	for _, rule := range laterRules {
		out = rule.apply(out)
	}
	return out
}

// pairs replaces two marks in a row by one other.
func pairs(s []rune, mark, by rune) []rune {
	out := s[:0]
	for i := 0; i < len(s); i++ {
		if s[i] == mark && i+1 < len(s) && s[i+1] == mark {
			out = append(out, by)
			i++
		} else {
			out = append(out, s[i])
		}
	}
	return out
}

// rule replaces mark, between two characters of certain kinds, by other text.
type rule struct {
	before func(r rune) bool
	mark   rune
	after  func(r rune) bool
	by     string
}

func not(is func(rune) bool) func(rune) bool { return func(r rune) bool { return !is(r) } }

var commaRules = []rule{
	{not(isDigit), ',', not(isDigit), " , "},
	{isDigit, ',', not(isDigit), " , "},
	{not(isDigit), ',', isDigit, " , "},
}

var laterRules = []rule{
	{not(isLetter), '\'', not(isLetter), " ' "},
	{not(isAlphanumeric), '\'', isLetter, " ' "},
	{isLetter, '\'', not(isLetter), " ' "},
	{isLetter, '\'', isLetter, " '"},
	{isDigit, '\'', func(r rune) bool { return r == 's' }, " '"},
	{func(r rune) bool { return isAlphanumeric(r) || r == '.' }, '-', isAlphanumeric, " "},
}

func (u rule) apply(s []rune) []rune {
	out := make([]rune, 0, len(s)+8)
	for i := 0; i < len(s); i++ {
		if i+2 < len(s) && s[i+1] == u.mark && u.before(s[i]) && u.after(s[i+2]) {
			out = append(append(append(out, s[i]), []rune(u.by)...), s[i+2])
			i += 2
		} else {
			out = append(out, s[i])
		}
	}
	return out
}

// abbreviations treats dots at the ends of words.
func abbreviations(words []string, prefix func(word string) prefixKind) []string {
	var out []string
	for i, word := range words {
		stem, found := strings.CutSuffix(word, ".")
		if !found || stem == "" {
			out = append(out, word)
			continue
		}
		next := byte(0)
		if i+1 < len(words) {
			next = words[i+1][0]
		}
		kind := prefix(stem)
		switch {
		case strings.Contains(stem, ".") && strings.ContainsFunc(stem, isLetter):
			out = append(out, strings.ReplaceAll(word, ".", ""))
		case kind == anyPrefix, 'a' <= next && next <= 'z', kind == numberPrefix && '0' <= next && next <= '9':
			out = append(out, word)
		default:
			out = append(out, stem, ".")
		}
	}
	return out
}
