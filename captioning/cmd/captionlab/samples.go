package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"captionlab/captioning/score"
)

// sampleReport is what captionlab score --json prints for a file with several captions of each image.
type sampleReport struct {
	// Scores are the scores of the first captions of all images, of the second ones, and so on: the means of these.
	Scores    map[string]float64     `json:"mean_scores"`
	Samples   *score.SampleScores    `json:"samples"`
	Diversity *score.DiversityScores `json:"diversity"`

	names []string
	scale map[string]float64
}

// runSamples scores a file with several captions of each image. several is the error of reading it as one caption of
// each.
func (f *scoreFlags) runSamples(out io.Writer, several error) error {
	samples, err := score.ReadSamples(f.captions)
	if err != nil { // not several of each: then the second one is probably a mistake
		return errors.Join(several, err)
	}
	if f.compare+f.explain != "" || f.bootstrap.Draws > 0 {
		return usageError{fmt.Errorf("%s holds several captions of each image, which are not compared, explained or "+
			"drawn from: leave out --compare, --explain and --bootstrap", f.captions)}
	}
	refs, err := score.ReadReferences(f.references)
	if err != nil {
		return err
	}
	if f.frequencies != "" {
		if f.options.Frequencies, err = score.ReadFrequencies(f.frequencies); err != nil {
			return err
		}
	}
	var r sampleReport
	if err := r.fill(f, refs, samples); err != nil {
		return fmt.Errorf("%s against %s: %w", f.captions, f.references, err)
	}
	if f.asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	return r.print(out, f)
}

// fill computes the scores.
func (r *sampleReport) fill(f *scoreFlags, refs score.References, samples score.Samples) error {
	if f.options.AllowMissing {
		maps.DeleteFunc(samples, func(id score.ID, _ []string) bool { return len(refs[id]) == 0 })
		maps.DeleteFunc(refs, func(id score.ID, _ []string) bool { return len(samples[id]) == 0 })
		if err := samples.Check(); err != nil {
			return err
		}
	}
	if err := r.average(f, refs, samples); err != nil {
		return err
	}
	df := f.options.Frequencies
	var err error
	if df == nil {
		if df, err = score.CountFrequencies(refs, f.options.Tokens); err != nil {
			return err
		}
	}
	if r.Samples, err = score.MeasureSamples(samples, df, f.options.Tokens); err != nil {
		return err
	}
	training, err := f.readTraining()
	if err != nil {
		return err
	}
	r.Diversity, err = score.Diversity(samples, training, f.options.Tokens)
	return err
}

// average scores the captions at each place and fills Scores with the means.
func (r *sampleReport) average(f *scoreFlags, refs score.References, samples score.Samples) error {
	metrics, err := score.Select(f.protocol)
	if f.metrics != nil {
		metrics, err = openMetrics(f.metrics)
	}
	if err != nil {
		return err
	}
	each := len(samples[slices.Sorted(maps.Keys(samples))[0]])
	r.Scores, r.scale = make(map[string]float64), make(map[string]float64)
	for k := range each {
		corpus, err := score.Measure(refs, samples.Captions(k), metrics, f.options)
		if err != nil {
			return err
		}
		r.names = corpus.Metrics()
		for i, value := range corpus.Values() {
			name := r.names[i]
			r.Scores[name] += value / float64(each)
			r.scale[name] = corpus.Scale(name)
		}
	}
	return nil
}

func (r *sampleReport) print(out io.Writer, f *scoreFlags) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	s := r.Samples
	fmt.Fprintf(w, "protocol %s, tokens %s, %d images with %d captions each; scores are means over the captions\n",
		f.protocol, f.options.Tokens, s.Count, s.Each)
	for _, name := range r.names {
		fmt.Fprintf(w, "%s\t%.3f\n", name, r.scale[name]*r.Scores[name])
	}
	printDiversity(w, r.Diversity)
	fmt.Fprintf(w, "of an image\tDiv-1 %.4f, Div-2 %.4f", s.Div1, s.Div2)
	if s.SelfCIDEr != nil {
		fmt.Fprintf(w, ", Self-CIDEr %.4f", *s.SelfCIDEr)
	}
	fmt.Fprint(w, " (higher: more varied)\n\t")
	for n, x := range s.MBLEU {
		fmt.Fprintf(w, "mBLEU-%d %.4f, ", n+1, x)
	}
	fmt.Fprintf(w, "self-BLEU %.4f (lower: more varied)\n", *r.Diversity.SelfBLEU)
	return w.Flush()
}

// printDiversity prints a line about all captions.
func printDiversity(w io.Writer, d *score.DiversityScores) {
	fmt.Fprintf(w,
		"captions\t%d different, %.1f tokens on average, %d different words, distinct-1 %.4f, distinct-2 %.4f",
		d.Different, d.MeanWords, d.Words, d.Distinct1, d.Distinct2)
	if d.Unseen != nil {
		fmt.Fprintf(w, ", %.1f %% not among the training captions", 100**d.Unseen)
	}
	fmt.Fprintln(w)
}

// readTraining returns the captions of the file of --training, nil if there is none.
func (f *scoreFlags) readTraining() ([]string, error) {
	if f.training == "" {
		return nil, nil
	}
	refs, err := score.ReadReferences(f.training)
	if err != nil {
		return nil, err
	}
	return slices.Concat(slices.Collect(maps.Values(refs))...), nil
}
