package score

import "strings"

// lexPTB cuts text into tokens.
func lexPTB(text string) []string {
	return strings.Fields(text)
}
