package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/internal/shard"
	"captionlab/captioning/score"
)

// checkShard fails for options that do not go with --shard.
func (f *scoreFlags) checkShard() error {
	if f.shard.text == "" {
		return nil
	}
	switch {
	case f.compare+f.explain+f.training+f.writeFrequencies != "" || f.bootstrap.Draws > 0 || f.asJSON:
		return errors.New("--shard publishes numbers of single images: leave out --compare, --explain, --training, " +
			"--write-cider-df, --bootstrap and --json; captionlab merge --json prints JSON")
	case slices.Contains(f.metrics, chooseDiversity):
		return errors.New("--shard: diversity is not a sum over images: leave it out of --metrics")
	case f.references == "-" || f.captions == "-" || f.frequencies == "-":
		return errors.New("--shard: every part reads the files: name them by path instead of -")
	}
	if f.metrics == nil && f.protocol == "coco" {
		f.metrics = []string{"bleu", "rouge", "cider"}
	}
	return nil
}

// The settings of shards of scores that merge reads.
const (
	settingProtocol     = "protocol"
	settingTokens       = "tokens"
	settingMetrics      = "metrics"
	settingNoCaption    = "images_without_caption"
	settingNoReferences = "captions_without_references"
	settingFrequencies  = "cider_df" // number of images and file; empty without --cider-df
)

// protocolMetrics returns the metrics of --metrics or, for protocol pa4, those of the protocol.
func protocolMetrics(protocol string, names []string) ([]score.Metric, error) {
	if protocol == "pa4" {
		return score.Select(protocol)
	}
	return openMetrics(names)
}

// scoreShard publishes the numbers of one part of the images or, with a number of shards, only the plan.
func (f *scoreFlags) scoreShard(out io.Writer, part *shard.Part, planned int) error {
	started := time.Now()
	captions, refs, err := f.read()
	if err != nil {
		return err
	}
	ids, left, err := score.Images(refs, captions, f.options)
	if err != nil {
		return fmt.Errorf("%s against %s: %w", f.captions, f.references, err)
	}
	if part != nil {
		planned = part.Count
	}
	work, err := f.scoreWork(ids, left, planned)
	if err != nil {
		return err
	}
	r, isNew, err := f.shard.publish(out, work, part, func(task shard.Task) (*shard.Record, error) {
		return f.publishScores(refs, captions, started, task)
	})
	if err != nil || r == nil {
		return err
	}
	return printShard(out, f.shard.dir, *r, isNew)
}

// scoreWork describes the scores of the images as work.
func (f *scoreFlags) scoreWork(ids []score.ID, left score.Left, shards int) (shard.Work, error) {
	files := []string{f.references, f.captions}
	if f.frequencies != "" {
		files = append(files, f.frequencies)
	}
	frequencies := ""
	if df := f.options.Frequencies; df != nil {
		frequencies = fmt.Sprintf("%d %s", df.Images, f.frequencies)
	}
	inputs, err := shard.Hash(files...)
	if err != nil {
		return shard.Work{}, err
	}
	return shard.Work{Kind: shard.Scores, Inputs: inputs, Settings: map[string]string{
		settingProtocol: f.protocol, settingTokens: f.options.Tokens, settingFrequencies: frequencies,
		settingMetrics:      strings.Join(slices.Sorted(slices.Values(f.metrics)), ","),
		settingNoCaption:    fmt.Sprint(left.NoCaption),
		settingNoReferences: fmt.Sprint(left.NoReferences),
	}, Shards: shards, IDs: func(yield func(string) bool) {
		for _, id := range ids {
			if !yield(string(id)) {
				return
			}
		}
	}}, nil
}

