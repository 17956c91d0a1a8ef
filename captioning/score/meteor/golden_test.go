package meteor

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// smallTables builds and opens an index of the tables in testdata, which are invented.
func smallTables(t testing.TB) *Tables {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small.index")
	if err := Build(path, smallSources(t)); err != nil {
		t.Fatal(err)
	}
	tables, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tables.Close() })
	return tables
}

func smallSources(t testing.TB) Sources {
	t.Helper()
	open := func(name string) *os.File {
		f, err := os.Open(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	return Sources{Function: open("function.words"), Prefixes: open("prefixes"), Synsets: open("english.synsets"),
		Exceptions: open("english.exceptions"), Paraphrases: open("paraphrases"), Origin: "testdata"}
}

// goldens is testdata/goldens.json, which make_goldens.py made with METEOR 1.5.
type goldens struct {
	Corpus float64
	Cases  []struct {
		Caption    string
		References []string
		Statistics []float64
		Score      float64
	}
	Normalized []struct {
		Text  string
		Words []string
	}
}

func readGoldens(t *testing.T) goldens {
	t.Helper()
	var g goldens
	data, err := os.ReadFile(filepath.Join("testdata", "goldens.json"))
	if err == nil {
		err = json.Unmarshal(data, &g)
	}
	if err != nil || len(g.Cases) == 0 || len(g.Normalized) == 0 {
		t.Fatal(len(g.Cases), len(g.Normalized), err)
	}
	return g
}

func TestGoldenScores(t *testing.T) {
	tables, g := smallTables(t), readGoldens(t)
	var all Statistics
	for _, c := range g.Cases {
		s := tables.Score(c.Caption, c.References)
		if !slices.Equal(s[:], c.Statistics) {
			t.Errorf("%q with %q:\ngot  %v\nwant %v", c.Caption, c.References, s, c.Statistics)
		}
		if got := s.Score(); math.Abs(got-c.Score) > 1e-12 {
			t.Errorf("%q with %q: score %v, want %v", c.Caption, c.References, got, c.Score)
		}
		all.Add(s)
	}
	if got := all.Score(); math.Abs(got-g.Corpus) > 1e-12 {
		t.Errorf("corpus score %v, want %v", got, g.Corpus)
	}
}

func TestGoldenWords(t *testing.T) {
	tables, g := smallTables(t), readGoldens(t)
	for _, n := range g.Normalized {
		if got := normalize(n.Text, tables.prefix); !slices.Equal(got, n.Words) {
			t.Errorf("%q: got %q, want %q", n.Text, got, n.Words)
		}
	}
}
