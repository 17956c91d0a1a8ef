package score

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lineSets are made-up captions, always the same. testdata/ptb_lines.json has hashes of the reference's tokens.
var lineSets = []lineSet{
	{"characters", characterLines(0, 0xffff)},
	{"letters", letterLines},
	{"marks", markLines},
	{"pairs", pairLines(20)},
}

type lineSet struct {
	name  string
	lines iter.Seq[string]
}

func TestPTBLines(t *testing.T) {
	for _, set := range lineSets {
		t.Run(set.name, func(t *testing.T) { checkLines(t, set) })
	}
}

// checkLines compares the tokens of the lines with the reference's. If PTB_LINES names a folder, it writes the lines
// and the tokens to files there instead, for testdata/diff_ptb_lines.py.
func checkLines(t *testing.T, set lineSet) {
	if folder := os.Getenv("PTB_LINES"); folder != "" {
		var lines, tokens strings.Builder
		for line := range set.lines {
			lines.WriteString(line + "\n")
			tokens.WriteString(strings.Join(ptbWhole(line, ""), " ") + "\n")
		}
		writeFile(t, filepath.Join(folder, set.name+".lines"), lines.String())
		writeFile(t, filepath.Join(folder, set.name+".tokens"), tokens.String())
		return
	}
	var want struct {
		Block  int
		SHA256 map[string][]string
	}
	readGoldens(t, "ptb_lines.json", &want)
	hash, n, blocks := sha256.New(), 0, []string{}
	for line := range set.lines {
		whole := strings.Join(ptbWhole(line, ""), " ")
		if got := PTB(line); !slices.Equal(got, fields(whole)) {
			t.Errorf("PTB(%q) = %q, not %q split at white space", line, got, whole)
		}
		hash.Write([]byte(whole + "\n"))
		if n++; n%want.Block == 0 {
			blocks = append(blocks, hex.EncodeToString(hash.Sum(nil))[:16])
			hash.Reset()
		}
	}
	if n%want.Block != 0 {
		blocks = append(blocks, hex.EncodeToString(hash.Sum(nil))[:16])
	}
	if len(blocks) != len(want.SHA256[set.name]) {
		t.Fatalf("%d blocks of lines, want %d", len(blocks), len(want.SHA256[set.name]))
	}
	for i, got := range blocks {
		if got != want.SHA256[set.name][i] {
			t.Errorf("lines %d to %d differ from the reference's tokens; testdata/diff_ptb_lines.py shows them",
				i*want.Block+1, min((i+1)*want.Block, n))
		}
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// characterLines has each character alone, inside a word, at its beginning and end, doubled, and after a digit.
func characterLines(first, last rune) iter.Seq[string] {
	return func(yield func(string) bool) {
		for r := first; r <= last; r++ {
			if r == '\n' || r >= 0xd800 && r < 0xe000 {
				continue
			}
			c := string(r)
			if !yield("xx " + c + " xx" + c + "yy " + c + "yy yy" + c + " " + c + c + " 5" + c + " zz " + c) {
				return
			}
		}
	}
}

// letterLines has each letter with a full stop after and before other tokens.
func letterLines(yield func(string) bool) {
	before := strings.Split("|a |The |Mr. |no. |U.S. |5 |5|1,000 |and |K. |x. |, |. |... |! |? |\" |'|(|- |"+
		"-|/|& |&|$|#|@|"+
		"é |é|°|  |\t|a-|it's |:) |\u00a0|\u2028|<b>", "|")
	after := strings.Split("| | a| The| The |The | the | A | Mr. | He's | K. | 5|5|,| , |;|:|.|..|'s|\"|"+
		"\" The |)|-|-a|/|"+
		"é|b|b.|\tThe\t|  The  |\u00a0The\u00a0| However, | AND | In the |\u2028The |\u2028", "|")
	for _, b := range before {
		for _, a := range after {
			for _, letter := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
				if !yield(b + string(letter) + "." + a) {
					return
				}
			}
		}
	}
}

// markLines has all strings of up to three of some characters, and emoticons in parentheses.
func markLines(yield func(string) bool) {
	alphabet := strings.Split("aA5 .,-'\"!?:;()[]<>=_*#@&/\\$%+`^|~{}é\u0301’“sntoDP", "")
	for _, a := range append(alphabet, "") {
		for _, b := range append(alphabet, "") {
			for _, c := range alphabet {
				if !yield(a+b+c) || !yield("("+a+b+c+")") {
					return
				}
			}
		}
	}
}

// pairLines has every kind of token next to every other one, at the start, in the middle and at the end of a line.
func pairLines(rounds int) iter.Seq[string] {
	return func(yield func(string) bool) {
		random := rand.New(rand.NewPCG(1, 2))
		frames := []string{"%s", "%s a dog", "A dog %s", "a %s The dog."}
		glues := []string{"", " ", "  ", "\t", "\u00a0", "-", "\u0085", "\u2028", "'", "/", "."}
		for range rounds {
			for _, a := range tokenKinds {
				for _, b := range tokenKinds {
					for _, glue := range glues {
						pair := pick(random, a) + glue + pick(random, b)
						if !yield(fmt.Sprintf(frames[random.IntN(len(frames))], pair)) {
							return
						}
					}
				}
			}
		}
	}
}
