package score

import (
	"fmt"
	"strings"
)

// Tokenizers are the names that Tokenizer accepts.
var Tokenizers = []string{"ptb", "treebank", "whitespace"}

// Tokenizer returns the function that splits a caption into tokens:
//
//   - "ptb": the words of coco-caption's Java PTBTokenizer, without punctuation (see PTB);
//   - "treebank": NLTK's word_tokenize of the lower-cased caption, treated as one sentence (see Treebank);
//   - "whitespace": the lower-cased caption split on white space, as Python's caption.lower().split() does.
//
// All convert to lower case. No token contains white space.
func Tokenizer(name string) (func(caption string) []string, error) {
	switch name {
	case "ptb":
		return PTB, nil
	case "treebank":
		return func(caption string) []string { return Treebank(lower(caption)) }, nil
	case "whitespace":
		return func(caption string) []string { return fields(lower(caption)) }, nil
	}
	return nil, fmt.Errorf("unknown tokenizer %q: use one of %s", name, strings.Join(Tokenizers, ", "))
}

// A tokenizer splits a text, with the text that the reference implementation tokenizes after it, into tokens. These are
// valid until the next call, and may contain no-break spaces.
type tokenizer func(text, after string) []string

// contextTokenizer returns the function that makes a tokenizer of that name for one goroutine.
func contextTokenizer(name string) (func() tokenizer, error) {
	alone, err := Tokenizer(name)
	if err != nil {
		return nil, err
	}
	switch name {
	case "ptb":
		return func() tokenizer { return new(lexer).whole }, nil
	case "whitespace":
		return func() tokenizer {
			var tokens []string
			return func(text, _ string) []string {
				tokens = appendFields(tokens[:0], lower(text))
				return tokens
			}
		}, nil
	}
	return func() tokenizer { return func(text, _ string) []string { return alone(text) } }, nil
}
