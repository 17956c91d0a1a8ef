package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"captionlab/captioning/encoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/score"
	"captionlab/datasets/custom"
)

// dataCheck is one call of captionlab data check.
type dataCheck struct {
	options      custom.Options
	splitBy      string
	asJSON, fast bool
}

func newDataCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "data",
		Short:   "Examine your own images and captions",
		Example: "  captionlab data check ~/photos",
		Args:    exactly(0, "a subcommand: check"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDataCheckCommand())
	return cmd
}

func newDataCheckCommand() *cobra.Command {
	var c dataCheck
	cmd := &cobra.Command{
		Use:   "check PATH",
		Short: "Report what a folder of images and captions holds and what is wrong with it",
		Long: "Report what your own data holds, what is wrong with it, and the command that trains on it. PATH is a\n" +
			"folder, or a file of captions with its images around it: COCO's or Karpathy's JSON; rows in JSONL,\n" +
			"CSV or TSV with a header such as file_name,text; images with text files of the same name (dog.jpg,\n" +
			"dog.txt); webdataset tar archives; or images only, for captionlab features. Nothing is changed.\n" +
			"The exit status is 1 if training could not start.",
		Example: "  captionlab data check ~/photos\n" +
			"  captionlab data check ~/photos/captions.csv --fast --json",
		Args: exactly(1, "the path of a folder, or of a file of captions"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	cmd.Flags().StringVar(&c.options.Images, "data", "", "folder of the images (default: around the captions)")
	registerShares(cmd.Flags(), &c.splitBy, &c.options.Seed)
	cmd.Flags().BoolVar(&c.asJSON, "json", false, "print everything as JSON, with all problems")
	cmd.Flags().BoolVar(&c.fast, "fast", false, "do not read the images")
	return cmd
}

func (c *dataCheck) run(cmd *cobra.Command, path string) (err error) {
	if c.options.Shares, err = custom.ParseShares(c.splitBy); err != nil {
		return usageError{fmt.Errorf("--split-by: %w", err)}
	}
	settings := experiment.Defaults()
	tokenize, err := score.Tokenizer(settings.Tokens)
	if err != nil {
		return err
	}
	o := custom.CheckOptions{Options: c.options, Words: tokenize, MinCount: settings.MinCount,
		MaxWords: settings.MaxTokens - 2}
	if !c.fast {
		m := newMeter()
		o.Decode = func(in io.Reader) error { _, err := encoder.Decode(in); return err }
		o.Progress = func(done, total int) { m.show(done == total, "%d of %d images read", done, total) }
	}
	report, err := custom.Check(cmd.Context(), path, o)
	if err != nil {
		return err
	}
	if c.asJSON {
		out := json.NewEncoder(cmd.OutOrStdout())
		out.SetEscapeHTML(false)
		out.SetIndent("", " ")
		err = out.Encode(struct {
			*custom.Report
			Command string `json:"command"`
		}{report, c.command(cmd, report)})
	} else {
		err = c.print(cmd, report)
	}
	if err == nil && !report.Trainable {
		err = fmt.Errorf("training cannot start: %s", report.Missing)
	}
	return err
}

// command is the command line that uses the data.
func (c *dataCheck) command(cmd *cobra.Command, r *custom.Report) string {
	name := "train"
	switch {
	case r.Layout == custom.ImagesOnly:
		name = "features"
	case !r.Trainable:
		return ""
	}
	words := []string{"captionlab", name, "--dataset", quoted(asPath(r.Path))}
	if c.options.Images != "" {
		words = append(words, "--data", quoted(c.options.Images))
	}
	if cmd.Flags().Changed("split-by") || cmd.Flags().Changed("split-seed") {
		words = append(words, "--split-by", c.options.Shares.String(), "--split-seed", fmt.Sprint(c.options.Seed))
	}
	return strings.Join(words, " ")
}

// asPath makes sure that a path is not taken for the name of a known dataset.
func asPath(path string) string {
	if strings.ContainsRune(filepath.ToSlash(path), '/') {
		return path
	}
	return "." + string(filepath.Separator) + path
}

// quoted quotes a word for a shell if it needs to be.
func quoted(word string) string {
	if strings.ContainsAny(word, " \t\n'\"\\$&|;<>()*?[]{}!#`") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

func (c *dataCheck) print(cmd *cobra.Command, r *custom.Report) error {
	out := cmd.OutOrStdout()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "data\t%s (%s)\n", r.Path, r.Name)
	if r.Layout != "" {
		fmt.Fprintf(w, "layout\t%s: %s\nsplits\t%s\n", r.Layout, r.Why, r.SplitBy)
		for _, s := range r.Splits {
			fmt.Fprintf(w, "  %s\t%d images, %d captions\n", s.Split, s.Images, s.Captions)
		}
		read := "all of them read"
		if !r.Decoded {
			read = "none of them read"
		}
		fmt.Fprintf(w, "images\t%d, %s\n", r.Images, read)
	}
	if r.Captions > 0 {
		fmt.Fprintf(w, "captions\t%d, %d to %d of an image, %.1f on average\n", r.Captions, r.PerImage.Least,
			r.PerImage.Largest, r.PerImage.Mean)
		fmt.Fprintf(w, "words\t%d to %d in a caption, %.1f on average; training cuts %d longer captions to %d words\n",
			r.Words.Least, r.Words.Largest, r.Words.Mean, r.Cut, experiment.Defaults().MaxTokens-2)
		fmt.Fprintf(w, "vocabulary\t%d words, of %d different ones in the training captions\n", r.Vocabulary,
			r.Different)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	printGroups(out, "not used", r.Problems)
	printGroups(out, "worth knowing", r.Oddities)
	if command := c.command(cmd, r); command != "" {
		fmt.Fprintf(out, "next step: %s\n", command)
	}
	return nil
}

// printGroups prints each kind of problems with the first few.
func printGroups(out io.Writer, title string, groups []custom.Group) {
	const shown = 5
	for _, g := range groups {
		fmt.Fprintf(out, "%s: %s: %d\n", title, g.Kind, g.Count)
		for _, p := range g.Problems[:min(shown, g.Count)] {
			fmt.Fprintf(out, "  %s\n", p)
		}
		if g.Count > shown {
			fmt.Fprintf(out, "  ... and %d more; --json lists all\n", g.Count-shown)
		}
	}
}
