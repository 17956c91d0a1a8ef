package score

// kinds maps each kind of characters to the one that stands for them in the rules.
var kinds = []struct {
	like   rune
	ranges []uint16
}{
	{0, []uint16{0, 8, 0x0e, 0x1f, 0x7f, 0xffff}},
	{'é', letters},
	{'\u0301', marks},
	{'٠', digits},
	{'©', symbols},
	{'\u2000', spaces},
	{'\n', []uint16{'\r', '\r'}},
	{'\u2028', []uint16{'\v', '\v', 0x2029, 0x2029}},
	{' ', []uint16{'\n', '\n'}}, // as ptbtokenizer.py replaces it
	{'‐', []uint16{0x58a, 0x58a, 0x2011, 0x2011}},
	{'–', []uint16{0x96, 0x97, 0x2014, 0x2015}},
	{'\u066b', []uint16{0x66c, 0x66c}},
}

// named are the characters outside ASCII that the rules name, apart from those that stand for a kind.
const named = "ıİſ\u212a²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉" +
	"\u0080\u0085\u0091\u0092\u0093\u0094\u00a0¢£¤«\u00ad»¼½¾⁄€₠⅓⅔、…‘’\u201a\u201b“”„‟‹›"
