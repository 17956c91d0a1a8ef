package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/encoder"
)

// captionCall is one call of captionlab caption.
type captionCall struct {
	generation generationFlags
	generate   decoder.GenerateOptions
	options    captioning.CaptionerOptions
	model      string // run folder or packed model; empty for the model that comes with captionlab
	asJSON     bool
	asCSV      bool
	candidates int // captions of each image; 0 means one, without the probabilities of words
	idFrom     string
	out        string
	sidecar    sidecars
}

func newCaptionCommand() *cobra.Command {
	var c captionCall
	cmd := &cobra.Command{
		Use:   "caption [RUN] IMAGE...",
		Short: "Caption images (JPEG, PNG, WebP, GIF)",
		Long: "Each IMAGE is a file or a folder. A folder stands for all files in it and in its subfolders, except\n" +
			"hidden files and links to folders. Files that are damaged or not images are listed on standard error\n" +
			"and do not stop the others; the exit status is then 1. Photographs are turned upright, as their EXIF\n" +
			"orientation says. Of an animation, the first image counts. CMYK, 16-bit and palette images become\n" +
			"RGB.\n\n" +
			"RUN is a run folder or a packed model; it may also be named with --run. Without it, the model that\n" +
			"comes with captionlab is used, which learned from photographs of people and dogs outdoors.\n\n" +
			"--out writes a file as the work goes on. Stopped by Ctrl-C or anything else, the same command\n" +
			"continues it: no image is captioned twice, none is left out.",
		Example: "  captionlab caption holiday.jpg\n" +
			"  captionlab caption holiday.jpg --beam 5 --candidates 5\n" +
			"  captionlab caption results/flickr8k/baseline/seed-1 *.jpg --beam 3\n" +
			"  captionlab caption ~/photos --json > captions.json 2> bad.txt\n" +
			"  captionlab caption ~/photos --out captions.csv      # can be stopped, and continued\n" +
			"  captionlab caption ~/photos --sidecar --skip-done   # a .txt beside each image\n" +
			"  captionlab caption --run model.safetensors holiday.jpg --temperature 0.7 --sample-seed 3",
		Args: atLeast(1, "at least one image"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) },
	}
	c.registerIDFrom(cmd)
	c.generation.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.model, "run", "", "run folder or packed model (default: the model that comes with captionlab)")
	flags.StringVar(&c.options.Weights, "weights", "",
		"weights of the run's encoder, .pth or safetensors (default: where they are kept)")
	registerMaxPixels(cmd, &c.options.MaxPixels)
	flags.BoolVar(&c.asJSON, "json", false, "print JSON in COCO result format, with the log-probability added")
	flags.BoolVar(&c.asCSV, "csv", false, "print CSV: image_id, rank, caption, log_prob, probability")
	flags.IntVar(&c.candidates, "candidates", 0,
		"captions of each image, with their probabilities and, in JSON, those of their words; needs a beam of that\n"+
			"size, or sampling")
	flags.StringVar(&c.out, "out", "", "write to this file, .csv or .jsonl (a line of JSON for each image)")
	flags.BoolVar(&c.sidecar.on, "sidecar", false, "write each caption to a .txt beside its image")
	flags.BoolVar(&c.sidecar.skip, "skip-done", false, "with --sidecar: leave out images that have a .txt already")
	flags.BoolVar(&c.sidecar.overwrite, "overwrite", false, "with --sidecar: replace .txt files")
	return cmd
}

// check completes and checks the options.
func (c *captionCall) check(cmd *cobra.Command) (err error) {
	if c.generate, err = c.generation.options(); err != nil {
		return usageError{err}
	}
	if err := checkMaxPixels(c.options.MaxPixels); err != nil {
		return err
	}
	if cmd.Flags().Changed("candidates") || c.candidates != 0 {
		if err := captioning.CheckCandidates(c.candidates, c.generate); err != nil {
			return usageError{err}
		}
	}
	var outputs []string
	for name, on := range map[string]bool{"--json": c.asJSON, "--csv": c.asCSV, "--out": c.out != ""} {
		if on {
			outputs = append(outputs, name)
		}
	}
	slices.Sort(outputs)
	if len(outputs) > 1 {
		return usageError{fmt.Errorf("%s and %s exclude each other: the end of the name of --out chooses its format",
			outputs[0], outputs[1])}
	}
	return cmp.Or(c.sidecar.check(), checkOut(c.out))
}

func (c *captionCall) run(cmd *cobra.Command, arguments []string) error {
	if err := c.check(cmd); err != nil {
		return err
	}
	model, images, err := splitArguments(c.model, arguments)
	if err != nil {
		return err
	}
	c.model = model
	files, err := filesOf(images, c.isOutput)
	if err != nil {
		return err
	}
	total := len(files)
	files, ids, unnumbered := c.ids(files)
	if files, ids, err = c.sidecar.prepare(files, ids); err != nil {
		return err
	}
	backend, _, err := openBackend()
	if err != nil {
		return err
	}
	captioner, err := captioning.OpenCaptioner(cmd.Context(), backend, c.model, c.options)
	if err != nil {
		return err
	}
	defer captioner.Close()
	sink, err := c.sink(cmd, captioner, len(files))
	if err != nil {
		return err
	}
	problems, err := c.captionAll(cmd.Context(), captioner, sink, files, ids)
	if err = errors.Join(err, sink.close()); err != nil {
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
