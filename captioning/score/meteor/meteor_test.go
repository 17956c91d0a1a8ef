package meteor

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"captionlab/captioning/score"
)

// TestModules checks which modules match, and that the search prefers few chunks to exact matches.
func TestModules(t *testing.T) {
	tables := smallTables(t)
	one := func(module Module, ref, refWords, test, testWords int) Match {
		return Match{module, Span{ref, refWords}, Span{test, testWords}}
	}
	for _, c := range []struct {
		caption, reference string
		want               []Match
	}{
		{"a dog", "a dog", []Match{one(Exact, 0, 1, 0, 1), one(Exact, 1, 1, 1, 1)}},
		{"dogs", "dog", nil}, // a stem match and a synonym match, which compete
		{"a dogs", "a dog", []Match{one(Exact, 0, 1, 0, 1), one(Stem, 1, 1, 1, 1)}}, // but here they cost no chunk
		{"red", "reds", []Match{one(Stem, 0, 1, 0, 1)}},
		{"hounds", "dog", []Match{one(Synonym, 0, 1, 0, 1)}},
		{"spectacle", "glasses", []Match{one(Synonym, 0, 1, 0, 1)}}, // the first ending that leads to a word, -s
		{"guys", "men", []Match{one(Synonym, 0, 1, 0, 1)}},          // an irregular form
		{"a group of dogs", "several dogs",
			[]Match{one(Paraphrase, 0, 1, 0, 3), one(Exact, 1, 1, 3, 1)}},
		{"several dogs", "a group of dogs", // the table is read both ways
			[]Match{one(Paraphrase, 0, 3, 0, 1), one(Exact, 3, 1, 1, 1)}},
		{"variants", "gelato", []Match{one(Exact, 0, 1, 0, 1)}}, // the same hash code
		{"hot_dog", "frank", nil},
		{"blue", "green", nil},
	} {
		got := tables.Align(c.caption, c.reference)
		if !slices.Equal(got.Matches, c.want) {
			t.Errorf("%q with %q: got %v, want %v", c.caption, c.reference, got.Matches, c.want)
		}
	}
}

func TestHashCode(t *testing.T) {
	for s, want := range map[string]int32{"": 0, "a": 97, "dog": 99644, "variants": -1249574770, "gelato": -1249574770,
		"😀": 1772899} { // as Java's "…".hashCode()
		if got := hashCode(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

// TestMetric compares the metric with the functions that it is made of.
func TestMetric(t *testing.T) {
	tables := smallTables(t)
	refs := score.References{"1": {"A dog runs on the grass.", "The hound is running."},
		"2": {"Two men, next to a box"}}
	captions := []score.Caption{{ID: "1", Text: "A dog is running on the lawn!"}, {ID: "2", Text: "guys beside boxes"}}
	s, err := score.Measure(refs, captions, []score.Metric{tables.Metric()}, score.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all Statistics
	for i, c := range captions {
		tokenize, err := score.Tokenizer("ptb")
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, r := range refs[c.ID] {
			texts = append(texts, strings.Join(tokenize(r), " "))
		}
		one := tables.Score(strings.Join(tokenize(c.Text), " "), texts)
		if got, want := s.ImageValues(i)[0], one.Score(); got != want || want <= 0 || want >= 1 {
			t.Errorf("image %s: %v, want %v, between 0 and 1", c.ID, got, want)
		}
		all.Add(one)
	}
	got, ok := s.Value(Name)
	if !ok || got != all.Score() || s.Scale(Name) != 100 {
		t.Errorf("%v, %v, scale %v; want %v, scale 100", got, ok, s.Scale(Name), all.Score())
	}
	in, err := score.Bootstrap(s, score.BootstrapOptions{Draws: 50, Seed: 1})
	if i, ok := in.Get(Name); err != nil || !ok || i.Low > got || i.High < got {
		t.Errorf("interval %v, %v, %v", i, ok, err)
	}
}

// TestLongTexts aligns texts that are as long as package score allows.
func TestLongTexts(t *testing.T) {
	tables := smallTables(t)
	for _, words := range []string{"dog ", "a group of ", "is running ", "dog hound animal "} {
		text := strings.Repeat(words, 2000/len(strings.Fields(words)))
		if s := tables.Score(text, []string{text}).Score(); s != 1 {
			t.Errorf("%q, many times: score %v, want 1", words, s)
		}
	}
	if s := tables.Score("dog", nil); s != (Statistics{}) || s.Score() != 0 {
		t.Errorf("without references: %v", s)
	}
}

func FuzzScore(f *testing.F) {
	tables := smallTables(f)
	for _, s := range []string{"", "a dog", "U.S. dogs... -- 'x'", "\xff\x00 a's", "a group of ||| next to the",
		"İ 😀 Σ"} {
		f.Add(s, "a hound next to the box, in front of it")
		f.Add("a hound next to the box, in front of it", s)
	}
	f.Fuzz(func(t *testing.T, caption, reference string) {
		s := tables.Score(caption, []string{reference, "a dog"})
		if x := s.Score(); math.IsNaN(x) || x < 0 || x > 1 {
			t.Errorf("score %v", x)
		}
		a := tables.Align(caption, reference)
		for _, w := range slices.Concat(a.Caption, a.Reference) {
			if w == "" || utf8.ValidString(caption+reference) && strings.ContainsAny(w, " \t\n") {
				t.Errorf("word %q", w)
			}
		}
	})
}

// Of references with equal scores the first counts, but METEOR 1.5 compares rounded numbers: here the third reference
// is ahead of the second by the last bit. METEOR 1.5 answers these statistics.
func TestReferencesWithAlmostEqualScores(t *testing.T) {
	caption := "a rock climber climbing a rock wall"
	references := []string{"water", "the mountain climbing", "the helmeted dogs are rock climbing outdoors"}
	want := Statistics{7, 7, 2, 2, 2, 2, statisticsCount - 3: 2, statisticsCount - 2: 2, statisticsCount - 1: 2}
	if got := smallTables(t).Score(caption, references); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}
