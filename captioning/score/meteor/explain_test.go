package meteor

import (
	"slices"
	"testing"
)

func TestExplain(t *testing.T) {
	tables := smallTables(t)
	const caption = "Several dogs are on the grass."
	references := []string{"A cat.", "A group of dogs, on the lawn.", "the dogs"}
	e, err := tables.Explain(caption, references)
	if err != nil {
		t.Fatal(err)
	}
	best := tables.Score("several dogs are on the grass", []string{"a cat", "a group of dogs on the lawn", "the dogs"})
	if e.Best != 1 || e.Statistics != best || e.Scores[1] != best.Score() || e.Scores[0] != 0 ||
		!(e.Scores[2] > 0 && e.Scores[2] < e.Scores[1]) {
		t.Errorf("best is %d, scores %v, statistics %v; want %v", e.Best, e.Scores, e.Statistics, best)
	}
	want := []Match{{Paraphrase, Span{0, 3}, Span{0, 1}}, {Exact, Span{3, 1}, Span{1, 1}},
		{Exact, Span{4, 1}, Span{3, 1}}, {Exact, Span{5, 1}, Span{4, 1}}, {Synonym, Span{6, 1}, Span{5, 1}}}
	if !slices.Equal(e.Matches, want) {
		t.Errorf("matches %v, want %v", e.Matches, want)
	}
	if chunks := e.Chunks(); !slices.Equal(chunks, []int{0, 0, 1, 1, 1}) || e.Statistics.Chunks() != 2 {
		t.Errorf("chunks %v, %d of them", chunks, e.Statistics.Chunks())
	}
	if _, err := tables.Explain(caption, nil); err == nil {
		t.Error("no references were accepted")
	}
}

// The parts multiply to the score, which TestGoldenScores compares with METEOR's.
func TestParts(t *testing.T) {
	tables := smallTables(t)
	perfect := tables.Score("a dog", []string{"a dog"})
	if got := perfect.Parts(); got != (Parts{1, 1, 1, 0}) || perfect.Score() != 1 {
		t.Errorf("a perfect caption has %+v", got)
	}
	if got := tables.Score("a dog", []string{"cats"}).Parts(); got != (Parts{}) {
		t.Errorf("without matches: %+v", got)
	}
	p := tables.Score("a dog on grass", []string{"a dog is near the grass"}).Parts()
	// Content words weigh .75, function words .25: the caption 2*.75 + 2*.25 = 2, its matches a, dog and grass
	// 2*.75 + .25 = 1.75.
	if p.Precision != 1.75/2 || !(p.Recall < p.Precision) || !(p.Penalty > 0 && p.Penalty < gamma) {
		t.Errorf("%+v", p)
	}
	if got, want := p.Score(), p.Mean*(1-p.Penalty); got != want {
		t.Errorf("score %v, want %v", got, want)
	}
}
