package score

import (
	"fmt"
	"strings"
)

// Tokenizers are the names that Tokenizer knows.
var Tokenizers = []string{"ptb", "treebank", "whitespace"}

// Tokenizer returns the function that cuts a caption into tokens:
//
//   - "ptb": what coco-caption's Java PTBTokenizer returns, punctuation dropped (see PTB);
//   - "treebank": NLTK's word_tokenize of the lower-cased caption, taken as one sentence (see Treebank);
//   - "whitespace": the lower-cased caption split on white space alone, as Python's caption.lower().split() does.
//
// All of them lower-case. Tokens of the last two never contain white space; those of the first may, inside a number such as
// "1 1/2", as the reference's do.
func Tokenizer(name string) (func(caption string) []string, error) {
	switch name {
	case "ptb":
		return PTB, nil
	case "treebank":
		return func(caption string) []string { return Treebank(lower(caption)) }, nil
	case "whitespace":
		return func(caption string) []string { return fields(lower(caption)) }, nil
	}
	return nil, fmt.Errorf("unknown tokenizer %q: the tokenizers are %s", name, strings.Join(Tokenizers, ", "))
}
