package vocab

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func build(t *testing.T, minCount int, captions ...string) *Vocabulary {
	t.Helper()
	var tokens [][]string
	for _, c := range captions {
		tokens = append(tokens, strings.Fields(c))
	}
	v, err := Build(tokens, minCount)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestBuildOrdersByCountThenAlphabet(t *testing.T) {
	v := build(t, 2, "a dog runs", "a cat runs", "a dog sits", "<unk> <unk>")
	want := []string{"<pad>", "<start>", "<end>", "<unk>", "a", "dog", "runs"}
	if got := v.Words(); !slices.Equal(got, want) {
		t.Fatalf("words %q, want %q", got, want)
	}
}

func TestEncodeCutsWithoutEnd(t *testing.T) {
	v := build(t, 1, "a b c")
	for _, c := range []struct {
		caption string
		max     int
		want    []int32
	}{
		{"a b", 20, []int32{Start, 4, 5, End}},
		{"a b", 4, []int32{Start, 4, 5, End}},
		{"a b c", 4, []int32{Start, 4, 5, 6}},
		{"a zebra", 4, []int32{Start, 4, Unknown, End}},
		{"<end> a", 9, []int32{Start, Unknown, 4, End}}, // in a caption, the text of a special token is a word
		{"", 20, []int32{Start, End}},
	} {
		if got := v.Encode(strings.Fields(c.caption), c.max); !slices.Equal(got, c.want) {
			t.Errorf("Encode(%q, %d) = %v, want %v", c.caption, c.max, got, c.want)
		}
	}
}

func TestJSONRoundTripAndDamage(t *testing.T) {
	v := build(t, 1, "a b")
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back Vocabulary
	if err := json.Unmarshal(data, &back); err != nil || !slices.Equal(back.Words(), v.Words()) {
		t.Fatalf("after the round trip: words %q, error %v", back.Words(), err)
	}
	for _, bad := range []string{`["a"]`, `["<pad>","<start>","<end>","<unk>","a","a"]`, `{}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestBuildErrors(t *testing.T) {
	if _, err := Build(nil, 0); err == nil {
		t.Error("min count 0 was accepted")
	}
	if _, err := Build([][]string{{"once"}}, 2); err == nil || !strings.Contains(err.Error(), "min_count") {
		t.Errorf("an empty vocabulary gives the error %v, want one that names min_count", err)
	}
}

func ExampleVocabulary() {
	v, err := Build([][]string{{"a", "red", "circle"}, {"a", "blue", "circle"}}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := v.Encode([]string{"a", "green", "circle"}, 20)
	fmt.Println(ids)
	fmt.Println(v.Decode(ids))
	// Output:
	// [1 4 3 5 2]
	// a <unk> circle
}

func TestCoverageBySize(t *testing.T) {
	v := build(t, 1, "a dog runs", "a cat runs", "a dog sits") // by count: a; dog, runs; cat, sits
	captions := [][]string{{"a", "dog", "sleeps"}, {"a", "cat", "sits", "<unk>", "a"}}
	want := []float64{0, 3. / 8, 4. / 8, 4. / 8, 5. / 8, 6. / 8}
	if got := v.CoverageBySize(captions); !slices.Equal(got, want) || got[len(got)-1] != v.Coverage(captions) {
		t.Errorf("got %v, want %v, whose last element is Coverage, %v", got, want, v.Coverage(captions))
	}
	if got := v.CoverageBySize(nil); len(got) != 6 || got[5] != 0 {
		t.Errorf("without captions: got %v, want six zeros", got)
	}
}
