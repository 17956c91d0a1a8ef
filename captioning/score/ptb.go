package score

import (
	"strings"
	"unicode/utf8"
)

// isDropped reports whether ptbtokenizer.py of coco-caption removes a token. Its list has the brackets in capitals, but
// the tokens are in lower case, so brackets stay.
func isDropped(token string) bool {
	switch token {
	case "''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";":
		return true
	}
	return false
}

// PTB returns the words that coco-caption scores: the tokens of Stanford CoreNLP 3.4.1's PTBTokenizer with
// -preserveLines -lowerCase, without the punctuation that ptbtokenizer.py drops, split on white space. It agrees with
// the reference on every caption of Flickr8k, and on 1.8 million made-up lines: every character of Unicode in six
// places, and every kind of token next to every other one (testdata/diff_ptb_lines.py).
//
// The reference tokenizes many captions at once, and two of its rules look at the word after a full stop at the end of
// a caption: "B." is "b" if the next caption begins with "The dog", and "no." stays "no." if it begins with a number.
// PTB answers as if the caption were the last one, PTBBefore for a caption that others follow. Scores follow the
// reference: after a caption comes that of the next image, after a reference the next one of the same image or the
// first one of the next image.
//
// The reference keeps some texts with a space as one token, with a no-break space inside: "1 1/2" and telephone
// numbers. Its BLEU and CIDEr split them, as PTB does; its ROUGE-L does not, and Coco follows it.
func PTB(caption string) []string { return PTBBefore(caption, "") }

// PTBBefore returns the tokens of a caption that others follow, one on each line of after. It reads after up to the
// first line with a word, and only if EndsInStop(caption).
func PTBBefore(caption, after string) []string { return takeApart(ptbWhole(caption, after)) }

// EndsInStop reports whether a caption ends with a full stop, so that its tokens may depend on the next caption.
func EndsInStop(caption string) bool {
	return strings.HasSuffix(strings.TrimRightFunc(caption, isSpace), ".")
}

// ptbWhole is PTBBefore before tokens are split at no-break spaces.
func ptbWhole(caption, after string) []string {
	x := lexer{tokens: make([]string, 0, 1+len(caption)/5)}
	return x.whole(caption, after)
}

// whole is ptbWhole. The tokens are valid until the next call.
func (x *lexer) whole(caption, after string) []string {
	if after != "" && !EndsInStop(caption) {
		after = ""
	}
	tokens := x.split(caption, after)
	if last := len(tokens) - 1; last >= 0 {
		tokens[last] = strings.TrimRightFunc(tokens[last], isSpace) // as line.rstrip() does
	}
	kept := tokens[:0]
	for _, token := range tokens {
		if len(token) > 3 || !isDropped(token) {
			kept = append(kept, token)
		}
	}
	return kept
}

// takeApart splits tokens at white space. Without any it returns tokens itself.
func takeApart(tokens []string) []string {
	for i, t := range tokens {
		if !hasSpace(t) {
			continue
		}
		split := append([]string(nil), tokens[:i]...)
		for _, t := range tokens[i:] {
			split = append(split, fields(t)...)
		}
		return split
	}
	return tokens
}

func hasSpace(token string) bool {
	for i := range len(token) {
		if c := token[i]; c <= ' ' || c >= utf8.RuneSelf {
			return strings.ContainsFunc(token[i:], isSpace)
		}
	}
	return false
}
