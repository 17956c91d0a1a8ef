"""Writes treebank_goldens.json: the results of NLTK's word_tokenize(text, preserve_line=True) and of Python's
str.lower and str.split for hard cases, and SHA-256 hashes of their results for many lines built from fragments.

Run with NLTK 3.9.2 and Python 3.11:  python make_treebank_goldens.py [FLICKR8K_FOLDER] > treebank_goldens.json

With the folder that contains Flickr8k_text, it also writes the hash of the tokens of all captions, but no caption.
With --lines it prints the lines built from fragments and their tokens instead, to find the one that differs.
"""
import hashlib
import itertools
import json
import os
import platform
import sys

import nltk
from nltk.tokenize import word_tokenize

FUZZED, BLOCK = 60000, 1000


def hard_cases():
    yield from ["", " ", "\n", "\t \r\n", "a", ".", "..", "...", "....", "'", "''", "\"", "`", "``", "```", "-", "--",
                "---", ",", ":", ";", "?", "!", "*"]
    # Contractions, at the end, in the middle, before punctuation, in capitals.
    words = ["can't", "don't", "won't", "isn't", "ain't", "i'm", "you're", "we've", "they'll", "he'd", "it's", "dog's",
             "dogs'", "o'clock", "rock'n'roll",
             "rock 'n' roll", "y'all", "ma'am", "'cause", "'em", "'s", "s'", "n't", "'ll", "'re", "'ve", "'d", "'m",
             "'t", "cannot", "gimme", "gonna", "gotta",
             "lemme", "wanna", "d'ye", "more'n", "'tis", "'twas", "whaddya", "whatcha", "shouldn't've", "y'all'd've",
             "the '90s", "1990's", "'til", "fo'c'sle"]
    for w in words:
        yield w
        yield w.upper()
        yield w.capitalize()
        yield f"a {w} b"
        yield f"x {w}, y."
        yield f"({w})"
        yield f"\"{w}\" he said"
        yield f"say {w}."
    yield from ["cannot cannot", "cannotx", "xcannot", "can not", "CanNot", "cannot.", "cannot-do", "_cannot",
                "gonna gonna gotta", "wanna", "wanna ", "wanna.", "wanna wanna go",
                "wannabe", "d'yeah", "more'nx", "more'n's", "'tis 'twas", "'tisn't", "x'tis", " 'tis", "\"'tis",
                "'Tis the season", "' tis", "g\u0131mme", "G\u0130MME",
                "'t\u0131s", "'ti\u017f true", "'twa\u017f", "d'ye'll", "gimme's", "lemme'n", "gotta't"]
    # All kinds of quotes.
    for left, right in [("'", "'"), ("''", "''"), ("\"", "\""), ("`", "'"), ("``", "''"), ("\u2018", "\u2019"),
                        ("\u201c", "\u201d"), ("\u00ab", "\u00bb"),
                        ("\u201e", "\u201c"), ("\u2039", "\u203a"), ("\u300c", "\u300d"), ("\u2033", "\u2033"),
                        ("\uff02", "\uff02")]:
        for text in ["{l}stop{r}", "a {l}stop{r} sign", "a sign that says {l}stop.{r}", "({l}a{r})", "{l}a b{r}.",
                     "{l}{r}", "x{l}y{r}z", "{l} a {r}", "{l}a", "a{r}", "[{l}a{r}]",
                     "<{l}a{r}>", "{{{l}a{r}}}", "{l}{l}a{r}{r}", "{l}a{r},", "{l}don't{r}", "{l}a{r}s", "a.{r}",
                     "a.{r} ", "a.{r})"]:
            yield text.format(l=left, r=right)
    yield from ["'a' 'b' 'c'", "'a", "'ab", "'t", "'T", "'s", "'x'", "x'y", "''a", "'''a'''", "a'", "a' ", "a' b",
                "a'' b", "a''' b", "' '", "'' ''", "a ' b ' c", "' ' ' '",
                "a' ' b", "5'10\"", "6' tall", "6'2", "a 3\" pipe", "\"", "\"\"", "\"\"\"", " \"", "a\"", "a\"b",
                "\"a\"b\"c\"", "'\u017f", "'\u0130", "'\u00e9", "'\u00e9t\u00e9", "'1", "'12", "'_",
                "'a\u0301", "dog's's", "'d'", "n't n't", "N'T", "n'T", "'LL", "'Ll", "'rE"]
    # Periods, dashes, ellipses.
    yield from ["a.", "a. ", "a .", "a . ", "a.\n", "a. b.", "a.b.", "e.g. a dog", "u.s.", "u.s. ", "the u.s.a", "a..",
                "a...", "a....", "a .. b", "a ... b", "a...b", "wait... what", "...a",
                ". a", ".a", "a.)", "a.).", "a.\"", "a.'", "a.''", "a.\u2019", "a.\u201d", "a.\u00bb", "a.] } >",
                "a.\" )", "a.)\t", "a.) \u00a0", "a.]b", "Mr. Smith.", "3.14", "3.", ".5", "$3.88.",
                "a.\x0b", "a.\x1c", "\u3002", "a\u3002", "\u2026", "a\u2026b", "a\u2026", "a.!", "a!.", "a?.", "a.?",
                "a.*", "a.,", "a.:", "a.;", "a,.", "a, .", "a.\u201c", "\u201ca.\u201d", "a.-", "a.--",
                "a-b", "a--b", "a---b", "a----b", "a -- b", "a \u2013 b", "a\u2014b", "a \u2014 b", "-a", "a-", "--a",
                "a--", "well-to-do", "black-and-white", "- a - b", "\u2212", "a\u2011b"]
    # Commas, colons, numbers, money.
    yield from ["a,b", "a, b", "a,", ",a", ",,", ",,,", "a,,b", "1,000", "1,000,000", "1, 2", "1,a", "a,1", ",1", "1,",
                "3:30", "3:30pm", "a:b", ":a", "a:", "::", ":,", ",:", "a:1", "10:45:00",
                "1,\u0661", "a,\u0663", "a,\u00b2", "a:\u00bd", "a,\n", "a:\n", "a,\n\n", ",\n", "a,\t", "#1", "no. 1",
                "50%", "$5", "\u20ac5", "\u00a35.99", "5$", "a&b", "at&t", "a@b.c", "me@home.org", "#tag",
                "1/2", "1 1/2", "\u00bd", "x2", "2x4", "2nd", "1st.", "12'", "12\"", "+1", "-1", "1e5", "1_000", "a_b",
                "*", "**bold**", "a*b", "* a", "a;b", "a; b", ";", "&amp;", "&#39;", "x&y;z"]
    # Brackets and symbols, addresses.
    yield from ["(a)", "[a]", "{a}", "<a>", "((a))", "(a", "a)", "a(b)c", "()", "[]", "{}", "<>", "-LRB-",
                "-lrb- a -rrb-", "<unk>", "<start> a <end>", "a<b", "a>b", "a>=b", "<3", ":)", ":-)", ";)", "=)", ":(",
                "a/b", "a\\b", "\\", "/", "|", "~", "^", "^a^", "=", "+", "a+b", "http://example.org",
                "https://example.org/a?b=c&d=e#f", "www.example.org.", "ftp://x.y:21/", "a@b.org, c@d.org", "C:\\dir",
                "file.txt", "v1.2.3", "c++", "c#", "r&b", "?!", "!?", "what?!", "what??", "no!!!", "a?b", "a!b",
                "\u00bfque?", "\u00a1hola!"]
    # Outside ASCII.
    yield from ["caf\u00e9", "cafe\u0301", "na\u00efve", "\u00dcber", "\u0141\u00f3d\u017a", "\u4e00\u4e8c\u4e09",
                "\u4e00,\u4e8c", "\u65e5\u672c\u8a9e\u3002",
                "\u043f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440", "\u05e9\u05dc\u05d5\u05dd",
                "\u0645\u0631\u062d\u0628\u0627",
                "\U0001f600", "a\U0001f600b", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea",
                "e\u0301'e\u0301", "'\u4e00'", "\ufb01sh", "\u00df", "STRASSE \u1e9e", "\u212a", "\u212b", "\u01c5",
                "\u0130", "\u0130stanbul", "\u0131", "\u03a3", "\u039f\u0394\u039f\u03a3", "\u039f\u0394\u039f\u03a3.",
                "\u039f\u0394\u039f\u03a3'\u03b1", "\u03a3\u03a3 \u03a3", "\u0391\u03a3\u0301",
                "\u0391\u03a3\u0301\u0391", "a\u00b7\u03a3", "1\u03a3",
                "\u2460\u03a3", "\u1d2c\u03a3", "\u24b6\u03a3", "\u00aa\u03a3", "\u01c5\u03a3x", "a.\u03a3.b",
                "a\u200b\u03a3", "\ud7ff", "\ufffd", "\uffff", "\U0010ffff", "\ufeffa"]
    # Each white space and control character in each position.
    for c in itertools.chain(range(0x21), range(0x7f, 0xa1),
                             [0x1680, *range(0x2000, 0x2010), 0x2028, 0x2029, 0x202f, 0x205f, 0x2060, 0x3000, 0xfeff,
                              0xad, 0x180e]):
        yield f"a{chr(c)}b. it's{chr(c)}wanna{chr(c)}"
    for c in "\t\n\x0b\x0c\r\x1c\x1f\x85\u00a0\u2003\u2028\u3000":
        yield from [f"{c}a.{c}", f"a' {c}b", f"a'{c}b", f"dog's{c}", f"don't{c}{c}x", f"{c}'tis", f"a,{c}",
                    f"({c}\"a\")", f"{c}\"a\"", f"wanna{c}x", f"'x{c}"]


