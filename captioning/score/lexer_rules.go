package score

import (
	"maps"
	"slices"
	"strings"
)

// A rule is the pattern of a token, perhaps with the text that must follow it, and what to do with it. The rule with
// the longest match counts, the last of those with the same.
//
// One character stands for all of a kind (see kinds): é for letters outside ASCII, \x{301} for those that are letters
// only in plain words, ٠ for digits, © for symbols, \x{2000} for spaces, \x{2028} for separators of lines, \x{0} for
// characters that belong to no token, and \n for the end of the line.
type rule struct {
	pattern string
	do      action
}

// An action emits tokens from the line between i and end, and returns where the next token begins.
type action func(x *lexer, i, end int) int

const (
	letter = `(?:[A-Za-zé\x{AD}\x{301}]|` +
		`&[aeiouAEIOU](?:[aA][cC][uU][tT][eE]|[gG][rR][aA][vV][eE]|[uU][mM][lL]);)`
	noAddress = `\n\f\t "<>|()`
)

// parts are the names, in braces, of patterns in the rules.
var parts = strings.NewReplacer(
	"{d}", `[0-9٠]`,
	"{n}", `[A-Za-z0-9\x{AD}]`,
	"{t}", `[A-Za-z0-9é٠]`, // of words and numbers that marks may join
	"{a}", `[A-Za-z]`,
	"{w}", letter,
	"{word}", letter+`(?:`+letter+`|[0-9٠])*`,
	"{'}", `(?:['’\x{92}]|{apos})`,
	"{quote}", "(?:['’\\x{92}‘\\x{91}\u201b`]|{apos})",
	"{apos}", `&[aA][pP][oO][sSſ];`,
	"{curly}", `(?:[’\x{92}]|{apos})`,
	"{clitic}", `(?:[sSdDmM]|`+anyCase("ll|re|ve")+`)`,
	"{eye}", `[-'<>=^~]`,
	"{amp}", `&(?:[aA][mM][pP];)?`,
	"{blank}", `[\n\t \x{A0}]`,
	"{space}", `[\n\t\f \x{2000}\x{2028}\x{A0}\x{85}]`,
	"{stop}", `[,;:、]`, // after a full stop that belongs to a token
	"{url}", `[^`+noAddress+`{}]`,
	"{path}", `[^`+noAddress+`]`,
	"{urlend}", `[^`+noAddress+`{}.,!?-]`,
	"{mail}", `[^`+noAddress+`{}\x{A0}]`,
	"{domain}", `[^`+noAddress+`{}\x{A0}.]`,
	"{www}", `[^`+noAddress+`{}.,!?]`,
	"{host}", "[^"+noAddress+"{}!$'`,-_]",
	"{name}", `[A-Za-z][A-Za-z0-9_:.-]*`,
	"{tag}", `(?:<[!?][A-Za-z-][^>\n]*>|</{name} *>|`+
		`<{name}(?: +{name}(?: *= *(?:"[^"]*"|'[^']*'))?)* */? *>)`,
	"{gap}", `[ \x{A0}-]`,
	"{point}", `[.,:\x{66B}]`,
	"{list}", `[A-Za-z0-9](?:{n}|[.,])*(?:-(?:{n}+|(?:{a}\.){2,}))+`,
	"{dotted}", `{word}(?:[.!?]{word})+`,
	"{part}", `[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}`, // of words with slashes
	"{company}", `[A-Z]+(?:(?:{amp}|\+)[A-Z]+)+`,
	"{chain}", `(?:[dDoOlL]{quote}{t}{t}+|{t}+)(?:[-_‐](?:[dDoOlL]{quote}{t}{t}+|{t}+))*`,
)

// expand replaces the names of parts, also in parts.
func expand(pattern string) string {
	for strings.Contains(pattern, "{") {
		next := parts.Replace(pattern)
		if next == pattern {
			break
		}
		pattern = next
	}
	return strings.ReplaceAll(pattern, "é", "é"+strings.Join(slices.Sorted(maps.Values(otherCases)), ""))
}

var wordRules = []rule{
	{`{word}`, word},
	{`{chain}`, word},
	{`[oO]{quote}[oO]`, word},
	{`{list}`, word},
	{`(?:` + places + `)\.(?s:.{1,2})`, toStop},
	{anyCase(`ph\.d\.`) + `(?s:.{1,2})`, cut(len("ph.d."))},
	{`{dotted}`, word},
	{`{part}(?:\\?/{part}){1,2}`, word},
	{anyCase("anti|pro") + "-", word},
	{anyCase("cannot"), cut(3)},
	{anyCase("gonna|gotta|lemme|gimme|wanna"), cutLast(2)},
	{`[A-Za-z\x{AD}]*[A-MO-Za-mo-z\x{AD}][nN]{quote}[tT]`, before("nN")},
	{`[nN]{quote}[tT]`, clitic},
	{`'{clitic}[^A-Za-z]`, short(clitic)},
	{`{curly}{clitic}`, clitic},
	{`{'}[nN]{'}`, word},
	{`'[nN]{blank}`, short(word)},
	{`{curly}[nN]`, word},
	{`{'}` + anyCase("em|till?|cause"), word},
	{`'[tT]` + anyCase("is|was"), cut(2)},
	{`{'}[2-9]0[sSſ]`, word},
	{`{'}[0-9][0-9]{space}`, short(take)},
	{`[dDjJlL]{'}`, word},
	{`[yY]{'}[A-Za-zé]`, short(word)},
	{anyCase("ol|dunkin|somethin") + `{'}`, word},
	{anyCase("c'mon|cap{'}n|li'l|c{'}est|nat'l|e'er|ev'ry|s'mores"), word},
	{`[A-HJ-XZn]{quote}[A-Za-zé]{2,}`, word},
	{`[A-Za-zé]+[aeiouyAEIOUY]{quote}[aeiouA-Z][A-Za-zé]*`, word},
	{`(?:{word}|{dotted}){'}{clitic}`, beforeApostrophe},
	{`(?:{word}|{chain}|{dotted}|{list}|{company})\.{stop}`, short(company)},
	{`{company}`, company},
	{`[A-Z]+\$`, word},
	{`[cC](?:#|\+\+)|[fF]#`, word},
}

