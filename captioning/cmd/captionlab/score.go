package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"captionlab/captioning/score"
)

// scoreFlags are the flags of captionlab score.
type scoreFlags struct {
	references, captions, compare, protocol, explain string
	training                                         string   // file, for novelty
	frequencies, writeFrequencies                    string   // files
	metrics                                          []string // empty means those of the protocol
	options                                          score.Options
	bootstrap                                        score.BootstrapOptions
	asJSON                                           bool
	shard                                            shardFlags
}

// scoreReport is what captionlab score --json prints.
type scoreReport struct {
	Coco      *score.CocoScores      `json:"coco,omitempty"`
	Chosen    *chosenScores          `json:"chosen,omitempty"` // of --metrics
	PA4       *score.PA4Scores       `json:"pa4,omitempty"`
	Intervals score.Intervals        `json:"intervals,omitempty"` // of the chosen protocol, from the bootstrap
	Compared  score.Differences      `json:"compared,omitempty"`
	Diversity *score.DiversityScores `json:"diversity,omitempty"`
}

func newScoreCommand() *cobra.Command {
	var f scoreFlags
	cmd := &cobra.Command{
		Use:   "score",
		Short: "Score a caption file as coco-caption or the paper does",
		Long: "Scores captions (COCO result format) against references (COCO caption annotations). Protocol coco is\n" +
			"what pycocoevalcap 1.2 computes, from 0 to 1 (CIDEr-D to 10), printed times 100. Protocol pa4 is the\n" +
			"mean over images of NLTK's sentence BLEU with smoothing method 1, from 0 to 100. A file\n" +
			"may be compressed with gzip; - is standard input.\n\n" +
			"A file with several captions of each image is scored too: as means over the first captions of all\n" +
			"images, the second ones, and so on, and by how much the captions of an image differ.\n\n" +
			"CIDEr-D weighs n-grams by the number of images with a reference that contains them, by default\n" +
			"among the scored images. --cider-df takes these numbers from a file instead, such as one of a\n" +
			"training set that --write-cider-df wrote:\n" +
			"  {\"images\": N, \"tokens\": \"ptb\", \"frequency\": {\"a dog\": COUNT, ...}}\n\n" +
			shardHelp + " Every part reads all\n" +
			"captions and references, and measures the images of its own.",
		Example: "  captionlab score --references captions_val2014.json --captions results.json\n" +
			"  captionlab score --references R.json --captions C.json --metrics bleu,meteor,cider\n" +
			"  captionlab score --references R.json --captions mine.json --compare theirs.json --bootstrap 1000\n" +
			"  captionlab score --references R.json --captions C.json --protocol pa4 --json\n" +
			"  captionlab score --references R.json --captions C.json --explain 391895\n" +
			"  captionlab score --references captions_train2014.json --write-cider-df df.json\n" +
			"  captionlab score --references R.json --captions C.json --cider-df df.json",
		Args: exactly(0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return usageError{err}
			}
			part, planned, err := f.shard.parse()
			if err != nil {
				return err
			}
			if part != nil || planned > 0 {
				return f.scoreShard(cmd.OutOrStdout(), part, planned)
			}
			return f.run(cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&f.references, "references", "", "references, COCO caption annotation format (required)")
	cmd.Flags().StringVar(&f.captions, "captions", "", "captions to score, COCO result format (required)")
	cmd.Flags().StringVar(&f.compare, "compare", "", "a second caption file: test the difference on the same images")
	cmd.Flags().StringVar(&f.protocol, "protocol", "coco", "protocol: coco or pa4")
	cmd.Flags().StringSliceVar(&f.metrics, "metrics", nil, "some of bleu,rouge,meteor,cider,diversity "+
		"(default: all of the protocol but meteor, which needs captionlab fetch meteor)")
	cmd.Flags().StringVar(&f.options.Tokens, "tokens", "",
		"tokenizer: ptb, treebank or whitespace (default: ptb for coco, whitespace for pa4)")
	cmd.Flags().IntVar(&f.bootstrap.Draws, "bootstrap", 0,
		fmt.Sprintf("draws for confidence intervals, at most %d (default with --compare: 1000)", score.MaxDraws))
	cmd.Flags().Uint64Var(&f.bootstrap.Seed, "seed", 1, "seed of the draws")
	cmd.Flags().StringVar(&f.training, "training", "",
		"captions that the model was trained on, COCO caption annotations: count the captions that are new")
	cmd.Flags().StringVar(&f.explain, "explain", "", "show which n-grams of this image's caption match")
	cmd.Flags().StringVar(&f.frequencies, "cider-df", "",
		"document frequencies of CIDEr-D, as --write-cider-df writes them (default: of the references)")
	cmd.Flags().StringVar(&f.writeFrequencies, "write-cider-df", "",
		"write the document frequencies of the references to this file; --captions is then optional")
	cmd.Flags().BoolVar(&f.options.AllowMissing, "allow-missing", false,
		"leave out images without a caption or without references, and report how many")
	f.shard.register(cmd)
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON, including the scores of single images")
	return cmd
}

func (f *scoreFlags) check() error {
	inputs := 0 // files that are standard input
	for _, file := range []string{f.references, f.captions, f.compare, f.frequencies, f.training} {
		if file == "-" {
			inputs++
		}
	}
	needsCaptions := f.writeFrequencies == "" || f.compare+f.explain+f.frequencies != "" || f.bootstrap.Draws > 0
	switch {
	case f.references == "" || f.captions == "" && needsCaptions:
		return fmt.Errorf("name the references with --references and the captions with --captions")
	case inputs > 1:
		return fmt.Errorf("standard input holds one file: name the references or the captions by path")
	case f.bootstrap.Draws < 0 || f.bootstrap.Draws > score.MaxDraws:
		return fmt.Errorf("%d draws: use 1 to %d", f.bootstrap.Draws, score.MaxDraws)
	case f.frequencies != "" && f.protocol == "pa4":
		return fmt.Errorf("protocol pa4 has no CIDEr-D: leave out --cider-df, or use protocol coco")
	}
	if err := errors.Join(checkProtocol(f.protocol), checkMetrics(f.metrics)); err != nil {
		return err
	}
	if f.metrics != nil && f.protocol == "pa4" {
		return fmt.Errorf("--metrics chooses among the metrics of protocol coco: leave out --protocol pa4")
	}
	if f.options.Tokens == "" {
		f.options.Tokens = map[string]string{"coco": "ptb", "pa4": "whitespace"}[f.protocol]
	}
	_, err := score.Tokenizer(f.options.Tokens)
	return errors.Join(err, f.checkShard())
}

func (f *scoreFlags) run(out io.Writer) error {
	defer debug.SetGCPercent(debug.SetGCPercent(f.garbage()))
	captions, refs, err := f.read()
	if errors.Is(err, score.ErrSeveralCaptions) && f.captions != "-" {
		return f.runSamples(out, err)
	}
	if err != nil {
		return err
	}
	if f.writeFrequencies != "" {
		images, err := f.countFrequencies(refs)
		if err != nil {
			return err
		}
		if f.captions == "" {
			_, err := fmt.Fprintf(out, "%d images counted in %s\n", images, f.writeFrequencies)
			return err
		}
	}
	if f.explain != "" {
		return f.explainOne(out, captions, refs)
	}
	var report scoreReport
	if err := report.fill(f, refs, captions); err != nil {
		return err
	}
	if f.asJSON {
		return json.NewEncoder(out).Encode(report)
	}
	return report.print(out, f)
}

// garbage returns how much garbage may lie in memory, as a percentage of what is used. The command is short and usually
// needs little memory, so it may be much; with large files it is kept small.
func (f *scoreFlags) garbage() int {
	const large = 16 << 20
	var size int64
	for _, file := range []string{f.references, f.captions, f.compare} {
		if info, err := os.Stat(file); err == nil {
			size += info.Size()
		}
		if file == "-" || strings.HasSuffix(file, ".gz") { // of unknown size
			size += large + 1
		}
	}
	if size > large {
		return 50
	}
	return 400
}

// read reads the captions, if there are any, the references, and the document frequencies.
func (f *scoreFlags) read() (captions []score.Caption, refs score.References, err error) {
	if f.captions == "" {
		refs, err = score.ReadReferences(f.references)
		return nil, refs, err
	}
	if captions, refs, err = score.ReadBoth(f.captions, f.references); err != nil {
		return nil, nil, err
	}
	if f.frequencies != "" {
		f.options.Frequencies, err = score.ReadFrequencies(f.frequencies)
	}
	return captions, refs, err
}

// countFrequencies writes the document frequencies of the references and returns the number of images.
func (f *scoreFlags) countFrequencies(refs score.References) (images int, err error) {
	df, err := score.CountFrequencies(refs, f.options.Tokens)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", f.references, err)
	}
	return df.Images, df.Write(f.writeFrequencies)
}