FRAGMENTS = [" ", " ", " ", " ", " ", "a", "dog", "man", "s", "S", "t", "x", "I", "The ", "'", "'", "''", "\"", "\"",
             "`", "``", "\u2018", "\u2019", "\u201c", "\u201d", "\u00ab", "\u00bb", "\u201e", ".", ".", "..", "...",
             ",", ",", ":", ";", "?", "!", "*", "-", "--", "---", "(", ")", "[", "]", "{", "}", "<", ">", "$", "#",
             "@", "%", "&", "/", "\\", "_", "1", "2,000", "3.5", "\u0663", "\u00bd", "n't", "N'T", "'s", "'S",
             "'ll", "'LL", "'Re", "'re", "'ve", "'d", "'m", "'M", "cannot", "can", "not", "Gonna", "gotta", "gimme",
             "lemme", "wanna", "wanna ", "d'ye", "more'n", "'tis", " 'tis", " 'Twas", "\u00e9", "e\u0301", "\u4e00",
             "\U0001f600", "\u0130", "\u0131", "\u017f", "\u03a3", "\u03c3", "\u00df", "\n", "\t", "\x0b", "\x1c",
             "\x85", "\u00a0", "\u2003", "\u2028", "\u200b", "\u3000", "\x00", "\x7f", "\u2026", "\u2014", "\ufffd"]


