package shard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/internal/checksum"
	"captionlab/datasets/jsonfile"
)

// Record describes a published shard.
type Record struct {
	Format   int               `json:"format"` // 1
	Shard    string            `json:"shard"`  // see Part.String
	Plan     string            `json:"plan_sha256"`
	Kind     string            `json:"kind"`
	Inputs   string            `json:"inputs"`
	Settings map[string]string `json:"settings"`
	File     string            `json:"file"`
	SHA256   string            `json:"sha256"` // of the file
	Images   int               `json:"images"` // with a result
	Bad      []Bad             `json:"bad"`    // the others, in order
	Host     string            `json:"host"`
	Started  time.Time         `json:"started"`
	Seconds  float64           `json:"seconds"`
}

// Bad is an image without a result, and the reason.
type Bad struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Result is the outcome of a shard, for Publish.
type Result struct {
	Images  int // with a result
	Bad     []Bad
	Started time.Time
	// Write writes the shard's file to path, whole or not at all.
	Write func(path string) error
}

// Published returns the record of a shard, or nil if the shard is still to be completed. It fails for a record of other
// work, naming what differs.
func (f *Folder) Published(p Part) (*Record, error) {
	path := filepath.Join(f.Dir, p.name()+".json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("shard %v: %w", p, err)
	}
	r := new(Record)
	if err := jsonfile.Decode(path, text, r); err != nil {
		return nil, fmt.Errorf("shard %v: damaged record: %w: remove it, and run the shard again", p, err)
	}
	if r.Format != 1 || r.Plan != f.sum || r.Shard != p.String() {
		as := Plan{Kind: r.Kind, Inputs: r.Inputs, Settings: r.Settings, Shards: f.Plan.Shards, IDs: f.Plan.IDs}
		differences := f.Plan.differences(&as)
		if differences == "" {
			differences = "its plan has another checksum"
		}
		return nil, fmt.Errorf("shard %v: %s is of other work (%s): remove it, and run the shard again", p, path,
			differences)
	}
	if _, err := os.Stat(filepath.Join(f.Dir, filepath.Base(r.File))); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return r, nil
}

// Publish writes the file of a shard, with the ending ext, such as ".safetensors", and then its record.
func (f *Folder) Publish(p Part, ext string, result Result) (*Record, error) {
	r := &Record{Format: 1, Shard: p.String(), Plan: f.sum, Kind: f.Plan.Kind, Inputs: f.Plan.Inputs,
		Settings: f.Plan.Settings, File: p.name() + ext, Images: result.Images, Bad: result.Bad,
		Started: result.Started.UTC().Truncate(time.Second)}
	if err := f.count(p, r); err != nil {
		return nil, err
	}
	path := filepath.Join(f.Dir, r.File)
	err := result.Write(path)
	if err == nil {
		r.SHA256, err = checksum.HashFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("shard %v: %w", p, err)
	}
	r.Host, _ = os.Hostname() // for people only
	r.Seconds = time.Since(result.Started).Seconds()
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return nil, err
	}
	if err := atomicfile.WriteFile(filepath.Join(f.Dir, p.name()+".json"), append(text, '\n')); err != nil {
		return nil, fmt.Errorf("shard %v: %w", p, err)
	}
	return r, nil
}

// count fails unless the record has as many images as the plan.
func (f *Folder) count(p Part, r *Record) error {
	if p.Count != f.Plan.Shards {
		return fmt.Errorf("shard %v: the plan of %s has %d shards", p, f.Dir, f.Plan.Shards)
	}
	if want := f.Plan.Images[p.Index]; r.Images+len(r.Bad) != want {
		return fmt.Errorf("shard %v has results of %d images and problems with %d, but the plan of %s gives it %d "+
			"images", p, r.Images, len(r.Bad), f.Dir, want)
	}
	return nil
}

// Records returns the records of all shards, after comparing every file with its checksum. It fails if shards are
// missing, naming them, or if one is damaged or of other work.
func (f *Folder) Records() ([]Record, error) {
	records := make([]Record, f.Plan.Shards)
	var missing []int
	for i := range records {
		p := Part{i, f.Plan.Shards}
		r, err := f.Published(p)
		if err != nil {
			return nil, err
		}
		if r == nil {
			missing = append(missing, i)
			continue
		}
		if err := f.count(p, r); err != nil {
			return nil, err
		}
		records[i] = *r
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%d of %d shards are missing in %s: run %s", len(missing), f.Plan.Shards, f.Dir,
			ranges(missing))
	}
	for i, r := range records {
		path := f.File(r)
		whole, err := checksum.IsWhole(path, r.SHA256)
		if err == nil && !whole {
			err = fmt.Errorf("%s is damaged (its SHA-256 is not that of its record): remove %s.json, and run the "+
				"shard again", path, Part{i, f.Plan.Shards}.name())
		}
		if err != nil {
			return nil, fmt.Errorf("shard %d/%d: %w", i, f.Plan.Shards, err)
		}
	}
	return records, nil
}

// File is the path of the file of a shard.
func (f *Folder) File(r Record) string { return filepath.Join(f.Dir, filepath.Base(r.File)) }

// ranges writes increasing numbers as Slurm's --array takes them: "0-3,7".
func ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		end := i
		for end+1 < len(numbers) && numbers[end+1] == numbers[end]+1 {
			end++
		}
		text := fmt.Sprint(numbers[i])
		if end > i {
			text += fmt.Sprintf("-%d", numbers[end])
		}
		parts = append(parts, text)
		i = end + 1
	}
	return strings.Join(parts, ",")
}