var stopRules = []rule{
	{`(?:{a}\.)+`, take},
	{`{a}\.{space}+(?:{tag}|` + beginnings + `){space}`, cut(1)},
	{`(?:` + titles + `)\.`, take},
	{numbered + `\.{space}?{d}`, stopped},
}

var numberRules = []rule{
	{`[-+\x{AD}]?{d}*{point}?{d}+(?:{point}{d}+)*`, word},
	{`[²³¹⁰⁴-⁹]+|[₀-₉]+`, take},
	{`(?:{d}{1,4}{gap})?{d}{1,4}(?:\\?/|⁄){d}{1,4}`, unbroken},
	{`(?:\([0-9]{2,3}\)[ \x{A0}]?|\+{0,2}[0-9]{2,4}{gap}(?:[0-9]{2,4}{gap})?)` +
		`[0-9]{3,4}{gap}?[0-9]{3,5}`, unbroken},
	{`{d}{1,2}[-/]{d}{1,2}[-/]{d}{2,4}`, take},
	{`{d}+\.{stop}`, short(take)},
}

var hostRules = []rule{
	{`(?:[wW][wW][wW]\.(?:{www}+\.)+{a}{2,4}|(?:{host}+\.)+` +
		anyCase("com|net|org|edu") + `)(?:/{path}+{urlend})?`, take},
	{`(?:(?:{w}|{d})+\.)+` + extensions + `(?:{space}|[.,!?])`, short(take)},
}

var addressRules = []rule{
	{`[hH][tT][tT][pP][sSſ]?://{url}+{urlend}`, take},
	{`(?:<|&[lL][tT];)?[A-Za-z0-9]{mail}*@(?:{domain}+\.)*{domain}+(?:>|&[gG][tT];)?`, take},
	{`#{w}+`, take},
	{`@[A-Za-z_][A-Za-z0-9_]*`, take},
	{`{tag}`, tag},
}

var markRules = []rule{
	{`(?s:.)`, take},
	{`[\n\f\x{2028}\x{0}‐\x{66B}]|[\t \x{2000}\x{A0}]+`, drop},
	{`\x{AD}+`, as("-")},
	{`&[aA][mM][pP];`, as("&")},
	{`&[lL][tT];`, as("<")},
	{`&[gG][tT];`, as(">")},
	{`&[qQ][uU][oO][tT];`, take},
	{`&quot;`, as("''")},
	{`&[nN][bB][sSſ][pP];`, drop},
	{`&#[0-9]+;`, take},
	{`&` + anyCase("ht|tl|ur|lr|qc|ql|qr|odq|cdq") + `;`, take},
	{`&(?:[mM][dD]|[mMnN][dD][aA][sS][hH]);`, as("--")},
	{`-[lrLR][rcsRCSſ][bB]-`, take},
	{`\(`, as("-lrb-")}, {`\)`, as("-rrb-")}, {`\[`, as("-lsb-")}, {`\]`, as("-rsb-")},
	{`\{`, as("-lcb-")}, {`\}`, as("-rcb-")},
	{`{'}`, clitic},
	{"[`‘’‚‛“”„‟«»‹›\u0091\u0092\u0093\u0094]{1,2}", quotes},
	{`"`, as("''")}, {"''", as("''")},
	{`…|\x{85}|\.\.\.+|\.(?:[ \x{A0}]\.){2,}`, as("...")},
	{`–|---?-?`, as("--")},
	{`-----+`, take},
	{`[!?]+`, take}, {`\*+|(?:\\\*)+|#+|@+|_+|<<|>>`, take},
	{`¢`, as("cents")}, {`£`, as("#")}, {`[\x{80}¤€₠]`, as("$")},
	{`¼`, as("1/4")}, {`½`, as("1/2")}, {`¾`, as("3/4")}, {`⅓`, as("1/3")}, {`⅔`, as("2/3")},
	{`{eye}_{eye}|\({eye}[_.]?{eye}\)|\(['<>=^~]-['\x{60}<>=^~]\)`, unbroken},
	{`[<>]?[:;=][-o*']?[()DPpdO[\]|\\{@][^A-Za-z0-9]`, short(unbroken)},
}
