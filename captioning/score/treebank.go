package score

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// step is one of the substitutions of NLTK's tokenizer. Most captions contain nothing that a given step looks for, so
// a step is skipped if the text has no character of its trigger.
type step struct {
	trigger charset
	do      func(text string) string
}

// steps are in NLTK's order. Each puts spaces around what it finds.
var steps = []step{
	// Opening quotes.
	{characters("`«"), replace("[«“‘„]|`+", " ${0} ")},
	{characters(`"`), replace(`^"`, "``")},
	{characters("`\""), replace("``", " `` ")},
	{characters(`"'`), replace(`([ (\[{<])("|'')`, "${1} `` ")},
	{characters("'"), separateQuotedLetter},
	// Punctuation.
	{characters("."), func(text string) string { return finalPeriod(text, "])}>\"'»”’ ", " ") }},
	{characters(":,"), replace(`([:,])(\P{Nd})`, " ${1} ${2}")},
	{characters(":,"), replace(`([:,])(\n?)$`, " ${1} ${2}")},
	{characters("."), replace(`\.{2,}`, " ${0} ")},
	{characters(";@#$%&"), replace(`[;@#$%&]`, " ${0} ")},
	{characters("."), func(text string) string { return finalPeriod(text, "])}>\"'", "") }},
	{characters("?!"), replace(`[?!]`, " ${0} ")},
	{characters("'"), replace(`([^'])' `, "${1} ' ")},
	{characters("*"), replace(`\*`, " ${0} ")},
	{characters("[](){}<>"), replace(`[\]\[(){}<>]`, " ${0} ")},
	{characters("-"), replace(`--`, " ${0} ")},
	// Closing quotes, and clitics.
	{characters("«"), replace(`[»”’]`, " ${0} ")},
	{characters("'"), replace(`''`, " ${0} ")},
	{characters(`"`), replace(`"`, " '' ")},
	{characters("'"), func(text string) string { return " " + strings.Join(fields(text), " ") + " " }},
	{characters("'"), replace(`([^' ])('[sS]|'[mM]|'[dD]|') `, "${1} ${2} ")},
	{characters("'"), replace(`([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) `, "${1} ${2} ")},
	{characters("cdglmwCDGLMW"), splitJoined},
	{characters("'"), func(text string) string { return splitAfterSpace(text, "'tis") }},
	{characters("'"), func(text string) string { return splitAfterSpace(text, "'twas") }},
}

func replace(pattern, with string) func(string) string {
	expression := regexp.MustCompile(pattern)
	return func(text string) string { return expression.ReplaceAllString(text, with) }
}

// Treebank returns the tokens of NLTK 3.9.2's word_tokenize(text, preserve_line=True), which treats text as one
// sentence. It does not convert to lower case; Tokenizer("treebank") does. Tokens never contain white space.
//
// Reference: nltk/tokenize/destructive.py, after Robert MacIntyre's sed script for the Penn Treebank.
func Treebank(text string) []string {
	present := characters(text)
	for _, s := range steps {
		if present.intersects(s.trigger) {
			text = s.do(text)
		}
	}
	return fields(text)
}

// charset is the set of ASCII characters of a text, and whether it has any others.
type charset struct {
	ascii [2]uint64
	other bool
}

func characters(text string) (c charset) {
	for i := range len(text) {
		if b := text[i]; b < utf8.RuneSelf {
			c.ascii[b>>6] |= 1 << (b & 63)
		} else {
			c.other = true
		}
	}
	return c
}

func (c charset) intersects(d charset) bool {
	return c.ascii[0]&d.ascii[0] != 0 || c.ascii[1]&d.ascii[1] != 0 || c.other && d.other
}

// separateQuotedLetter puts a space between an apostrophe and a single letter after it, unless that is a clitic:
// NLTK's (?i)(\')(?!re|ve|ll|m|t|s|d|n)(\w)\b.
func separateQuotedLetter(text string) string {
	runes := []rune(text)
	var out strings.Builder
	for i, r := range runes {
		out.WriteRune(r)
		if r == '\'' && i+1 < len(runes) && isWord(runes[i+1]) && !strings.ContainsRune("mtsdnMTSDNſ", runes[i+1]) &&
			(i+2 == len(runes) || !isWord(runes[i+2])) {
			out.WriteByte(' ')
		}
	}
	return out.String()
}

// finalPeriod separates the last period from the text before it, if only closers and white space follow and no period
// precedes it directly: NLTK's ([^\.])(\.)([closers]*)\s*$. It inserts between before the closers.
func finalPeriod(text, closers, between string) string {
	period := strings.LastIndexByte(text, '.')
	if period < 1 || text[period-1] == '.' {
		return text
	}
	rest := text[period+1:]
	after := strings.TrimLeft(rest, closers)
	if strings.TrimLeftFunc(after, isSpace) != "" {
		return text
	}
	return text[:period] + " ." + between + rest[:len(rest)-len(after)] + " "
}

// joined are words that are two tokens; second is where the second one begins.
var joined = []struct {
	word       string
	second     int
	spaceAfter bool // white space must follow
}{
	{"cannot", 3, false}, {"d'ye", 1, false}, {"gimme", 3, false}, {"gonna", 3, false}, {"gotta", 3, false},
	{"lemme", 3, false}, {"more'n", 4, false}, {"wanna", 3, true},
}

// splitJoined puts spaces around and inside each of the joined words that is a whole word, in any case. (NLTK makes
// one pass per word. Only whole words count, so a single pass finds the same.)
func splitJoined(text string) string {
	var out strings.Builder
	done, inWord := 0, false
	for i, r := range text {
		if i < done {
			continue
		}
		first := !inWord
		inWord = isWord(r)
		if !first || !inWord {
			continue
		}
		for _, j := range joined {
			n := prefixLen(text[i:], j.word)
			if n == 0 {
				continue
			}
			next, size := utf8.DecodeRuneInString(text[i+n:])
			if size > 0 && (isWord(next) || j.spaceAfter && !isSpace(next)) {
				continue
			}
			second := i + prefixLen(text[i:], j.word[:j.second])
			out.WriteString(text[done:i] + " " + text[i:second] + " " + text[second:i+n] + " ")
			done = i + n
			break
		}
	}
	return out.String() + text[done:]
}

// splitAfterSpace splits 'tis and 'twas after their first two characters if a space precedes them.
func splitAfterSpace(text, word string) string {
	var out strings.Builder
	done := 0
	for i := 0; i < len(text); i++ {
		if text[i] != ' ' {
			continue
		}
		n := prefixLen(text[i+1:], word)
		if n == 0 {
			continue
		}
		if next, size := utf8.DecodeRuneInString(text[i+1+n:]); size > 0 && isWord(next) {
			continue
		}
		out.WriteString(text[done:i] + " " + text[i+1:i+3] + " " + text[i+3:i+1+n] + " ")
		done = i + 1 + n
		i = done - 1
	}
	return out.String() + text[done:]
}

// prefixLen returns the number of bytes at the beginning of text that equal word in any case, 0 if text begins
// otherwise. As in Python, dotless and dotted i equal i, and the long s equals s.
func prefixLen(text, word string) int {
	at := 0
	for i := range len(word) {
		r, size := utf8.DecodeRuneInString(text[at:])
		switch w := rune(word[i]); {
		case r == w, r == w-'a'+'A' && w >= 'a':
		case w == 'i' && (r == 'İ' || r == 'ı'), w == 's' && r == 'ſ':
		default:
			return 0
		}
		at += size
	}
	return at
}