// publishScores publishes a line for each image of a part: an array with the numbers of each metric, as arrays.
func (f *scoreFlags) publishScores(refs score.References, captions []score.Caption, started time.Time,
	task shard.Task) (*shard.Record, error) {
	metrics, err := protocolMetrics(f.protocol, f.metrics)
	if err != nil {
		return nil, err
	}
	p, err := score.MeasurePart(refs, captions, metrics, f.options,
		func(id score.ID) bool { return task.Part.Holds(string(id)) })
	if err != nil {
		return nil, fmt.Errorf("%s against %s: %w", f.captions, f.references, err)
	}
	return task.Folder.Publish(task.Part, ".jsonl", shard.Result{Images: len(p.Images), Bad: []shard.Bad{},
		Started: started, Write: func(path string) error {
			return atomicfile.Write(path, func(w io.Writer) error {
				lines := json.NewEncoder(w) // numbers are written with all digits that matter
				for i := range p.Images {
					row := p.Row(i)
					line := make([][]float64, len(p.Widths))
					for k, width := range p.Widths {
						line[k], row = row[:width], row[width:]
					}
					if err := lines.Encode(line); err != nil {
						return err
					}
				}
				return nil
			})
		}})
}

// mergeScores prints the scores of all shards as score does for the whole files.
func mergeScores(out io.Writer, folder *shard.Folder, asJSON bool) error {
	settings := folder.Plan.Settings
	f := scoreFlags{protocol: settings[settingProtocol], asJSON: asJSON, options: score.Options{
		Tokens: settings[settingTokens]}}
	if names := settings[settingMetrics]; names != "" {
		f.metrics = strings.Split(names, ",")
	}
	var left score.Left
	_, err := fmt.Sscan(settings[settingNoCaption]+" "+settings[settingNoReferences], &left.NoCaption,
		&left.NoReferences)
	if images, file, given := strings.Cut(settings[settingFrequencies], " "); given {
		f.frequencies, f.options.Frequencies = file, new(score.DocumentFrequencies)
		_, errImages := fmt.Sscan(images, &f.options.Frequencies.Images)
		err = errors.Join(err, errImages)
	}
	if err = errors.Join(err, checkProtocol(f.protocol), checkMetrics(f.metrics)); err != nil {
		return fmt.Errorf("shard folder %s: damaged plan: %w", folder.Dir, err)
	}
	all, err := joinScores(folder)
	if err != nil {
		return err
	}
	metrics, err := protocolMetrics(f.protocol, f.metrics)
	if err != nil {
		return err
	}
	corpus, err := score.Join(all, metrics, f.options.Tokens, left)
	if err != nil {
		return fmt.Errorf("shard folder %s: %w", folder.Dir, err)
	}
	report := scoreReport{Chosen: newChosenScores(corpus)}
	if asJSON {
		return json.NewEncoder(out).Encode(report)
	}
	return report.print(out, &f)
}

// joinScores reads the lines of all shards in the order of the images.
func joinScores(folder *shard.Folder) (*score.Part, error) {
	records, err := folder.Records()
	if err != nil {
		return nil, err
	}
	lines := make([]*json.Decoder, len(records))
	for i, r := range records {
		file, err := os.Open(folder.File(r))
		if err != nil {
			return nil, err
		}
		defer file.Close()
		lines[i] = json.NewDecoder(bufio.NewReader(file))
	}
	all := new(score.Part)
	for e, err := range folder.Merged(records) {
		if err != nil {
			return nil, err
		}
		var line [][]float64
		if err := lines[e.Shard].Decode(&line); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", folder.File(records[e.Shard]), e.Row+1, err)
		}
		widths := make([]int, len(line))
		for k, numbers := range line {
			widths[k] = len(numbers)
			all.Rows = append(all.Rows, numbers...)
		}
		if all.Widths == nil {
			all.Widths = widths
		}
		if !slices.Equal(widths, all.Widths) {
			return nil, fmt.Errorf("%s: line %d has numbers of metrics in groups of %v, other lines of %v",
				folder.File(records[e.Shard]), e.Row+1, widths, all.Widths)
		}
		all.Images = append(all.Images, score.ID(e.ID))
	}
	return all, nil
}
