package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gomlx/compute"

	"captionlab/captioning"
	"captionlab/captioning/experiment"
	"captionlab/captioning/pretrained"
	"captionlab/captioning/score"
	"captionlab/datasets"
)

// selfCriticalStart is the model that benchSelfCritical trains.
var selfCriticalStart = filepath.Join("captioning", "pretrained", pretrained.ModelFile)

// Steps of benchSelfCritical: uncounted ones, during which programs are compiled, and counted ones.
const selfCriticalWarm, selfCriticalSteps, selfCriticalTheirs = 20, 30, 10

// rewarded holds what either side measures of self-critical training.
type rewarded struct {
	CaptionsPerSecond float64 `json:"captions_per_second"` // sampled, rewarded and trained on
	Reward            float64 `json:"reward"`              // mean
	Scoring           float64 `json:"scoring"`             // share of the time that rewards take
}

// benchSelfCritical compares whole steps of self-critical training with a PyTorch loop that is rewarded by
// pycocoevalcap.
func benchSelfCritical(b *bench) error {
	b.record.Data = "Flickr8k, the 6,000 training images with EfficientNet-Lite0 features; the model that comes with " +
		"captionlab; a step samples 5 captions of each of 64 images"
	if err := exportSelfCritical(b.ctx, b.dir); err != nil {
		return err
	}
	for range b.rounds {
		var ours, theirs rewarded
		m, err := b.worker(&ours, "selfcritical", strconv.Itoa(selfCriticalWarm), strconv.Itoa(selfCriticalSteps))
		if err != nil {
			return err
		}
		b.record.add("captionlab", "captions/s", ours.CaptionsPerSecond)
		b.record.add("captionlab, share of the time for rewards", "", ours.Scoring)
		b.record.add("captionlab, mean reward", "", ours.Reward)
		b.record.add("captionlab, peak memory", "MB", m.peakMB)
		m, err = b.script(&theirs, "selfcritical_reference.py", b.dir, strconv.Itoa(selfCriticalTheirs))
		if err != nil {
			return err
		}
		b.record.add("PyTorch", "captions/s", theirs.CaptionsPerSecond)
		b.record.add("PyTorch, share of the time for rewards", "", theirs.Scoring)
		b.record.add("PyTorch, mean reward", "", theirs.Reward)
		b.record.add("PyTorch, peak memory", "MB", m.peakMB)
		if math.Abs(ours.Reward-theirs.Reward) > 0.2*theirs.Reward {
			return fmt.Errorf("the mean rewards %.3f and %.3f differ: the two sides must agree to be compared",
				ours.Reward, theirs.Reward)
		}
	}
	b.record.compareMedians("self-critical steps: captions/s, captionlab / PyTorch", "captionlab", "PyTorch", 2)
	b.record.compare("5 % / share of the time for rewards",
		0.05/b.record.median("captionlab, share of the time for rewards"), 1)
	b.record.Notes = append(b.record.Notes,
		"captionlab trains through captioning.Train, as captionlab train --from does. PyTorch samples with lstm_cell "+
			"until all captions are finished and differentiates nn.LSTM on the padded samples, the output layer on "+
			"real tokens only; pycocoevalcap's document frequencies are counted once, before the first step.")
	return nil
}

// exportSelfCritical writes what the PyTorch side reads into dir: weights.safetensors, features.bin (all training
// images) and references.json (their captions as ids, with <end>).
func exportSelfCritical(ctx context.Context, dir string) error {
	ds, features, err := openFlickr8k(ctx)
	if err != nil {
		return err
	}
	c, err := captioning.ReadCheckpoint(selfCriticalStart)
	if err != nil {
		return err
	}
	if err := c.Pack(filepath.Join(dir, "weights.safetensors"), "float32"); err != nil {
		return err
	}
	tokenize, err := score.Tokenizer(c.Settings.Tokens)
	if err != nil {
		return err
	}
	var references [][][]int32
	var rows [][]float32
	for _, ex := range ds.Examples(datasets.Train) {
		row, ok := features.Row(ex.ID)
		if !ok {
			continue
		}
		var captions [][]int32
		for _, caption := range ex.Captions {
			captions = append(captions, c.Vocabulary.Encode(tokenize(caption), math.MaxInt)[1:])
		}
		references, rows = append(references, captions), append(rows, row)
	}
	text, err := json.Marshal(references)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "references.json"), text, 0o644); err != nil {
		return err
	}
	return writeRows(filepath.Join(dir, "features.bin"), rows)
}

// selfCriticalWorker trains on Flickr8k. Its arguments are the uncounted and the counted steps.
func selfCriticalWorker(backend compute.Backend, args []string) (out rewarded, err error) {
	var n [2]int
	for i := range n {
		if n[i], err = strconv.Atoi(args[i]); err != nil {
			return out, err
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	data, err := flickr8k(ctx, backend)
	if err != nil {
		return out, err
	}
	s, err := experiment.Named(experiment.SelfCritical)
	if err != nil {
		return out, err
	}
	start, err := captioning.RunSettings(selfCriticalStart)
	if err != nil {
		return out, err
	}
	s = s.WithModelOf(start)
	s.BatchSize, s.Samples = 320, 5
	dir, err := os.MkdirTemp("", "captionlab-bench-run-")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	steps, began, sum := 0, time.Time{}, 0.0
	_, err = captioning.Train(ctx, backend, data, captioning.TrainConfig{
		Dir: dir, Settings: s, From: selfCriticalStart, CheckpointEvery: 24 * time.Hour,
		Progress: func(p captioning.TrainProgress) {
			switch steps++; steps {
			case n[0]:
				began, sum = time.Now(), p.Sampled.Reward*float64(steps)
			case n[0] + n[1]:
				seconds := time.Since(began).Seconds()
				images := float64(len(data.Dataset.Examples(datasets.Train))) / float64(p.Batches)
				out.CaptionsPerSecond = images * float64(s.Samples*n[1]) / seconds
				out.Reward = (p.Sampled.Reward*float64(steps) - sum) / float64(n[1])
				stop()
			}
		},
	})
	if !errors.Is(err, captioning.ErrStopped) {
		return out, err
	}
	scoring, err := secondsOfRewards(data, s)
	if err == nil {
		out.Scoring = scoring * out.CaptionsPerSecond / float64(s.BatchSize)
	}
	return out, err
}

// secondsOfRewards measures how long it takes to reward a batch of captions: references, in place of samples, of
// another image each.
func secondsOfRewards(data *captioning.Data, s experiment.Settings) (float64, error) {
	c, err := captioning.ReadCheckpoint(selfCriticalStart)
	if err != nil {
		return 0, err
	}
	tokenize, err := score.Tokenizer(s.Tokens)
	if err != nil {
		return 0, err
	}
	var references [][][]string
	for _, ex := range data.Dataset.Examples(datasets.Train) {
		var captions [][]string
		for _, caption := range ex.Captions {
			captions = append(captions, append([]string(nil), tokenize(caption)...))
		}
		references = append(references, captions)
	}
	reward, err := score.NewReward(s.Reward, c.Vocabulary.Words(), references)
	if err != nil {
		return 0, err
	}
	var images []int32
	var captions [][]int32
	for i := range s.BatchSize {
		images = append(images, int32(i))
		captions = append(captions, c.Vocabulary.Encode(references[i+s.BatchSize][0], s.MaxTokens)[1:])
	}
	const times = 50
	began := time.Now()
	for range times {
		if _, err := reward.Score(images, captions); err != nil {
			return 0, err
		}
	}
	return time.Since(began).Seconds() / times, nil
}
