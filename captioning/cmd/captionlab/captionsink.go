package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/score"
)

// sink is where captions go.
type sink interface {
	has(id score.ID) bool // the image was captioned by an earlier call
	add([]captioned) error
	close() error
}

// sink opens what the flags choose, for a number of images.
func (c *captionCall) sink(cmd *cobra.Command, captioner *captioning.Captioner, images int) (sink, error) {
	var all []sink
	out := cmd.OutOrStdout()
	switch {
	case c.out != "":
		file, err := c.openOut(captioner)
		if err != nil {
			return nil, err
		}
		all = append(all, file)
	case c.asJSON:
		all = append(all, &jsonSink{out: out, rows: []captionRow{}})
	case c.asCSV:
		all = append(all, &csvSink{out: csv.NewWriter(out), head: true})
	case !c.sidecar.on:
		all = append(all, &textSink{out: out, single: images == 1, probabilities: c.candidates > 0})
	}
	if c.sidecar.on {
		all = append([]sink{&c.sidecar}, all...) // first, so that an image in the list of --out has its file
	}
	return sinks(all), nil
}

// sinks are several sinks, all of which get the captions.
type sinks []sink

func (s sinks) has(id score.ID) bool {
	for _, one := range s {
		if !one.has(id) {
			return false
		}
	}
	return true
}

func (s sinks) add(images []captioned) error {
	for _, one := range s {
		if err := one.add(images); err != nil {
			return err
		}
	}
	return nil
}

func (s sinks) close() error {
	var all []error
	for _, one := range s {
		all = append(all, one.close())
	}
	return errors.Join(all...)
}

// fresh is the part of sinks that know nothing of earlier calls.
type fresh struct{}

func (fresh) has(score.ID) bool { return false }

// textSink prints captions as text.
type textSink struct {
	fresh
	out           io.Writer
	single        bool // there is only one image
	probabilities bool
}

func (s *textSink) add(images []captioned) error {
	for _, i := range images {
		for _, candidate := range i.candidates {
			line := candidate.Text
			if !s.single {
				line = string(i.id) + "\t" + line
			}
			if s.probabilities {
				line += "\t" + probability(candidate)
			}
			if _, err := fmt.Fprintln(s.out, line); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *textSink) close() error { return nil }

// probability writes the probability of a caption with three significant digits.
func probability(c captioning.Candidate) string {
	return strconv.FormatFloat(math.Exp(c.LogProb), 'g', 3, 64)
}

// captionRow is the best caption of an image in JSON, in COCO result format with some members more.
type captionRow struct {
	ID         any            `json:"image_id"` // a string, or a score.ID
	Caption    string         `json:"caption"`
	LogProb    float64        `json:"log_prob"`
	Candidates []candidateRow `json:"candidates,omitempty"`
}

type candidateRow struct {
	Caption     string    `json:"caption"`
	LogProb     float64   `json:"log_prob"`
	Probability float64   `json:"probability"`
	Words       []wordRow `json:"words"`
}

type wordRow struct {
	Word    string  `json:"word"`
	LogProb float64 `json:"log_prob"`
}

func rowOf(i captioned) captionRow {
	row := captionRow{string(i.id), i.candidates[0].Text, i.candidates[0].LogProb, nil}
	if i.isNumber {
		row.ID = i.id
	}
	for _, c := range i.candidates {
		if len(c.Words) == 0 {
			continue // words were not asked for
		}
		candidate := candidateRow{c.Text, c.LogProb, math.Exp(c.LogProb), nil}
		for _, w := range c.Words {
			candidate.Words = append(candidate.Words, wordRow{w.Text, w.LogProb})
		}
		row.Candidates = append(row.Candidates, candidate)
	}
	return row
}

// jsonSink prints one JSON list at the end.
type jsonSink struct {
	fresh
	out  io.Writer
	rows []captionRow
}

func (s *jsonSink) add(images []captioned) error {
	for _, i := range images {
		s.rows = append(s.rows, rowOf(i))
	}
	return nil
}

func (s *jsonSink) close() error {
	list := json.NewEncoder(s.out)
	list.SetEscapeHTML(false)
	list.SetIndent("", " ")
	return list.Encode(s.rows)
}

// csvHead names the columns of CSV.
var csvHead = []string{"image_id", "rank", "caption", "log_prob", "probability"}

// csvSink prints CSV, a row for each caption.
type csvSink struct {
	fresh
	out  *csv.Writer
	head bool // the names of the columns are still to be written
}

func (s *csvSink) add(images []captioned) error {
	if s.head {
		s.out.Write(csvHead)
		s.head = false
	}
	for _, i := range images {
		for rank, c := range i.candidates {
			s.out.Write([]string{string(i.id), strconv.Itoa(rank + 1), c.Text,
				strconv.FormatFloat(c.LogProb, 'g', -1, 64), probability(c)})
		}
	}
	s.out.Flush()
	return s.out.Error()
}

func (s *csvSink) close() error { return s.add(nil) }
