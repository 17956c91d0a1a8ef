package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"captionlab/captioning"
)

// captionOutput is where captions go while images are captioned.
type captionOutput struct {
	call    *captionCall
	stdout  io.Writer
	meter   *meter
	shared  bool          // the meter and standard output are the same terminal
	format  captionFormat // nil for text and COCO
	file    *captionFile  // of --out, or nil
	only    bool          // there is a single image
	sidecar sidecars
	kept    []captioned // for COCO
	written int
}

// call runs the command.
func (c *captionCall) call(cmd *cobra.Command, args []string) error {
	if err := c.check(cmd.Flags().Changed("beam")); err != nil {
		return usageError{err}
	}
	if err := checkMaxPixels(c.options.MaxPixels); err != nil {
		return err
	}
	part, planned, err := c.shard.parse()
	if err != nil {
		return err
	}
	run, arguments, err := splitRun(c.run, args)
	if err != nil {
		return err
	}
	except := []string{}
	if c.out != "" {
		except = append(except, c.out, c.out+madeWithEnding)
	}
	files, err := filesOf(arguments, except...)
	if err != nil {
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
	m := newMeter()
	if run == "" {
		m.say("captioning with %s; --run chooses another one", captioner.Source())
	}
	job := captionJob{captioner: captioner, generate: c.generation.o, candidates: c.candidates, words: c.json,
		fill: len(files)}
	if c.shard.text != "" {
		job.words = true
		return c.captionShard(cmd, job, files, part, planned)
	}
	return c.caption(cmd.Context(), job, files, &captionOutput{call: c, stdout: cmd.OutOrStdout(), meter: m,
		shared: m.terminal && term.IsTerminal(int(os.Stdout.Fd()))})
}

// caption captions files with job, except those that are done.
func (c *captionCall) caption(ctx context.Context, job captionJob, files []string, out *captionOutput) error {
	out.only, out.sidecar = len(files) == 1, sidecars{c.overwrite}
	todo, problems := c.numbered(files)
	switch {
	case c.json:
		out.format = jsonLines{c.candidates > 1}
	case c.csv:
		out.format = csvLines{c.candidates > 1}
	}
	if c.out != "" {
		file, err := c.openOut(job, out.format)
		if err != nil {
			return err
		}
		out.file = file
		defer file.Close()
		todo, err = out.resume(todo, &problems)
		if err != nil {
			return err
		}
	}
	if c.skipDone {
		todo = slices.DeleteFunc(slices.Clone(todo), func(image string) bool { return exists(sidecarOf(image)) })
	}
	if c.sidecar {
		kept, more, err := out.sidecar.plan(todo)
		if err != nil {
			return err
		}
		todo, problems = kept, append(problems, more...)
	}
	if c.attention != "" {
		var err error
		if job.sheets, err = newAttentionSheets(c.attention, job.captioner, todo); err != nil {
			return err
		}
	}
	skipped := len(files) - len(todo) - len(problems)
	if skipped > 0 {
		out.meter.say("%d of %d images have a caption already", skipped, len(files))
	}
	if len(todo) > job.captioner.Spec().BatchSize && job.progress == nil {
		job.progress = captionMeter(out.meter, len(todo))
	}
	if out.format != nil && out.file == nil {
		if _, err := io.WriteString(out.stdout, out.format.header()); err != nil {
			return err
		}
	}
	more, err := job.each(ctx, todo, func(captions []captioned) error { return out.write(captions, &problems) })
	problems = append(problems, more...)
	if err == nil && c.coco {
		err = printCOCO(out.stdout, out.kept, c.id)
	}
	if err != nil {
		return c.stopped(ctx, err, out.written, len(todo))
	}
	if out.file != nil {
		out.meter.say("%s: captions of %d images, %d of them new", c.out, len(out.file.done)+out.written, out.written)
	}
	return badFiles(problems, len(files))
}

// openOut opens the file of --out.
func (c *captionCall) openOut(job captionJob, format captionFormat) (*captionFile, error) {
	how, err := c.madeWith(job)
	if err != nil {
		return nil, err
	}
	return openCaptionFile(c.out, format, how)
}

// resume returns the images that the file does not hold, completes the sidecars of the others, and reports images whose
// names cannot be written.
func (o *captionOutput) resume(images []string, problems *[]error) ([]string, error) {
	if o.call.sidecar {
		for _, image := range images {
			if caption, done := o.file.done[recordKey(image)]; done {
				if err := o.sidecar.complete(image, caption); err != nil {
					return nil, err
				}
			}
		}
	}
	return slices.DeleteFunc(o.file.remaining(images), func(image string) bool {
		err := writable(image)
		if err != nil {
			*problems = append(*problems, err)
		}
		return err != nil
	}), nil
}

// write writes a part of the captions: first to the file or standard output, then the sidecars.
func (o *captionOutput) write(captions []captioned, problems *[]error) error {
	var text strings.Builder
	var good []captioned
	for _, c := range captions {
		if o.format == nil {
			good = append(good, c)
			continue
		}
		lines, err := o.format.lines(c)
		if err != nil {
			*problems = append(*problems, fmt.Errorf("%q: %w", c.file, err))
			continue
		}
		text.WriteString(lines)
		good = append(good, c)
	}
	if err := o.print(text.String(), good); err != nil {
		return err
	}
	if o.call.sidecar {
		for _, c := range good {
			if err := o.sidecar.write(c.file, c.best().Text); err != nil {
				return err
			}
		}
	}
	o.written += len(captions)
	return nil
}

// print writes lines of a format, or captions as text.
func (o *captionOutput) print(lines string, captions []captioned) error {
	if o.file != nil {
		return o.file.append(lines)
	}
	if o.call.coco {
		o.kept = append(o.kept, captions...)
		return nil
	}
	if o.shared {
		o.meter.clear()
	}
	if o.format != nil {
		_, err := io.WriteString(o.stdout, lines)
		return err
	}
	for _, c := range captions {
		c.file = fmt.Sprint(o.call.id(c.file))
		if err := printText(o.stdout, c, o.only, o.call.candidates > 1); err != nil {
			return err
		}
	}
	return nil
}

// stopped explains an error that ended the work early.
func (c *captionCall) stopped(ctx context.Context, err error, done, all int) error {
	if ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	if c.out != "" || c.sidecar && c.skipDone {
		return fmt.Errorf("stopped after %d of %d images: the same command continues (%w)", done, all, err)
	}
	return fmt.Errorf("stopped after %d of %d images (%w)", done, all, err)
}
