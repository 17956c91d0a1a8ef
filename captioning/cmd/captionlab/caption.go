package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/encoder"
	"captionlab/captioning/internal/pace"
)

// captionCall is one call of captionlab caption.
type captionCall struct {
	generation generationFlags
	options    captioning.CaptionerOptions
	run        string
	idFrom     string
	candidates int
	out        string
	attention  string // folder
	shard      shardFlags

	json, csv, coco              bool // the format; none of them means text
	sidecar, overwrite, skipDone bool
}

func newCaptionCommand() *cobra.Command {
	var c captionCall
	cmd := &cobra.Command{
		Use:   "caption [RUN] IMAGE|FOLDER...",
		Short: "Caption images (JPEG, PNG, WebP, GIF), with the model that comes with captionlab or with your own",
		Long: "A folder stands for all files in it and in its subfolders, except hidden files and links to folders.\n" +
			"The model is the one that comes with captionlab, which learned from photographs of people and dogs\n" +
			"outdoors, unless --run or the first argument is the folder of a run or a packed model. Several of\n" +
			"them, as RUN1,RUN2, decide together (an ensemble).\n\n" +
			"Files that are damaged or not images are listed on standard error and do not stop the others; the exit\n" +
			"status is then 1. Photographs are turned upright, as their EXIF orientation says. Of an animation the\n" +
			"first frame is captioned. HEIC, AVIF, JPEG XL, TIFF, BMP and camera raw files are recognised, and\n" +
			"listed with a command that converts them.\n\n" +
			"With --out or with --sidecar --skip-done, work that was stopped (Ctrl-C) is continued by the same\n" +
			"command. Images that cannot be read are tried again.\n\n" +
			shardHelp + " Of captions, --shard\npublishes the lines of --json.",
		Example: "  captionlab caption photo.jpg\n" +
			"  captionlab caption ~/photos --beam 5 --candidates 5\n" +
			"  captionlab caption ~/photos --out captions.csv\n" +
			"  captionlab caption ~/photos --sidecar --skip-done\n" +
			"  captionlab caption ~/photos --json > captions.jsonl 2> bad.txt\n" +
			"  captionlab caption results/flickr8k/baseline/seed-1 photo.jpg\n" +
			"  captionlab caption ~/photos --shard 3/32 --shard-dir shards   # one of 32 processes\n" +
			"  captionlab caption --run baseline.safetensors photo.jpg --temperature 0.7 --sample-seed 3",
		RunE: func(cmd *cobra.Command, args []string) error { return c.call(cmd, args) },
	}
	c.registerIDFrom(cmd)
	c.generation.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.run, "run", "",
		"folder of a run, or a packed model (default: the model that comes with captionlab)")
	flags.StringVar(&c.options.Weights, "weights", "",
		"weights of the run's encoder, .pth or safetensors (default: where they are kept)")
	registerMaxPixels(cmd, &c.options.MaxPixels)
	c.shard.register(cmd)
	flags.IntVar(&c.candidates, "candidates", 1,
		"captions of each image, with their probabilities; sets --beam to as many unless it is given")
	flags.BoolVar(&c.json, "json", false,
		"print a line of JSON an image: file, caption, log-probability, probability and words")
	flags.BoolVar(&c.csv, "csv", false, "print CSV with a header: file, caption, probability; one row a candidate")
	flags.BoolVar(&c.coco, "coco", false, "print a list in COCO result format, with the log-probability added")
	flags.StringVar(&c.out, "out", "", "write to this file (.csv, .json or .jsonl), and continue it if it exists")
	flags.BoolVar(&c.sidecar, "sidecar", false, "write the caption of photo.jpg to photo.txt, next to it")
	flags.BoolVar(&c.overwrite, "overwrite", false, "let --sidecar replace files that exist")
	flags.StringVar(&c.attention, "attention", "",
		"draw where the model looks at each word of the caption, as a PNG an image in this folder")
	flags.BoolVar(&c.skipDone, "skip-done", false,
		"skip images that have a sidecar (those in the file of --out are always skipped)")
	return cmd
}

// check completes the options and reports wrong ones.
func (c *captionCall) check(beamGiven bool) error {
	if c.out != "" && !c.json && !c.csv && !c.coco {
		switch strings.ToLower(filepath.Ext(c.out)) {
		case ".csv":
			c.csv = true
		case ".json", ".jsonl", ".ndjson":
			c.json = true
		default:
			return fmt.Errorf("--out %s: choose --json or --csv, or a name that ends in .jsonl or .csv", c.out)
		}
	}
	formats := 0
	for _, chosen := range []bool{c.json, c.csv, c.coco} {
		if chosen {
			formats++
		}
	}
	if !beamGiven && c.generation.o.Temperature == 0 && c.candidates > 1 {
		c.generation.o.Beam = c.candidates
	}
	switch {
	case formats > 1:
		return errors.New("--json, --csv and --coco exclude each other")
	case c.out != "" && c.coco:
		return errors.New("--out takes --json or --csv; for --coco, redirect standard output to a file")
	case c.coco && c.candidates > 1:
		return errors.New("--coco has one caption an image: use --json or --csv for --candidates")
	case c.idFrom == idFromName && (c.json || c.csv):
		return errors.New("--id-from name is for --coco: --json and --csv name the file")
	case c.overwrite && !c.sidecar:
		return errors.New("--overwrite is for --sidecar, which is missing")
	case c.overwrite && c.skipDone:
		return errors.New("--overwrite and --skip-done exclude each other")
	}
	if err := c.checkShard(); err != nil {
		return err
	}
	return captioning.CheckCandidates(c.candidates, c.generation.o)
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
		m.show(done == files, "%simages: %d of %d, %d unreadable, %.1f/s, %v left", m.bar(done, files), done, files,
			bad, rate, short(left))
	}
}

// badFiles is the list of the files that could not be read, or nil.
func badFiles(problems []error, files int) error {
	all := errors.Join(problems...)
	if joined, ok := all.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 1 {
		return fmt.Errorf("%d of %d files have no caption:\n%w", len(joined.Unwrap()), files, all)
	}
	return all
}
