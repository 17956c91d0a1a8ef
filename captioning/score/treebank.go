package score

import (
	"regexp"
	"strings"
	"unicode"
)

// space is white space as Python's regular expressions know it.
const space = `[\s\v\x{1c}-\x{1f}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]`

type rewrite struct {
	pattern *regexp.Regexp
	with    string
}

func rewrites(pairs ...string) []rewrite {
	var out []rewrite
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, rewrite{regexp.MustCompile(pairs[i]), pairs[i+1]})
	}
	return out
}

// The steps of NLTK's tokenizer in its order: each surrounds what it finds with spaces. Two of them look ahead, which Go's
// expressions cannot, and are written out below.
var (
	openingQuotes = rewrites("([«“‘„]|`+)", " ${1} ", `^"`, "``", "(``)", " ${1} ", `([ (\[{<])("|'')`, "${1} `` ")
	punctuation   = rewrites(
		`([^.])(\.)([\])}>"'»”’ ]*)`+space+`*$`, "${1} ${2} ${3} ",
		`([:,])([^\p{Nd}])`, " ${1} ${2}",
		`([:,])(\n?)$`, " ${1} ${2}",
		`(\.{2,})`, " ${1} ",
		`([;@#$%&])`, " ${1} ",
		`([^.])(\.)([\])}>"']*)`+space+`*$`, "${1} ${2}${3} ",
		`([?!])`, " ${1} ",
		`([^'])' `, "${1} ' ",
		`(\*)`, " ${1} ",
		`([\]\[(){}<>])`, " ${1} ",
		`--`, " -- ",
	)
	closingQuotes = rewrites(
		`([»”’])`, " ${1} ", `''`, " '' ", `"`, " '' ", space+`+`, " ",
		`([^' ])('[sS]|'[mM]|'[dD]|') `, "${1} ${2} ",
		`([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) `, "${1} ${2} ",
	)
)

// joined are words that are two tokens: the first so many letters, and the rest.
var joined = []struct {
	word       string
	first      int
	spaceAfter bool // white space must follow
}{
	{"cannot", 3, false}, {"d'ye", 1, false}, {"gimme", 3, false}, {"gonna", 3, false}, {"gotta", 3, false}, {"lemme", 3, false},
	{"more'n", 4, false}, {"wanna", 3, true},
}

// Treebank returns the tokens of text, taken as one sentence, that NLTK 3.9's word_tokenize(text, preserve_line=True) returns.
// It does not lower-case; Tokenizer("treebank") does.
//
// Reference: nltk/tokenize/destructive.py, after Robert MacIntyre's sed script for the Penn Treebank.
func Treebank(text string) []string {
	text = apply(text, openingQuotes)
	text = separateQuotedLetter(text)
	text = apply(text, punctuation)
	text = apply(" "+text+" ", closingQuotes)
	for _, j := range joined {
		text = splitWord(text, j.word, j.first, j.spaceAfter)
	}
	for _, word := range []string{"'tis", "'twas"} {
		text = splitAfterSpace(text, word)
	}
	return strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || (r >= 0x1c && r <= 0x1f) })
}

func apply(text string, steps []rewrite) string {
	for _, s := range steps {
		text = s.pattern.ReplaceAllString(text, s.with)
	}
	return text
}

// isWord is Python's \w.
func isWord(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r)
}

// separateQuotedLetter puts a space between an apostrophe and a single letter behind it, unless that is a clitic.
func separateQuotedLetter(text string) string {
	runes := []rune(text)
	var out strings.Builder
	for i, r := range runes {
		out.WriteRune(r)
		if r == '\'' && i+1 < len(runes) && isWord(runes[i+1]) && !strings.ContainsRune("mtsdnMTSDN", runes[i+1]) &&
			(i+2 == len(runes) || !isWord(runes[i+2])) {
			out.WriteByte(' ')
		}
	}
	return out.String()
}

// splitWord puts spaces around and inside every occurrence of word, whatever its case, that is a whole word.
func splitWord(text, word string, first int, spaceAfter bool) string {
	runes, pattern := []rune(text), []rune(word)
	var out strings.Builder
	for i := 0; i < len(runes); i++ {
		end := i + len(pattern)
		if end <= len(runes) && strings.EqualFold(string(runes[i:end]), word) && (i == 0 || !isWord(runes[i-1])) &&
			(end == len(runes) && !spaceAfter || end < len(runes) && !isWord(runes[end]) && (!spaceAfter || unicode.IsSpace(runes[end]))) {
			out.WriteString(" " + string(runes[i:i+first]) + " " + string(runes[i+first:end]) + " ")
			i = end - 1
			continue
		}
		out.WriteRune(runes[i])
	}
	return out.String()
}

// splitAfterSpace splits 'tis and 'twas behind their first two characters where a space comes before.
func splitAfterSpace(text, word string) string {
	runes := []rune(text)
	var out strings.Builder
	for i := 0; i < len(runes); i++ {
		end := i + 1 + len(word)
		if runes[i] == ' ' && end <= len(runes) && strings.EqualFold(string(runes[i+1:end]), word) && (end == len(runes) || !isWord(runes[end])) {
			out.WriteString(" " + string(runes[i+1:i+3]) + " " + string(runes[i+3:end]) + " ")
			i = end - 1
			continue
		}
		out.WriteRune(runes[i])
	}
	return out.String()
}
