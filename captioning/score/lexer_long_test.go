//go:build long

package score

import (
	"fmt"
	"strings"
	"testing"
)

// longLineSets are more of them.
var longLineSets = []lineSet{
	{"all characters", characterLines(0x10000, 0x10ffff)},
	{"apostrophes", apostropheLines},
}

func TestLongPTBLines(t *testing.T) {
	for _, set := range longLineSets {
		t.Run(set.name, func(t *testing.T) { checkLines(t, set) })
	}
}

// apostropheLines has every form of the apostrophe between parts of words.
func apostropheLines(yield func(string) bool) {
	apostrophes := strings.Split("' ’ ‘ ‛ ` \u0092 \u0091 &apos; &APOS; &Apos; ´ ‚ › ‹", " ")
	before := strings.Split("|a|O|dog|do|can|n|sa|x-a|l|ol|y|c|li|5|don|D|K|dogs|rock|will-o|A.|é|aé|d|fo|"+
		"cap|e|ev|s|o|M|qu|"+
		"cannot|gonna|dunkin|somethin|j|N|&eacute;|a\u00ad|e\u0301", "|")
	after := strings.Split("|s|S|sx|s5|s.|sé|ll|llx|d|dx|m|ve|re|t|T|tx|t5|té|n|nx|n5|n.|N|em|emx|til|till|"+
		"cause|tis|"+
		"twas|tisx|90s|90|90 x|90.|9|clock|a|ab|Ab|Kx|all|x|mon|l|est|er|ry|mores|in|y|il|5a|é|éa|-|90s5|95s|o|on|"+
		"neill-x|s'|-x|n\x00x|n\tx|n\u00a0x|til5|&eacute;|\u0301|\u00ad|n’t", "|")
	for _, b := range before {
		for _, q := range apostrophes {
			for _, a := range after {
				for _, frame := range []string{"%s", "\"%s\"", "q %s'z", "%s ’"} {
					if !yield(fmt.Sprintf(frame, b+q+a)) {
						return
					}
				}
			}
		}
	}
}
