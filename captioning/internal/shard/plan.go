package shard

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/internal/checksum"
	"captionlab/datasets/jsonfile"
)

// planFile is the name of the plan in a shard folder.
const planFile = "plan.json"

// Work is work to be cut into shards.
type Work struct {
	Kind   string // what a shard contains: Features, Captions or Scores
	Inputs string // a hash of everything that is read, such as the dataset's fingerprint
	// Settings is everything else that changes the result. Values that differ are named in errors by their keys.
	Settings map[string]string
	Shards   int
	IDs      iter.Seq[string] // of all images, in the order of the merged result, no id twice
}

// Kinds of work.
const (
	Features = "features"
	Captions = "captions"
	Scores   = "scores"
)

// Plan is the content of plan.json. All shards of a folder have the same plan.
type Plan struct {
	Format   int               `json:"format"` // 1
	Kind     string            `json:"kind"`
	Inputs   string            `json:"inputs"`
	Settings map[string]string `json:"settings"`
	Shards   int               `json:"shards"`
	IDs      string            `json:"ids_sha256"` // of the file of ids
	Images   []int             `json:"images"`     // of each shard
}

// Total is the number of images of all shards.
func (p *Plan) Total() int {
	total := 0
	for _, n := range p.Images {
		total += n
	}
	return total
}

// idsFile is the name of the file of ids. It contains a part of their hash, so that it is never replaced by another.
func (p *Plan) idsFile() string { return fmt.Sprintf("plan-%.12s.ids", p.IDs) }

// Folder is a shard folder with its plan.
type Folder struct {
	Dir  string
	Plan Plan
	sum  string // of the plan
}

// Task is one part of the work of a folder.
type Task struct {
	Folder *Folder
	Part   Part
}

// Begin returns the folder dir for w. The first process writes the plan; the others compare it with theirs. It fails
// for a folder with another plan, naming what differs.
func Begin(dir string, w Work) (*Folder, error) {
	if w.Shards < 1 || w.Shards > MaxCount {
		return nil, fmt.Errorf("%d shards: use 1 to %d", w.Shards, MaxCount)
	}
	plan := Plan{Format: 1, Kind: w.Kind, Inputs: w.Inputs, Settings: w.Settings, Shards: w.Shards,
		Images: make([]int, w.Shards)}
	sum := sha256.New()
	out := bufio.NewWriterSize(sum, 1<<16)
	for id := range w.IDs {
		if err := writeID(out, id); err != nil {
			return nil, err
		}
		plan.Images[Of(id, w.Shards)]++
	}
	out.Flush() // writing to a hash never fails
	plan.IDs = hex.EncodeToString(sum.Sum(nil))
	f, err := Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err = plan.publish(dir, w.IDs); err == nil {
			f, err = Open(dir)
		}
	}
	if err != nil {
		return nil, err
	}
	if differences := f.Plan.differences(&plan); differences != "" {
		return nil, fmt.Errorf("shard folder %s is of other work (%s): use the same inputs and settings, or name "+
			"another folder", dir, differences)
	}
	return f, nil
}

// Open returns the folder dir, which has a plan. Without one, the error wraps fs.ErrNotExist.
func Open(dir string) (*Folder, error) {
	path := filepath.Join(dir, planFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("shard folder: %w", err)
	}
	f := &Folder{Dir: dir}
	if err := jsonfile.Decode(path, text, &f.Plan); err != nil {
		return nil, fmt.Errorf("shard folder: damaged plan: %w", err)
	}
	if p := f.Plan; p.Format != 1 || p.Shards < 1 || p.Shards > MaxCount || len(p.Images) != p.Shards {
		return nil, fmt.Errorf("shard folder: %s has format %d and the numbers of images of %d shards, want format 1 "+
			"and %d shards", path, p.Format, len(p.Images), p.Shards)
	}
	sum := sha256.Sum256(text)
	f.sum = hex.EncodeToString(sum[:])
	return f, nil
}

// publish writes the file of ids, and then the plan, unless another process was quicker.
func (p *Plan) publish(dir string, ids iter.Seq[string]) error {
	err := atomicfile.Write(filepath.Join(dir, p.idsFile()), func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 1<<16)
		for id := range ids {
			if err := writeID(out, id); err != nil {
				return err
			}
		}
		return out.Flush()
	})
	if err != nil {
		return fmt.Errorf("shard folder: %w", err)
	}
	text, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err
	}
	if _, err := atomicfile.WriteNew(filepath.Join(dir, planFile), append(text, '\n')); err != nil {
		return fmt.Errorf("shard folder: %w", err)
	}
	return nil
}

// differences lists how other differs from p, with the values of other first.
func (p *Plan) differences(other *Plan) string {
	var all []string
	compare := func(key, mine, theirs string) {
		if mine != theirs {
			all = append(all, fmt.Sprintf("%s %s instead of %s", key, theirs, mine))
		}
	}
	compare("kind", p.Kind, other.Kind)
	compare("shards", fmt.Sprint(p.Shards), fmt.Sprint(other.Shards))
	keys := slices.Collect(maps.Keys(p.Settings))
	for key := range other.Settings {
		if _, known := p.Settings[key]; !known {
			keys = append(keys, key)
		}
	}
	for _, key := range slices.Sorted(slices.Values(keys)) {
		compare(key, fmt.Sprintf("%q", p.Settings[key]), fmt.Sprintf("%q", other.Settings[key]))
	}
	compare("hash of the inputs", p.Inputs, other.Inputs)
	compare("hash of the ids", p.IDs, other.IDs)
	return strings.Join(all, ", ")
}

// writeID writes a line of the file of ids.
func writeID(w io.Writer, id string) error {
	line, err := json.Marshal(id)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// IDs yields the ids of all images in order. It ends with an error if the file of ids cannot be read or is not the
// plan's.
func (f *Folder) IDs() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		file, err := os.Open(filepath.Join(f.Dir, f.Plan.idsFile()))
		if err != nil {
			yield("", fmt.Errorf("shard folder: %w", err))
			return
		}
		defer file.Close()
		sum := sha256.New()
		if !readIDs(io.TeeReader(file, sum), file.Name(), yield) {
			return
		}
		if hexSum(sum) != f.Plan.IDs {
			yield("", fmt.Errorf("shard folder: %s is damaged: its SHA-256 is not the plan's", file.Name()))
		}
	}
}

// readIDs yields the ids of a file and reports whether all were read and taken.
func readIDs(r io.Reader, name string, yield func(string, error) bool) bool {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		var id string
		if err := json.Unmarshal(lines.Bytes(), &id); err != nil {
			yield("", fmt.Errorf("shard folder: %s:%d: %w", name, n, err))
			return false
		}
		if !yield(id, nil) {
			return false
		}
	}
	if err := lines.Err(); err != nil {
		yield("", fmt.Errorf("shard folder: %s: %w", name, err))
		return false
	}
	return true
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// Hash returns the SHA-256, in hex, of the contents of files, for Work.Inputs.
func Hash(files ...string) (string, error) {
	all := sha256.New()
	for _, file := range files {
		sum, err := checksum.File(file, false)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(all, sum)
	}
	return hexSum(all), nil
}