// fill computes everything that the call asks for.
func (r *scoreReport) fill(f *scoreFlags, refs score.References, captions []score.Caption) error {
	var diversityErr error
	var parallel sync.WaitGroup // on a core that scoring leaves idle now and then
	parallel.Go(func() {
		if f.metrics != nil && !slices.Contains(f.metrics, chooseDiversity) {
			return
		}
		scored := captions
		if f.options.AllowMissing { // those without references are left out; else they are an error
			scored = slices.DeleteFunc(slices.Clone(captions),
				func(c score.Caption) bool { return len(refs[c.ID]) == 0 })
		}
		training, err := f.readTraining()
		if err != nil {
			diversityErr = err
			return
		}
		r.Diversity, diversityErr = score.DiversityOfCaptions(scored, training, f.options.Tokens)
	})
	corpus, err := r.score(f, refs, captions)
	parallel.Wait()
	if err != nil {
		return fmt.Errorf("%s against %s: %w", f.captions, f.references, err)
	}
	if diversityErr != nil {
		return diversityErr
	}
	if f.bootstrap.Draws > 0 {
		if r.Intervals, err = score.Bootstrap(corpus, f.bootstrap); err != nil {
			return err
		}
	}
	if f.compare == "" {
		return nil
	}
	others, err := score.ReadCaptions(f.compare)
	if err != nil {
		return err
	}
	second, err := new(scoreReport).score(f, refs, others)
	if err != nil {
		return fmt.Errorf("%s against %s: %w", f.compare, f.references, err)
	}
	if r.Compared, err = score.Compare(corpus, second, f.bootstrap); err != nil {
		return fmt.Errorf("%s and %s: %w", f.captions, f.compare, err)
	}
	return nil
}

