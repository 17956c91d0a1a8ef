package meteor

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestOneByOne checks that words on their own are normalized as in a text, where oneByOne says so.
func TestOneByOne(t *testing.T) {
	tables := smallTables(t)
	random := rand.New(rand.NewPCG(1, 1))
	const marks = "ab1 '- s"
	compared := 0
	for range 50000 {
		text := make([]byte, 1+random.IntN(14))
		for i := range text {
			text[i] = marks[random.IntN(len(marks))]
		}
		words, ok := oneByOne(string(text), tables.prefix)
		if !ok {
			continue
		}
		compared++
		if want := wholeText(string(text), tables.prefix); !slices.Equal(words, want) {
			t.Fatalf("%q: got %q, want %q", text, words, want)
		}
	}
	if compared < 10000 {
		t.Errorf("only %d texts were compared", compared)
	}
	if _, ok := oneByOne("a man's 'dog'", tables.prefix); ok {
		t.Error("neighbors with marks were normalized on their own")
	}
}
