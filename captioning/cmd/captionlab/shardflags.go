package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"captionlab/captioning/internal/shard"
)

// shardFlags are the flags of a command whose work can be cut into shards.
type shardFlags struct{ text, dir string }

// shardHelp explains the flags in the help of a command.
const shardHelp = "With --shard I/N, the command does only the I-th of N parts, from 0 to N-1, and publishes it in\n" +
	"the folder of --shard-dir, which all parts share. A published part is skipped, and one with other settings is\n" +
	"refused. --shard auto takes I and N from a Slurm array or a Kubernetes Indexed Job (with N in\n" +
	"$CAPTIONLAB_SHARDS), --shard auto/N only I. --shard plan/N only writes the plan that all parts share.\n" +
	"When all parts are published, captionlab merge puts them together."

func (f *shardFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.text, "shard", "", "do one part only: I/N with I from 0 to N-1, auto, auto/N, plan/N")
	cmd.Flags().StringVar(&f.dir, "shard-dir", "", "folder in which the parts are published, for --shard")
}

// parse returns the part of --shard, or the number of shards of a plan to write, or neither without the flag.
func (f *shardFlags) parse() (part *shard.Part, planned int, err error) {
	switch {
	case f.text == "" && f.dir != "":
		return nil, 0, usageError{errors.New("--shard-dir is for --shard, which is missing")}
	case f.text == "":
		return nil, 0, nil
	case f.dir == "":
		return nil, 0, usageError{errors.New("--shard needs the folder that all parts share: add --shard-dir")}
	}
	if count, ok := strings.CutPrefix(f.text, "plan/"); ok {
		planned, err = strconv.Atoi(count)
		if err != nil || planned < 1 || planned > shard.MaxCount {
			return nil, 0, usageError{fmt.Errorf("--shard %s: use plan/N with N from 1 to %d", f.text, shard.MaxCount)}
		}
		return nil, planned, nil
	}
	p, err := shard.Parse(f.text, os.Getenv)
	if err != nil {
		return nil, 0, usageError{fmt.Errorf("--shard: %w", err)}
	}
	return &p, 0, nil
}

// publish does one part of work and publishes it, unless it was published before. Without a part it only writes the
// plan, prints a line about it, and returns no record.
func (f *shardFlags) publish(out io.Writer, work shard.Work, part *shard.Part,
	do func(shard.Task) (*shard.Record, error)) (r *shard.Record, isNew bool, err error) {
	folder, err := shard.Begin(f.dir, work)
	if err != nil {
		return nil, false, err
	}
	if part == nil {
		_, err := fmt.Fprintf(out, "%s: %d images in %d shards\n", f.dir, folder.Plan.Total(), work.Shards)
		return nil, false, err
	}
	if r, err = folder.Published(*part); err != nil || r != nil {
		return r, false, err
	}
	r, err = do(shard.Task{Folder: folder, Part: *part})
	return r, true, err
}

// printShard prints the line of a published shard.
func printShard(out io.Writer, dir string, r shard.Record, isNew bool) error {
	state := "published before"
	if isNew {
		state = fmt.Sprintf("published after %.1f s", r.Seconds)
	}
	_, err := fmt.Fprintf(out, "shard %s of %s: %d images, %d unreadable, %s\n", r.Shard, dir, r.Images, len(r.Bad),
		state)
	return err
}
