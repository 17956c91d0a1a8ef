package score

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// diversityGoldens is testdata/diversity_goldens.json, which make_diversity_goldens.py wrote.
type diversityGoldens struct {
	Cases []struct {
		Name       string
		Samples    Samples
		References References
		Scores     struct {
			Div1      float64
			Div2      float64
			SelfCIDEr float64 `json:"self_cider"`
			MBLEU     [4]float64
			Images    []struct {
				ID        ID `json:"image_id"`
				Div1      float64
				Div2      float64
				SelfCIDEr *float64 `json:"self_cider"`
			}
		}
	}
}

// Self-CIDEr of captions among which some are equal is only as exact as the square root of rounding errors; 0 is exact
// here.
const selfCIDErTolerance = 1e-7

func TestSamplesAgreeWithPublicCode(t *testing.T) {
	var goldens diversityGoldens
	data, err := os.ReadFile(filepath.Join("testdata", "diversity_goldens.json"))
	if err == nil {
		err = json.Unmarshal(data, &goldens)
	}
	if err != nil || len(goldens.Cases) < 4 {
		t.Fatal(err, len(goldens.Cases))
	}
	for _, c := range goldens.Cases {
		df, err := CountFrequencies(c.References, "whitespace")
		if err != nil {
			t.Fatal(err)
		}
		s, err := MeasureSamples(c.Samples, df, "whitespace")
		if err != nil {
			t.Fatal(err)
		}
		compare(t, c.Name+", Div-1", s.Div1, c.Scores.Div1, 1e-12)
		compare(t, c.Name+", Div-2", s.Div2, c.Scores.Div2, 1e-12)
		compare(t, c.Name+", Self-CIDEr", *s.SelfCIDEr, c.Scores.SelfCIDEr, selfCIDErTolerance)
		for n := range s.MBLEU {
			compare(t, c.Name+", mBLEU", s.MBLEU[n], c.Scores.MBLEU[n], 1e-12)
		}
		for i, want := range c.Scores.Images {
			got := s.Images[i]
			name := c.Name + ", image " + string(got.ID)
			if got.ID != want.ID || (got.SelfCIDEr == nil) != (want.SelfCIDEr == nil) {
				t.Fatalf("%s: %+v, want %+v", name, got, want)
			}
			compare(t, name+", Div-1", got.Div1, want.Div1, 1e-12)
			compare(t, name+", Div-2", got.Div2, want.Div2, 1e-12)
			if want.SelfCIDEr == nil {
				continue
			}
			tolerance := 1e-12
			if different := slices.Compact(slices.Sorted(slices.Values(c.Samples[got.ID]))); len(different) < s.Each {
				tolerance = selfCIDErTolerance
			}
			compare(t, name+", Self-CIDEr", *got.SelfCIDEr, *want.SelfCIDEr, tolerance)
		}
	}
}

// Captions that are equal have no diversity; captions without a common n-gram, of four words at least, all of it.
func TestSelfCIDErOfExtremes(t *testing.T) {
	df, err := CountFrequencies(References{"1": {"a dog runs fast"}, "2": {"x"}}, "whitespace")
	if err != nil {
		t.Fatal(err)
	}
	for want, captions := range map[float64][]string{
		0: {"a b c d e", "a b c d e", "a b c d e"},
		1: {"a b c d e", "f g h i", "j k l m n o"},
	} {
		s, err := MeasureSamples(Samples{"1": captions}, df, "whitespace")
		if err != nil {
			t.Fatal(err)
		}
		compare(t, strings.Join(captions, ", "), *s.SelfCIDEr, want, 1e-12)
	}
	if s, err := MeasureSamples(Samples{"1": {"a", "b"}}, nil, ""); err != nil || s.SelfCIDEr != nil {
		t.Errorf("without document frequencies: %+v, %v", s, err)
	}
}

func TestSamplesThatAreNone(t *testing.T) {
	df := &DocumentFrequencies{Images: 3, Tokens: "ptb", Frequency: map[string]Frequency{"a": 1}}
	for _, c := range []struct {
		samples Samples
		tokens  string
		want    string
	}{
		{nil, "ptb", "no captions given"},
		{Samples{"1": {"a"}}, "ptb", "image 1 has 1 captions: want several"},
		{Samples{"1": {"a", "b"}, "2": {"a", "b", "c"}}, "ptb", "image 1 has 2 captions, image 2 has 3"},
		{Samples{"1": make([]string, MaxSamples+1)}, "ptb", "image 1 has 201 captions: at most 200"},
		{Samples{"1": {"a", strings.Repeat("a ", MaxWords+1)}}, "ptb", "caption 1 of image 1"},
		{Samples{"1": {"a", strings.Repeat("a,b", MaxWords)}}, "ptb", "caption of image 1"},
		{Samples{"1": {"a", "b"}}, "whitespace", "use the same tokenizer"},
		{Samples{"1": {"a", "b"}}, "nosuch", "nosuch"},
	} {
		if _, err := MeasureSamples(c.samples, df, c.tokens); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80v: error %v, want one that says %q", c.samples, err, c.want)
		}
	}
}

// The scores are the same, bit for bit, each time.
func TestSampleScoresAreAlwaysTheSame(t *testing.T) {
	refs, _ := randomCorpus(rand.New(rand.NewPCG(3, 4)), 30)
	samples := make(Samples)
	for id, texts := range refs {
		samples[id] = []string{texts[0], texts[0] + " again", "a b " + texts[0], "c d"}
	}
	df, err := CountFrequencies(refs, "")
	if err != nil {
		t.Fatal(err)
	}
	first, err := MeasureSamples(samples, df, "")
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if again, err := MeasureSamples(samples, df, ""); err != nil || !reflect.DeepEqual(again, first) {
			t.Fatalf("%+v, %v, before %+v", again, err, first)
		}
	}
}

// The largest number of captions takes a second or two.
func TestManySamples(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 1))
	words := strings.Fields("a b c d e f g h i j k l")
	captions := make([]string, MaxSamples)
	for i := range captions {
		for range 12 {
			captions[i] += words[random.IntN(len(words))] + " "
		}
	}
	df, err := CountFrequencies(References{"1": captions[:3], "2": {"a"}, "3": {"b"}}, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := MeasureSamples(Samples{"1": captions}, df, "")
	if err != nil || !(*s.SelfCIDEr > 0.5 && *s.SelfCIDEr < 1) {
		t.Errorf("%+v, %v", s, err)
	}
}

// eigenvalues are checked by what they add up to: the trace, and the squares of all elements.
func TestEigenvalues(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 12 {
		a := make([][]float64, n)
		for i := range a {
			a[i] = make([]float64, n)
			for j := range i + 1 {
				a[i][j] = random.NormFloat64()
				a[j][i] = a[i][j]
			}
		}
		var trace, squares, sum, squaresOfValues float64
		for i := range a {
			trace += a[i][i]
			for _, x := range a[i] {
				squares += x * x
			}
		}
		for _, v := range eigenvalues(a) {
			sum += v
			squaresOfValues += v * v
		}
		compare(t, "sum of eigenvalues", sum, trace, 1e-12)
		compare(t, "sum of their squares", squaresOfValues, squares, 1e-10)
	}
	got := eigenvalues([][]float64{{2, 1, 0}, {1, 2, 1}, {0, 1, 2}})
	slices.Sort(got)
	for i, want := range []float64{2 - math.Sqrt2, 2, 2 + math.Sqrt2} {
		compare(t, "eigenvalue", got[i], want, 1e-14)
	}
}
