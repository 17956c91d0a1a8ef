package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/captioning/internal/pace"
	"captionlab/captioning/score"
)

// captionCall is one call of captionlab caption.
type captionCall struct {
	generation generationFlags
	options    captioning.CaptionerOptions
	asJSON     bool
	idFrom     string
}

func newCaptionCommand() *cobra.Command {
	var c captionCall
	cmd := &cobra.Command{
		Use:   "caption RUN IMAGE...",
		Short: "Caption images (JPEG, PNG, WebP, GIF) with a trained run",
		Long: "Each IMAGE is a file or a folder. A folder stands for all files in it and in its subfolders, except\n" +
			"hidden files and links to folders. Files that are damaged or not images are listed on standard error\n" +
			"and do not stop the others; the exit status is then 1. Photographs are turned upright, as their EXIF\n" +
			"orientation says.",
		Example: "  captionlab caption results/flickr8k/baseline/seed-1 holiday.jpg\n" +
			"  captionlab caption results/flickr8k/baseline/seed-1 *.jpg --beam 5\n" +
			"  captionlab caption results/flickr8k/baseline/seed-1 ~/photos --json > captions.json 2> bad.txt\n" +
			"  captionlab caption results/flickr8k/baseline/seed-1 holiday.jpg --temperature 0.7 --sample-seed 3",
		Args: atLeast(2, "the folder of a run and at least one image"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0], args[1:]) },
	}
	c.registerIDFrom(cmd)
	c.generation.register(cmd)
	cmd.Flags().StringVar(&c.options.Weights, "weights", "",
		"weights of the run's encoder, .pth or safetensors (default: where they are kept)")
	registerMaxPixels(cmd, &c.options.MaxPixels)
	cmd.Flags().BoolVar(&c.asJSON, "json", false, "print JSON in COCO result format, with the log-probability added")
	return cmd
}

func (c *captionCall) run(cmd *cobra.Command, run string, arguments []string) error {
	generate, err := c.generation.options()
	if err != nil {
		return usageError{err}
	}
	if err := checkMaxPixels(c.options.MaxPixels); err != nil {
		return err
	}
	backend, _, err := openBackend()
	if err != nil {
		return err
	}
	captioner, err := captioning.OpenCaptioner(cmd.Context(), backend, run, c.options)
	if err != nil {
		return err
	}
	defer captioner.Close()
	files, err := filesOf(arguments)
	if err != nil {
		return err
	}
	total := len(files)
	files, ids, unnumbered := c.ids(files)
	o := captioning.FilesOptions{Generate: generate}
	if len(files) > captioner.Spec().BatchSize {
		o.Progress = captionMeter(newMeter(), len(files))
	}
	captions, problems, err := captioner.CaptionFiles(cmd.Context(), files, o)
	if err != nil {
		return err
	}
	for i := range ids {
		captions[i].ID = ids[i]
	}
	if err := printCaptions(cmd.OutOrStdout(), captions, problems, c.asJSON, c.shown); err != nil {
		return err
	}
	return badFiles(append(unnumbered, problems...), total)
}

// registerMaxPixels adds the flag --max-pixels to a command that decodes images.
func registerMaxPixels(cmd *cobra.Command, pixels *int) {
	cmd.Flags().IntVar(pixels, "max-pixels", encoder.MaxPixels,
		"largest image that is decoded, in pixels; above the default, memory and time may grow as well")
}

func checkMaxPixels(pixels int) error {
	if pixels < 1 {
		return usageError{fmt.Errorf("--max-pixels is %d, must be at least 1", pixels)}
	}
	return nil
}

// captionMeter shows how many of the files are encoded.
func captionMeter(m *meter, files int) func(encoded, unreadable int) {
	done, bad, p := 0, 0, pace.New()
	return func(encoded, unreadable int) {
		done, bad = done+encoded+unreadable, bad+unreadable
		rate, left := p.At(float64(done), float64(files-done))
		m.show(done == files, "images: %d of %d, %d unreadable, %.1f/s, %v left", done, files, bad, rate, short(left))
	}
}

// filesOf replaces folders by the files in them and below, in order, without hidden ones. It does not follow links to
// folders, which could form a circle.
func filesOf(arguments []string) ([]string, error) {
	var files []string
	for _, argument := range arguments {
		info, err := os.Stat(argument)
		if err != nil || !info.IsDir() { // a missing file is reported like one that cannot be read
			files = append(files, argument)
			continue
		}
		before := len(files)
		root := argument
		if link, err := os.Lstat(argument); err == nil && link.Mode()&fs.ModeSymlink != 0 {
			root += string(filepath.Separator) // WalkDir does not enter a link
		}
		err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			hidden := strings.HasPrefix(entry.Name(), ".") && path != root
			if hidden && entry.IsDir() {
				return fs.SkipDir
			}
			if !hidden && isFile(path, entry) {
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("folder %s: %w", argument, err)
		}
		if len(files) == before {
			return nil, fmt.Errorf("folder %s contains no files", argument)
		}
	}
	return files, nil
}

// isFile reports whether an entry of a folder is to be captioned: everything but folders and links to folders. What is
// not a regular file, or a link to one, is reported when it is opened.
func isFile(path string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return !entry.IsDir()
	}
	info, err := os.Stat(path)
	return err != nil || !info.IsDir()
}

// badFiles is the list of the files that could not be read, or nil.
func badFiles(problems []error, files int) error {
	all := errors.Join(problems...)
	if joined, ok := all.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 1 {
		return fmt.Errorf("%d of %d files have no caption:\n%w", len(joined.Unwrap()), files, all)
	}
	return all
}

func printCaptions(out io.Writer, captions []score.Caption, problems []error, asJSON bool,
	shown func(score.ID) any) error {
	type row struct {
		ID      any     `json:"image_id"` // a string, or a score.ID
		Caption string  `json:"caption"`
		LogProb float64 `json:"log_prob"`
	}
	rows := []row{}
	for i, c := range captions {
		if problems[i] == nil {
			rows = append(rows, row{shown(c.ID), c.Text, c.LogProb})
		}
	}
	if asJSON {
		list := json.NewEncoder(out)
		list.SetEscapeHTML(false)
		list.SetIndent("", " ")
		return list.Encode(rows)
	}
	for _, r := range rows {
		if len(captions) == 1 {
			fmt.Fprintln(out, r.Caption)
		} else {
			fmt.Fprintf(out, "%s\t%s\n", r.ID, r.Caption)
		}
	}
	return nil
}
