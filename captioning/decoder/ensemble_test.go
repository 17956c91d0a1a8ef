package decoder

import (
	"math"
	"strings"
	"testing"

	"captionlab/captioning/xla/xlatest"
)

// An ensemble's probabilities are the normalised geometric means of its members', whatever their cells.
func TestEnsembleAveragesLogits(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	var models []Model
	var values []Values
	for i, cell := range []Cell{LSTM{}, Attention{Size: goldenSize}, RNN{}, TopDown{Size: goldenSize}} {
		m, v := goldenModel(cell, false)
		if i == 1 { // other sizes
			m.Embedding, m.Hidden = 4, 9
			v = m.Initialize(3)
		}
		models, values = append(models, m), append(values, v)
	}
	joint, weights, err := Ensemble(models, values)
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(backend, joint, weights)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Finalize()
	const n = 3
	in := lookingInputs(n)
	captions := [][]int32{{5}, {6, 7}, {8, 9, 10}}
	var logs [][][]float64 // of each member and of the ensemble: [image][word]
	for k, m := range models {
		one, err := New(backend, m, values[k])
		if err != nil {
			t.Fatal(err)
		}
		defer one.Finalize()
		logs = append(logs, firstWords(t, one, in, n))
	}
	logs = append(logs, firstWords(t, d, in, n))
	words := goldenV - 4
	for i := range n {
		mean, total := make([]float64, words), 0.0
		for w := range mean {
			for k := range models {
				mean[w] += logs[k][i][w] / float64(len(models))
			}
			total += math.Exp(mean[w])
		}
		for w := range mean {
			if want := mean[w] - math.Log(total); math.Abs(logs[len(models)][i][w]-want) > 1e-4 {
				t.Errorf("image %d, word %d: %g, want %g", i, w, logs[len(models)][i][w], want)
			}
		}
	}
	for _, o := range []GenerateOptions{{MaxWords: 4}, {MaxWords: 4, Beam: 3}} {
		if _, err := d.GenerateFrom(in, o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	_, err = d.Attention(in, captions, GenerateOptions{})
	if err == nil || !strings.Contains(err.Error(), "no attention") {
		t.Errorf("the attention of an ensemble with members that have none: %v", err)
	}
}

// firstWords returns the log-probability of every word as a caption of one word, for n images: [image][word].
func firstWords(t *testing.T, d *Decoder, in Inputs, n int) [][]float64 {
	t.Helper()
	var logs [][]float64
	for i := range n {
		var each Inputs
		var all [][]int32
		for word := int32(4); word < goldenV; word++ {
			part := in.of(d.Model, i, i+1)
			each.Features, each.Grids = append(each.Features, part.Features...), append(each.Grids, part.Grids...)
			all = append(all, []int32{word})
		}
		got, err := d.WordLogProbsFrom(each, all, GenerateOptions{MaxWords: 1})
		if err != nil {
			t.Fatal(err)
		}
		row := make([]float64, len(got))
		for w := range row {
			row[w] = got[w][0]
		}
		logs = append(logs, row)
	}
	return logs
}

func TestEnsembleOfAttentionIsTheMean(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	a, va := goldenModel(Attention{Size: goldenSize}, false)
	b, vb := goldenModel(Attention{Size: goldenSize}, false)
	vb[cellPrefix+"query_weight"] = formula(len(vb[cellPrefix+"query_weight"]), 99, 3)
	joint, values, err := Ensemble([]Model{a, b}, []Values{va, vb})
	if err != nil {
		t.Fatal(err)
	}
	in, captions := lookingInputs(2), [][]int32{{5, 6}, {7}}
	weightsOf := func(m Model, v Values) [][][]float32 {
		d, err := New(backend, m, v)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Finalize()
		weights, err := d.Attention(in, captions, GenerateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return weights
	}
	one, other, both := weightsOf(a, va), weightsOf(b, vb), weightsOf(joint, values)
	different := false
	for i := range both {
		for step := range both[i] {
			for p, got := range both[i][step] {
				if want := (one[i][step][p] + other[i][step][p]) / 2; math.Abs(float64(got-want)) > 1e-5 {
					t.Errorf("caption %d, step %d, place %d: %g, want %g", i, step, p, got, want)
				}
				different = different || math.Abs(float64(one[i][step][p]-other[i][step][p])) > 1e-3
			}
		}
	}
	if !different {
		t.Error("the members look at the same places: the test needs others")
	}
}

func TestEnsembleOfStrangers(t *testing.T) {
	m, v := goldenModel(LSTM{}, false)
	other := m
	other.Vocabulary++
	for want, models := range map[string][]Model{
		"two or more":        {m},
		"they must be equal": {m, other},
	} {
		values := []Values{v, other.Initialize(1)}[:len(models)]
		if _, _, err := Ensemble(models, values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
