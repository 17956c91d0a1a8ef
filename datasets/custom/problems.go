package custom

import (
	"fmt"
	"strings"
)

// Problem is a row or an image that could not be used.
type Problem struct {
	Kind   string `json:"kind"`             // one of a few fixed texts
	File   string `json:"file,omitempty"`   // path
	Line   int    `json:"line,omitempty"`   // counted from 1; 0 if it is not known
	Image  string `json:"image,omitempty"`  // as the file names it
	Detail string `json:"detail,omitempty"` // what is wrong and what to do

	offset int64 // in bytes, from which Line is found
}

// The values of Problem.Kind.
const (
	BadRow       = "rows that cannot be read, skipped"
	EmptyCaption = "empty captions, skipped"
	Outside      = "image names and links that lead out of the folder, skipped"
	NoFile       = "captioned images without an image file, skipped"
	Ambiguous    = "image names that may stand for several files, skipped"
	NoCaption    = "images without a caption, skipped"
	NoImage      = "captions of images that are not listed, skipped"
	UnknownSplit = "rows whose split is none of train, val and test, skipped"
	TwoSplits    = "rows of an image that is already in another split, skipped"
	NoSplit      = "images in no split, skipped"
	Unreadable   = "images that cannot be decoded"
)

// String returns "FILE:LINE: image IMAGE: DETAIL".
func (p Problem) String() string {
	var parts []string
	switch {
	case p.Line > 0:
		parts = append(parts, fmt.Sprintf("%s:%d", p.File, p.Line))
	case p.File != "":
		parts = append(parts, p.File)
	}
	if p.Image != "" {
		parts = append(parts, fmt.Sprintf("image %.200q", p.Image))
	}
	if p.Detail != "" {
		parts = append(parts, p.Detail)
	}
	return strings.Join(parts, ": ")
}

// Group is all problems of a kind.
type Group struct {
	Kind     string    `json:"kind"`
	Count    int       `json:"count"`
	Problems []Problem `json:"problems"`
}

// grouped sorts problems by kind, in the order in which the kinds occur.
func grouped(problems []Problem) []Group {
	var groups []Group
	at := make(map[string]int)
	for _, p := range problems {
		i, ok := at[p.Kind]
		if !ok {
			i = len(groups)
			at[p.Kind], groups = i, append(groups, Group{Kind: p.Kind})
		}
		groups[i].Count++
		groups[i].Problems = append(groups[i].Problems, p)
	}
	return groups
}

// summaries returns a line for each kind of problems, with the first of them.
func summaries(problems []Problem) []string {
	const shown = 3
	var lines []string
	for _, g := range grouped(problems) {
		var first []string
		for _, p := range g.Problems[:min(g.Count, shown)] {
			first = append(first, p.String())
		}
		more := ""
		if g.Count > shown {
			more = "; ..."
		}
		lines = append(lines, fmt.Sprintf("%s: %d (%s%s)", g.Kind, g.Count, strings.Join(first, "; "), more))
	}
	return lines
}
