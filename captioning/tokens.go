package captioning

import (
	"fmt"
	"strings"
)

// Tokenizer returns the tokenizer that a setting names.
func Tokenizer(name string) (func(caption string) []string, error) {
	if name == "whitespace" {
		return func(caption string) []string { return strings.Fields(strings.ToLower(caption)) }, nil
	}
	return nil, fmt.Errorf("unknown tokenizer %q", name)
}
