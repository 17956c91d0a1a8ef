package score

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// testdata/make_ptb_goldens.py generated the goldens with pycocoevalcap 1.2 and OpenJDK 17.
func TestPTBHardCases(t *testing.T) {
	var cases []struct {
		Text   string
		Tokens []string
	}
	readGoldens(t, "ptb_cases.json", &cases)
	if len(cases) < 1000 {
		t.Fatalf("only %d cases", len(cases))
	}
	for _, c := range cases {
		if got := PTB(c.Text); !slices.Equal(got, c.Tokens) {
			t.Errorf("PTB(%.80q)\n got %.300q\nwant %.300q", c.Text, got, c.Tokens)
		}
	}
}

func TestPTBOnFlickr8k(t *testing.T) {
	root := os.Getenv("CAPTIONLAB_DATA")
	text, err := os.ReadFile(filepath.Join(root, "flickr8k", "Flickr8k_text", "Flickr8k.token.txt"))
	if root == "" || errors.Is(err, fs.ErrNotExist) {
		t.Skip("SKIPPED, NOT PASSED: CAPTIONLAB_DATA does not name a folder that contains flickr8k")
	}
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Captions, Block int
		SHA256          []string
	}
	readGoldens(t, "ptb_flickr8k.json", &want)
	hash, n := sha256.New(), 0
	check := func() {
		if block := (n - 1) / want.Block; hex.EncodeToString(hash.Sum(nil)) != want.SHA256[block] {
			t.Errorf("captions %d to %d differ from the reference's tokens; testdata/diff_ptb.py names the first",
				block*want.Block+1, n)
		}
		hash.Reset()
	}
	for line := range strings.Lines(string(text)) {
		_, caption, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		hash.Write([]byte(strings.Join(PTB(caption), " ") + "\n"))
		if n++; n%want.Block == 0 {
			check()
		}
	}
	if n%want.Block != 0 {
		check()
	}
	if n != want.Captions {
		t.Errorf("%d captions, want %d", n, want.Captions)
	}
}

// checkTokens fails if a token is empty or contains white space.
func checkTokens(t *testing.T, name, text string, tokens []string) {
	t.Helper()
	for _, token := range tokens {
		if token == "" || strings.ContainsFunc(token, unicode.IsSpace) {
			t.Errorf("%s(%.100q): token %q is empty or contains white space", name, text, token)
		}
	}
}

func FuzzPTB(f *testing.F) {
	for _, seed := range []string{"", "A man's dog can't run.", "1 1/2 (800) 555-1234", "<a href=\"x y\">", "''n't'",
		"\xff\xfe", "a\u00a0b", "&amp;#", "U.S. The"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first := PTB(text)
		checkTokens(t, "PTB", text, first)
		if again := PTB(text); !slices.Equal(first, again) {
			t.Errorf("PTB(%q) gave %q and %q", text, first, again)
		}
		for _, token := range first {
			if isDropped(token) && !strings.Contains(text, noBreak) && !strings.Contains(text, "<") {
				t.Errorf("PTB(%q) kept %q", text, token)
			}
		}
	})
}

// Time is linear in the length of the line: if it were quadratic, these lines would take minutes.
func TestTimeOfLongLines(t *testing.T) {
	started := time.Now()
	for _, unit := range []string{"a", "a ", "a-", "a.", "a/", "a,", "'", "1,", "1-", "<", "<a ", "a@", "http://",
		"(1", "1 1", "U.", "-", ":", "&", "\"", "é", "a'", "a@.", "<!--"} {
		line := strings.Repeat(unit, 1<<20/len(unit))
		if unit == "a'" {
			line += "@"
		}
		checkTokens(t, "PTB", unit+"...", PTB(line))
		if time.Since(started) > 2*time.Minute {
			t.Fatalf("a line of %q takes too long", unit)
		}
	}
}
