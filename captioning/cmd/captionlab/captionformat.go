package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"captionlab/captioning"
	"captionlab/captioning/score"
)

// captioned is an image with its captions, the best first: one, or as many as were asked for and found.
type captioned struct {
	file       string
	candidates []captioning.Candidate
}

func (c captioned) best() captioning.Candidate { return c.candidates[0] }

// probability of a whole caption, from 0 to 1.
func probability(c captioning.Candidate) float64 { return math.Exp(c.LogProb) }

// jsonCaption is a caption in the output of --json. Log-probabilities are natural logarithms.
type jsonCaption struct {
	Caption     string     `json:"caption"`
	LogProb     float64    `json:"log_prob"`
	Probability float64    `json:"probability"`
	Words       []jsonWord `json:"words"` // the last one is <end> unless the caption was cut at --max-words
}

type jsonWord struct {
	Word    string  `json:"word"`
	LogProb float64 `json:"log_prob"` // given the image and the words before it
}

// jsonLine is a line of --json: an image with its best caption and, with --candidates above 1, all of them.
type jsonLine struct {
	File string `json:"file"`
	jsonCaption
	Candidates []jsonCaption `json:"candidates,omitempty"`
}

func asJSON(c captioning.Candidate) jsonCaption {
	words := make([]jsonWord, len(c.Words))
	for i, w := range c.Words {
		words[i] = jsonWord{w.Text, w.LogProb}
	}
	return jsonCaption{c.Text, c.LogProb, probability(c), words}
}

// captionFormat writes captions in one of the formats that can be read back line by line: no line break is part of a
// value, so that a line that does not end was not written completely.
type captionFormat interface {
	// header is the first line, or empty.
	header() string
	// lines returns an image's lines, or an error if its name cannot be written.
	lines(c captioned) (string, error)
	// parse reads a line. last says that it is the last one of its image.
	parse(line string) (file, caption string, last bool, err error)
}

// jsonLines is the format of --json.
type jsonLines struct{ candidates bool }

func (jsonLines) header() string { return "" }

func (f jsonLines) lines(c captioned) (string, error) {
	line := jsonLine{File: c.file, jsonCaption: asJSON(c.best())}
	if f.candidates {
		for _, candidate := range c.candidates {
			line.Candidates = append(line.Candidates, asJSON(candidate))
		}
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out) // which ends the line
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(line)
	return out.String(), err
}

func (jsonLines) parse(line string) (file, caption string, last bool, err error) {
	var read struct{ File, Caption *string }
	if err := json.Unmarshal([]byte(line), &read); err != nil {
		return "", "", false, err
	}
	if read.File == nil || read.Caption == nil {
		return "", "", false, fmt.Errorf("it has no file or no caption")
	}
	return *read.File, *read.Caption, true, nil
}

// printText prints captions for people: the caption only if it is the only image, and otherwise the file before it;
// with candidates, each on its own line after its probability.
func printText(out io.Writer, c captioned, only, candidates bool) error {
	var text strings.Builder
	for _, candidate := range c.candidates {
		if !only {
			text.WriteString(c.file + "\t")
		}
		if candidates {
			text.WriteString(strconv.FormatFloat(probability(candidate), 'g', 4, 64) + "\t")
		}
		text.WriteString(candidate.Text + "\n")
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// cocoRow is a row of the COCO result format, with the log-probability added.
type cocoRow struct {
	ID      any     `json:"image_id"` // a string, or a score.ID
	Caption string  `json:"caption"`
	LogProb float64 `json:"log_prob"`
}

// printCOCO prints all captions as a list in COCO result format.
func printCOCO(out io.Writer, captions []captioned, id func(file string) any) error {
	rows := []cocoRow{}
	for _, c := range captions {
		rows = append(rows, cocoRow{id(c.file), c.best().Text, c.best().LogProb})
	}
	list := json.NewEncoder(out)
	list.SetEscapeHTML(false)
	list.SetIndent("", " ")
	return list.Encode(rows)
}

// fromCaption turns a caption without words into a candidate.
func fromCaption(c score.Caption) captioning.Candidate {
	return captioning.Candidate{Text: c.Text, LogProb: c.LogProb}
}
