package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/internal/shard"
)

// checkShard fails for options that do not go with --shard.
func (c *captionCall) checkShard() error {
	if c.shard.text != "" && (c.out != "" || c.csv || c.coco || c.sidecar || c.skipDone) {
		return errors.New("--shard publishes lines of JSON: leave out --out, --csv, --coco, --sidecar and --skip-done")
	}
	return nil
}

// captionShard publishes the captions of one part of files or, with a number of shards, only the plan.
func (c *captionCall) captionShard(cmd *cobra.Command, job captionJob, files []string, part *shard.Part,
	planned int) error {
	out, m := cmd.OutOrStdout(), newMeter()
	var unwritable []error
	seen := make(map[string]bool)
	files = slices.DeleteFunc(slices.Clone(files), func(file string) bool {
		err := writable(file)
		if err != nil {
			unwritable = append(unwritable, err)
		}
		again := seen[recordKey(file)]
		seen[recordKey(file)] = true
		return err != nil || again
	})
	if part != nil {
		planned = part.Count
	}
	work, err := c.captionWork(job, files, planned)
	if err != nil {
		return err
	}
	r, isNew, err := c.shard.publish(out, work, part, func(task shard.Task) (*shard.Record, error) {
		job.fill = len(files)
		files := slices.DeleteFunc(slices.Clone(files), func(file string) bool { return !task.Part.Holds(file) })
		job.progress = captionMeter(m, len(files))
		return c.publishCaptions(cmd.Context(), job, files, task)
	})
	if err != nil {
		return err
	}
	if r == nil {
		return badFiles(unwritable, len(files))
	}
	for _, bad := range r.Bad {
		m.say("%s", bad.Reason)
	}
	return printShard(out, c.shard.dir, *r, isNew)
}

// captionWork describes the captions of files as work.
func (c *captionCall) captionWork(job captionJob, files []string, shards int) (shard.Work, error) {
	how, err := c.madeWith(job)
	if err != nil {
		return shard.Work{}, err
	}
	settings := map[string]string{"max_pixels": fmt.Sprint(c.options.MaxPixels)}
	for key, value := range how.values() {
		if key != "run" {
			settings[key] = fmt.Sprint(value)
		}
	}
	sum := sha256.New()
	for _, file := range files {
		size := int64(-1) // of a file that cannot be read
		if info, err := os.Stat(file); err == nil {
			size = info.Size()
		}
		fmt.Fprintf(sum, "%q %d\n", file, size)
	}
	return shard.Work{Kind: shard.Captions, Inputs: hex.EncodeToString(sum.Sum(nil)), Settings: settings,
		Shards: shards, IDs: slices.Values(files)}, nil
}

// publishCaptions captions files and publishes a line for each.
func (c *captionCall) publishCaptions(ctx context.Context, job captionJob, files []string, task shard.Task) (
	*shard.Record, error) {
	result := shard.Result{Started: time.Now(), Bad: []shard.Bad{}}
	format, lines := jsonLines{c.candidates > 1}, make(map[string]string, len(files))
	problems, err := job.each(ctx, files, func(captions []captioned) error {
		for _, caption := range captions {
			line, err := format.lines(caption)
			if err != nil {
				return fmt.Errorf("%s: %w", caption.file, err)
			}
			lines[caption.file] = line
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("shard %v was stopped: %w; run it again", task.Part, err)
	}
	var text strings.Builder
	for _, file := range files {
		if line, ok := lines[file]; ok {
			text.WriteString(line)
			continue
		}
		if len(problems) == 0 {
			return nil, fmt.Errorf("%s has neither a caption nor a problem", file)
		}
		result.Bad = append(result.Bad, shard.Bad{ID: file, Reason: problems[0].Error()})
		problems = problems[1:]
	}
	result.Images = len(lines)
	result.Write = func(path string) error { return atomicfile.WriteFile(path, []byte(text.String())) }
	return task.Folder.Publish(task.Part, ".jsonl", result)
}

// mergeCaptions writes the lines of all shards to a file, in the order of the images.
func mergeCaptions(f *shard.Folder, path string) (images, bad int, err error) {
	records, err := f.Records()
	if err != nil {
		return 0, 0, err
	}
	readers := make([]*bufio.Reader, len(records))
	for i, r := range records {
		file, err := os.Open(f.File(r))
		if err != nil {
			return 0, 0, err
		}
		defer file.Close()
		readers[i] = bufio.NewReader(file)
	}
	err = atomicfile.Write(path, func(w io.Writer) error {
		for e, err := range f.Merged(records) {
			if err != nil {
				return err
			}
			if e.Row < 0 {
				bad++
				continue
			}
			line, err := readers[e.Shard].ReadString('\n')
			if err != nil {
				return fmt.Errorf("%s: line %d: %w", f.File(records[e.Shard]), e.Row+1, err)
			}
			images++
			if _, err := io.WriteString(w, line); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	return images, bad, nil
}

// madeWith says how this call makes captions.
func (c *captionCall) madeWith(job captionJob) (madeWith, error) {
	identity, err := job.captioner.Identity()
	if err != nil {
		return madeWith{}, err
	}
	how := madeWith{Version: 1, Format: "json", Model: identity, Run: job.captioner.Source(), Candidates: c.candidates,
		Decoding: c.generation.o.WithDefaults()}
	if c.csv {
		how.Format = "csv"
	}
	if how.Decoding.Temperature == 0 {
		how.Decoding.Seed = 0 // it changes nothing
	}
	return how, nil
}
