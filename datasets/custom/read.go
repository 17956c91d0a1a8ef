package custom

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"captionlab/datasets/internal/annotations"
	"captionlab/datasets/internal/images"
	"captionlab/datasets/jsonfile"
)

// read reads the captions. The content is also what was read before an error.
func (f *found) read() (*content, error) {
	c := newContent(f.tree)
	var err error
	switch f.layout {
	case ImagesOnly:
		err = c.readImages()
	case Pairs:
		err = c.readPairs()
	case Shards:
		c.readShards(f.files, f.shards)
	default:
		for _, name := range f.files {
			if err = f.readFile(c, name); err != nil {
				break
			}
		}
	}
	return c, err
}

// readFile reads a file of captions.
func (f *found) readFile(c *content, name string) error {
	in, err := f.open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	o := &origin{annotations.File{Name: in.Name(), In: in}, row{file: name, split: splitIn(name)}}
	if o.row.split != "" {
		c.splitFrom = "the names of the files or their folders"
	}
	if dir := path.Dir(name); dir != "." && f.tree.HasFolder(dir) && f.tree.Place() == f.root.Name() {
		o.row.dir = dir
	}
	ending := strings.ToLower(path.Ext(name))
	switch {
	case f.layout == COCO:
		err = c.readCOCO(o)
	case f.layout == Karpathy:
		o.row.split = ""
		err = c.readKarpathy(o)
	case ending == ".json":
		err = c.readList(o)
	case ending == ".jsonl" || ending == ".ndjson":
		err = c.readLines(o, in)
	default:
		err = c.readTable(o, in)
	}
	return f.withLine(name, err)
}

// withLine adds the line to an error of a JSON file.
func (f *found) withLine(name string, err error) error {
	var defect *annotations.Error
	if !errors.As(err, &defect) || defect.Offset == 0 {
		return err
	}
	problem := []Problem{{File: name, offset: defect.Offset}}
	f.findLines(problem)
	with := *defect
	with.File = fmt.Sprintf("%s:%d", defect.File, problem[0].Line)
	return &with
}

func sortByOffset(problems []Problem) {
	slices.SortStableFunc(problems, func(x, y Problem) int { return cmp.Compare(x.offset, y.offset) })
}

// findLines sets the lines of problems of which only the offset is known.
func (f *found) findLines(problems []Problem) {
	byFile := make(map[string][]*Problem)
	for i := range problems {
		if p := &problems[i]; p.Line == 0 && p.offset > 0 {
			byFile[p.File] = append(byFile[p.File], p)
		}
	}
	for name, all := range byFile {
		slices.SortFunc(all, func(x, y *Problem) int { return cmp.Compare(x.offset, y.offset) })
		in, err := f.open(name)
		if err != nil {
			continue // the problems stay without lines
		}
		countLines(in, all)
		in.Close()
	}
}

// countLines sets the lines of problems, in the order of their offsets.
func countLines(in io.Reader, problems []*Problem) {
	r := bufio.NewReader(jsonfile.NewReader(in))
	line, at := 1, int64(0)
	for _, p := range problems {
		for ; at < p.offset; at++ {
			b, err := r.ReadByte()
			if err != nil {
				break
			}
			if b == '\n' {
				line++
			}
		}
		p.Line = line
	}
}

// The image of an entry may be in a tree or a shard.
var _, _ source = (*images.Tree)(nil), (*images.Shard)(nil)
