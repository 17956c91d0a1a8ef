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
	"time"

	"github.com/spf13/cobra"

	"captionlab/captioning"
)

func newCaptionCommand() *cobra.Command {
	var generation generationFlags
	var options captioning.EncoderOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "caption RUN IMAGE...",
		Short: "Caption photographs (JPEG, PNG, WebP, GIF) with a trained run",
		Long: "Each IMAGE is a file, or a folder whose files are taken, those of its sub-folders too; hidden ones and links to folders\n" +
			"are left out. What is no picture, or a damaged one, is listed on standard error and does not stop the others; the exit\n" +
			"status is 1 then.\n",
		Example: "  captionlab caption results/flickr8k/baseline/seed-1 holiday.jpg\n" +
			"  captionlab caption results/flickr8k/baseline/seed-1 *.jpg --beam 5\n" +
			"  captionlab caption results/flickr8k/baseline/seed-1 ~/photos --json > captions.json 2> bad.txt\n" +
			"  captionlab caption results/flickr8k/baseline/seed-1 holiday.jpg --temperature 0.7 --sample-seed 3",
		Args: atLeast(2, "the folder of a run and at least one picture"),
		RunE: func(cmd *cobra.Command, args []string) error {
			generate, err := generation.options()
			if err != nil {
				return usageError{err}
			}
			backend, _, err := openBackend()
			if err != nil {
				return err
			}
			model, err := captioning.Open(backend, args[0])
			if err != nil {
				return err
			}
			options.Name = model.Checkpoint.Encoder.Name
			e, err := captioning.OpenEncoder(cmd.Context(), backend, options)
			if err != nil {
				return err
			}
			files, err := filesOf(args[1:])
			if err != nil {
				return err
			}
			open := func(name string) (io.ReadCloser, error) { return os.Open(name) }
			m, done, bad, started := newMeter(), 0, 0, time.Now()
			captions, problems, err := model.CaptionImages(cmd.Context(), e, files, open, generate, func(encoded, unreadable int) {
				done, bad = done+encoded, bad+unreadable
				if rate := float64(done+bad) / time.Since(started).Seconds(); len(files) > e.Spec().BatchSize {
					left := time.Duration(float64(len(files)-done-bad) / rate * float64(time.Second))
					m.show(done+bad == len(files), "pictures: %d of %d, %d unreadable, %.1f/s, %v left", done+bad, len(files), bad, rate, short(left))
				}
			})
			if err != nil {
				return err
			}
			if err := printCaptions(cmd.OutOrStdout(), captions, problems, asJSON); err != nil {
				return err
			}
			return badFiles(problems, len(files))
		},
	}
	generation.register(cmd)
	cmd.Flags().StringVar(&options.Weights, "weights", "", "weights of the run's encoder, .pth or safetensors (default: where they are kept)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON in COCO result format, with the log-probability beside")
	return cmd
}

// filesOf replaces folders by the files in and below them, in order, hidden ones left out. Links to folders are not followed:
// they can lead round in circles.
func filesOf(arguments []string) ([]string, error) {
	var files []string
	for _, argument := range arguments {
		info, err := os.Stat(argument)
		if err != nil || !info.IsDir() { // a file that is not there is reported like one that cannot be read
			files = append(files, argument)
			continue
		}
		before := len(files)
		err = filepath.WalkDir(argument, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			hidden := strings.HasPrefix(entry.Name(), ".") && path != argument
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
			return nil, fmt.Errorf("folder %s holds no file", argument)
		}
	}
	return files, nil
}

// isFile tells whether an entry of a folder is to be read: a file, or a link to one or to nothing, which is reported then.
func isFile(path string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err != nil || info.Mode().IsRegular()
}

// badFiles is the list of what could not be read, or nil.
func badFiles(problems []error, files int) error {
	all := errors.Join(problems...)
	if joined, ok := all.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 1 {
		return fmt.Errorf("%d of %d files have no caption:\n%w", len(joined.Unwrap()), files, all)
	}
	return all
}

func printCaptions(out io.Writer, captions []captioning.Caption, problems []error, asJSON bool) error {
	type row struct {
		ID      string  `json:"image_id"`
		Caption string  `json:"caption"`
		LogProb float64 `json:"log_prob"`
	}
	rows := []row{}
	for i, c := range captions {
		if problems[i] == nil {
			rows = append(rows, row{c.ID, c.Text, c.LogProb})
		}
	}
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		return encoder.Encode(rows)
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