def build_lines(count):
    """Lines of 1 to 16 fragments, from a 32-bit linear congruential generator (constants of Numerical Recipes)."""
    x = 1

    def below(n):
        nonlocal x
        x = (1664525 * x + 1013904223) & 0xFFFFFFFF
        return (x >> 8) % n

    for _ in range(count):
        yield "".join(FRAGMENTS[below(len(FRAGMENTS))] for _ in range(1 + below(16)))


def treebank(text):
    return word_tokenize(text, preserve_line=True)


def digest(token_lists):
    h = hashlib.sha256()
    for tokens in token_lists:
        h.update((" ".join(tokens) + "\n").encode())
    return h.hexdigest()


def main(args):
    if args == ["--lines"]:
        for line in build_lines(FUZZED):
            print(json.dumps([line, treebank(line)]))
        return
    cases = dict.fromkeys(hard_cases())
    lines = list(build_lines(FUZZED))
    flickr = {}
    if args:
        with open(os.path.join(args[0], "Flickr8k_text", "Flickr8k.token.txt"), encoding="utf-8") as f:
            captions = [line.rstrip("\n").split("\t", 1)[1] for line in f]
        flickr = {"captions": len(captions), "sha256": digest(treebank(c.lower()) for c in captions),
                  "whitespace_sha256": digest(c.lower().split() for c in captions)}
    print("{" + f'"made_with": "NLTK {nltk.__version__}, Python {platform.python_version()}",')
    print(f'"flickr8k": {json.dumps(flickr)},')
    print(f'"fragments": {json.dumps(FRAGMENTS)},\n"block": {BLOCK},')
    blocks = [lines[i:i + BLOCK] for i in range(0, FUZZED, BLOCK)]
    print('"fuzzed": ' + json.dumps([digest(map(treebank, b))[:16] for b in blocks]) + ",")
    print('"fuzzed_lower": ' + json.dumps([digest(treebank(t.lower()) for t in b)[:16] for b in blocks]) + ",")
    print('"cases": [')
    rows = [{"text": c, "tokens": treebank(c), "lower": c.lower(), "fields": c.split()} for c in cases]
    print(",\n".join(json.dumps(row) for row in rows))
    print("]}")


main(sys.argv[1:])
