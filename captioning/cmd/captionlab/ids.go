package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"captionlab/captioning/score"
	"captionlab/datasets/coco"
)

// Where captionlab caption takes the ids of images from.
const (
	idFromPath = "path"
	idFromName = "name"
)

// registerIDFrom adds the flag --id-from and its check.
func (c *captionCall) registerIDFrom(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.idFrom, "id-from", idFromPath,
		"image ids: path, or name, the number that the file name is or ends in, which COCO's server wants: 42 for\n"+
			"COCO_val2014_000000000042.jpg and 000000000042.jpg. Images without one are not captioned, but listed")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if c.idFrom != idFromPath && c.idFrom != idFromName {
			return usageError{fmt.Errorf("--id-from is %q: use %s or %s", c.idFrom, idFromPath, idFromName)}
		}
		return nil
	}
}

// numbered returns the files whose names have a number of their own, and an error for each other file. With ids from
// paths it returns all files.
func (c *captionCall) numbered(files []string) (numbered []string, problems []error) {
	if c.idFrom == idFromPath {
		return files, nil
	}
	fileOf := make(map[int64]string)
	for _, file := range files {
		id, ok := coco.FileID(file)
		first, double := fileOf[id]
		switch {
		case !ok:
			problems = append(problems, fmt.Errorf("%s: its name is no number and does not end in one after _ or -, "+
				"so it has no image id: rename it, or leave out --id-from", file))
		case double:
			problems = append(problems, fmt.Errorf("%s has image id %d, like %s: caption one of them", file, id, first))
		default:
			fileOf[id] = file
			numbered = append(numbered, file)
		}
	}
	return numbered, problems
}

// id returns a file's image id as it is written in JSON: a path is a string, even one like 42.
func (c *captionCall) id(file string) any {
	if n, ok := coco.FileID(file); ok && c.idFrom == idFromName {
		return score.ID(strconv.FormatInt(n, 10))
	}
	return file
}
