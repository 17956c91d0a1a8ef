package score

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// treebankGoldens is the file that testdata/make_treebank_goldens.py generated with NLTK 3.9.2 on Python 3.11.7.
type treebankGoldens struct {
	Cases []struct {
		Text, Lower    string
		Tokens, Fields []string
	}
	Fragments   []string
	Block       int
	Fuzzed      []string
	FuzzedLower []string `json:"fuzzed_lower"`
	Flickr8k    struct {
		Captions         int
		SHA256           string
		WhitespaceSHA256 string `json:"whitespace_sha256"`
	}
}

func readGoldens(t testing.TB, file string, to any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatal(file, err)
	}
}

func TestTreebankHardCases(t *testing.T) {
	var goldens treebankGoldens
	readGoldens(t, "treebank_goldens.json", &goldens)
	if len(goldens.Cases) < 1000 {
		t.Fatalf("only %d cases", len(goldens.Cases))
	}
	for _, c := range goldens.Cases {
		if got := Treebank(c.Text); !slices.Equal(got, c.Tokens) {
			t.Errorf("Treebank(%q)\n got %q\nwant %q", c.Text, got, c.Tokens)
		}
		if got := lower(c.Text); got != c.Lower {
			t.Errorf("lower(%q)\n got %q\nwant %q", c.Text, got, c.Lower)
		}
		if got := fields(c.Text); !slices.Equal(got, c.Fields) {
			t.Errorf("fields(%q)\n got %q\nwant %q", c.Text, got, c.Fields)
		}
	}
}

func hashTokens(h hash.Hash, tokens []string) { h.Write([]byte(strings.Join(tokens, " ") + "\n")) }

// TestTreebankFuzzedLines repeats the generator of make_treebank_goldens.py, whose --lines shows the lines.
func TestTreebankFuzzedLines(t *testing.T) {
	var goldens treebankGoldens
	readGoldens(t, "treebank_goldens.json", &goldens)
	x := uint32(1)
	below := func(n int) int {
		x = 1664525*x + 1013904223
		return int(x>>8) % n
	}
	for block := range goldens.Fuzzed {
		plain, lowered := sha256.New(), sha256.New()
		for range goldens.Block {
			var line strings.Builder
			for range 1 + below(16) {
				line.WriteString(goldens.Fragments[below(len(goldens.Fragments))])
			}
			hashTokens(plain, Treebank(line.String()))
			hashTokens(lowered, Treebank(lower(line.String())))
		}
		first, last := block*goldens.Block, (block+1)*goldens.Block-1
		if got := hex.EncodeToString(plain.Sum(nil))[:16]; got != goldens.Fuzzed[block] {
			t.Errorf("lines %d to %d differ from NLTK's tokens", first, last)
		}
		if got := hex.EncodeToString(lowered.Sum(nil))[:16]; got != goldens.FuzzedLower[block] {
			t.Errorf("lower-cased lines %d to %d differ from NLTK's tokens", first, last)
		}
	}
}

// flickr8kLines returns the lines of a file of Flickr8k, or skips the test.
func flickr8kLines(t testing.TB, file string) []string {
	t.Helper()
	root := os.Getenv("CAPTIONLAB_DATA")
	if root == "" {
		t.Skip("SKIPPED, NOT PASSED: CAPTIONLAB_DATA does not name a folder that contains flickr8k")
	}
	data, err := os.ReadFile(filepath.Join(root, "flickr8k", "Flickr8k_text", file))
	if err != nil {
		t.Skip("SKIPPED, NOT PASSED: no Flickr8k captions: ", err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

func TestTokenizersOnFlickr8k(t *testing.T) {
	lines := flickr8kLines(t, "Flickr8k.token.txt")
	var goldens treebankGoldens
	readGoldens(t, "treebank_goldens.json", &goldens)
	if len(lines) != goldens.Flickr8k.Captions {
		t.Fatalf("%d captions, want %d", len(lines), goldens.Flickr8k.Captions)
	}
	for name, want := range map[string]string{
		"treebank": goldens.Flickr8k.SHA256, "whitespace": goldens.Flickr8k.WhitespaceSHA256,
	} {
		tokenize, err := Tokenizer(name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		for _, l := range lines {
			_, caption, _ := strings.Cut(l, "\t")
			hashTokens(sum, tokenize(caption))
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != want {
			t.Errorf("the %s tokens of the captions differ from Python's: SHA-256 %s, want %s", name, got, want)
		}
	}
}

func FuzzTokenizers(f *testing.F) {
	var goldens treebankGoldens
	readGoldens(f, "treebank_goldens.json", &goldens)
	for i, c := range goldens.Cases {
		if i%10 == 0 {
			f.Add(c.Text)
		}
	}
	f.Add("\xff'\xfe. \xc3'tis\xe2\x80")
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"treebank", "whitespace"} {
			tokenize, err := Tokenizer(name)
			if err != nil {
				t.Fatal(err)
			}
			tokens := tokenize(text)
			for _, token := range tokens {
				if token == "" || strings.ContainsFunc(token, isSpace) {
					t.Errorf("%s: token %q of %q is empty or contains white space", name, token, text)
				}
			}
			if name == "whitespace" && !slices.Equal(tokenize(strings.Join(tokens, " ")), tokens) {
				t.Errorf("the whitespace tokens of %q change if they are tokenized again", text)
			}
		}
		if got, want := len(strings.Join(Treebank(text), "")), visible(text); got < want {
			t.Errorf("the tokens of %q have %d bytes, the text %d without white space", text, got, want)
		}
	})
}

// visible counts the bytes of text that are not white space. Treebank only adds bytes: " becomes two characters.
func visible(text string) int {
	n := 0
	for _, r := range text {
		if !isSpace(r) && r != unicode.ReplacementChar {
			n += len(string(r))
		}
	}
	return n
}

func TestUnknownTokenizer(t *testing.T) {
	if _, err := Tokenizer("moses"); err == nil || !strings.Contains(err.Error(), "treebank") {
		t.Errorf("error %v does not list the tokenizers", err)
	}
}