// score scores captions in the chosen protocol.
func (r *scoreReport) score(f *scoreFlags, refs score.References,
	captions []score.Caption) (corpus score.Corpus, err error) {
	if f.metrics != nil {
		if r.Chosen, err = scoreChosen(f, refs, captions); err != nil {
			return nil, err
		}
		return r.Chosen.corpus, nil
	}
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
	switch {
	case r.Chosen != nil:
		corpus, count, left = r.Chosen.corpus, r.Chosen.Count, r.Chosen.Left
		if f.protocol == "coco" {
			scale = 100
		}
	case r.Coco != nil:
		corpus, count, left, scale = r.Coco, r.Coco.Count, r.Coco.Left, 100
	default:
		corpus, count, left = r.PA4, r.PA4.Count, r.PA4.Left
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "protocol %s, tokens %s, %d images\n", f.protocol, f.options.Tokens, count)
	if df := f.options.Frequencies; df != nil {
		fmt.Fprintf(w, "document frequencies of %d images from %s\n", df.Images, f.frequencies)
	}
	if left != (score.Left{}) {
		fmt.Fprintf(w, "left out: %d images without a caption, %d captions without references\n", left.NoCaption,
			left.NoReferences)
	}
	for _, name := range corpus.Metrics() {
		value, _ := corpus.Value(name)
		fmt.Fprintf(w, "%s\t%.3f", name, scale*value)
		if i, ok := r.Intervals.Get(name); ok {
			fmt.Fprintf(w, "\t95 %% interval %.3f to %.3f", scale*i.Low, scale*i.High)
		}
		if d, ok := r.Compared.Get(name); ok {
			fmt.Fprintf(w, "\tother %.3f\tdifference %+.3f (%.3f to %.3f)\tp = %.4f",
				scale*d.B, scale*d.Delta, scale*d.Low, scale*d.High, d.P)
		}
		fmt.Fprintln(w)
	}
	d := r.Diversity
	if d == nil {
		return w.Flush()
	}
	printDiversity(w, d)
	return w.Flush()
}
