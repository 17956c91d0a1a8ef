package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"captionlab/captioning/score"
)

// scoreFlags are the flags of captionlab score.
type scoreFlags struct {
	references, captions, compare, protocol, explain string
	options                                          score.Options
	bootstrap                                        score.BootstrapOptions
	asJSON                                           bool
}

// scoreReport is what captionlab score --json prints.
type scoreReport struct {
	Coco      *score.CocoScores      `json:"coco,omitempty"`
	PA4       *score.PA4Scores       `json:"pa4,omitempty"`
	Intervals []score.Interval       `json:"intervals,omitempty"` // of the protocol asked for, from the bootstrap
	Compared  []score.Difference     `json:"compared,omitempty"`
	Diversity *score.DiversityScores `json:"diversity"`
}

func newScoreCommand() *cobra.Command {
	var f scoreFlags
	cmd := &cobra.Command{
		Use:   "score",
		Short: "Score a caption file as coco-caption or the paper does",
		Long: "Score captions (COCO result format) against references (COCO caption annotations).\n" +
			"Protocol coco is what pycocoevalcap 1.2 computes, from 0 to 1 (CIDEr to 10), printed times 100; protocol pa4 is NLTK's\n" +
			"sentence BLEU with method 1, the mean over pictures, from 0 to 100.",
		Example: "  captionlab score --references captions_val2014.json --captions results.json\n" +
			"  captionlab score --references R.json --captions mine.json --compare theirs.json --bootstrap 1000\n" +
			"  captionlab score --references R.json --captions C.json --protocol pa4 --json\n" +
			"  captionlab score --references R.json --captions C.json --explain 391895",
		Args: exactly(0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return usageError{err}
			}
			return f.run(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&f.references, "references", "", "references, COCO caption annotation format (needed)")
	cmd.Flags().StringVar(&f.captions, "captions", "", "captions to score, COCO result format (needed)")
	cmd.Flags().StringVar(&f.compare, "compare", "", "a second caption file: test the difference on the same pictures")
	cmd.Flags().StringVar(&f.protocol, "protocol", "coco", "protocol: coco or pa4")
	cmd.Flags().StringVar(&f.options.Tokens, "tokens", "", "tokenizer: ptb, treebank or whitespace (default: ptb for coco, whitespace for pa4)")
	cmd.Flags().IntVar(&f.bootstrap.Draws, "bootstrap", 0, "draws for confidence intervals (with --compare: 1000 unless given)")
	cmd.Flags().Uint64Var(&f.bootstrap.Seed, "seed", 1, "seed of the draws")
	cmd.Flags().StringVar(&f.explain, "explain", "", "show which n-grams of this picture's caption match")
	cmd.Flags().BoolVar(&f.options.AllowMissing, "allow-missing", false, "leave out pictures without a caption or without references, and say how many")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON, each picture's scores too")
	return cmd
}

func (f *scoreFlags) check() error {
	switch {
	case f.references == "" || f.captions == "":
		return fmt.Errorf("name the references with --references and the captions with --captions")
	case f.protocol != "coco" && f.protocol != "pa4":
		return fmt.Errorf("unknown protocol %q: use coco or pa4", f.protocol)
	case f.bootstrap.Draws < 0:
		return fmt.Errorf("%d draws: use at least 1", f.bootstrap.Draws)
	}
	if f.options.Tokens == "" {
		f.options.Tokens = map[string]string{"coco": "ptb", "pa4": "whitespace"}[f.protocol]
	}
	_, err := score.Tokenizer(f.options.Tokens)
	return err
}

func (f *scoreFlags) run(out io.Writer) error {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // the command is short and its memory small: collect less often
	captions, refs, err := score.ReadBoth(f.captions, f.references)
	if err != nil {
		return err
	}
	if f.explain != "" {
		return f.explainOne(out, captions, refs)
	}
	var report scoreReport
	var diversityErr error
	var beside sync.WaitGroup // on the core that scoring leaves idle now and then
	beside.Go(func() {
		samples := make(map[score.ID][]string, len(captions))
		for _, c := range captions {
			samples[c.ID] = append(samples[c.ID], c.Text)
		}
		report.Diversity, diversityErr = score.Diversity(samples, nil, f.options.Tokens)
	})
	corpus, err := report.score(f, refs, captions)
	beside.Wait()
	if err != nil {
		return fmt.Errorf("%s against %s: %w", f.captions, f.references, err)
	}
	if f.bootstrap.Draws > 0 {
		if report.Intervals, err = score.Bootstrap(corpus, f.bootstrap); err != nil {
			return err
		}
	}
	if f.compare != "" {
		others, err := score.ReadCaptions(f.compare)
		if err != nil {
			return err
		}
		second, err := new(scoreReport).score(f, refs, others)
		if err != nil {
			return fmt.Errorf("%s against %s: %w", f.compare, f.references, err)
		}
		if report.Compared, err = score.Compare(corpus, second, f.bootstrap); err != nil {
			return fmt.Errorf("%s and %s: %w", f.captions, f.compare, err)
		}
	}
	if diversityErr != nil {
		return diversityErr
	}
	if f.asJSON {
		return json.NewEncoder(out).Encode(report)
	}
	return report.print(out, f)
}

// score scores captions in the protocol asked for.
func (r *scoreReport) score(f *scoreFlags, refs score.References, captions []score.Caption) (corpus score.Corpus, err error) {
	if f.protocol == "coco" {
		r.Coco, err = score.Coco(refs, captions, f.options)
		return r.Coco, err
	}
	r.PA4, err = score.PA4(refs, captions, f.options)
	return r.PA4, err
}

func (f *scoreFlags) explainOne(out io.Writer, captions []score.Caption, refs score.References) error {
	for _, c := range captions {
		if c.ID != score.ID(f.explain) {
			continue
		}
		if len(refs[c.ID]) == 0 {
			return fmt.Errorf("%s has no references for image %s", f.references, f.explain)
		}
		e, err := score.Explain(c.Text, refs[c.ID], f.options.Tokens)
		if err != nil {
			return err
		}
		if f.asJSON {
			return json.NewEncoder(out).Encode(e)
		}
		_, err = fmt.Fprint(out, e)
		return err
	}
	return fmt.Errorf("%s has no caption of image %s", f.captions, f.explain)
}

func (r *scoreReport) print(out io.Writer, f *scoreFlags) error {
	var corpus score.Corpus
	var count int
	var left score.Left
	scale := 1.0
	if r.Coco != nil {
		corpus, count, left, scale = r.Coco, r.Coco.Count, r.Coco.Left, 100
	} else {
		corpus, count, left = r.PA4, r.PA4.Count, r.PA4.Left
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "protocol %s, tokens %s, %d pictures\n", f.protocol, f.options.Tokens, count)
	if left != (score.Left{}) {
		fmt.Fprintf(w, "left out: %d pictures without a caption, %d captions without references\n", left.NoCaption, left.NoReferences)
	}
	values := corpus.Values()
	for m, name := range corpus.Metrics() {
		fmt.Fprintf(w, "%s\t%.3f", name, scale*values[m])
		if r.Intervals != nil {
			fmt.Fprintf(w, "\t95 %% interval %.3f to %.3f", scale*r.Intervals[m].Low, scale*r.Intervals[m].High)
		}
		if r.Compared != nil {
			d := r.Compared[m]
			fmt.Fprintf(w, "\tother %.3f\tdifference %+.3f (%.3f to %.3f)\tp = %.4f", scale*d.B, scale*d.Delta, scale*d.Low, scale*d.High, d.P)
		}
		fmt.Fprintln(w)
	}
	d := r.Diversity
	fmt.Fprintf(w, "captions\t%d different, %.1f tokens on average, %d different words, distinct-1 %.4f, distinct-2 %.4f\n", d.Different, d.MeanWords, d.Words, d.Distinct1, d.Distinct2)
	return w.Flush()
}
