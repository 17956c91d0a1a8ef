package score

import "strings"

// dropped are the tokens that coco-caption's ptbtokenizer.py takes out.
var dropped = map[string]bool{
	"''": true, "'": true, "``": true, "`": true, "-LRB-": true, "-RRB-": true, "-LCB-": true, "-RCB-": true,
	".": true, "?": true, "!": true, ",": true, ":": true, "-": true, "--": true, "...": true, ";": true,
}

// PTB returns the tokens of a caption that coco-caption returns: those of Stanford CoreNLP 3.4.1's PTBTokenizer with
// -preserveLines -lowerCase, without punctuation.
func PTB(caption string) []string {
	var kept []string
	for _, token := range lexPTB(caption) {
		if token = strings.ToLower(token); !dropped[token] {
			kept = append(kept, token)
		}
	}
	return kept
}
