package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"captionlab/captioning/score"
)

func newTokenizeCommand() *cobra.Command {
	var tokens string
	cmd := &cobra.Command{
		Use:   "tokenize",
		Short: "Tokenize captions: one caption per line in, its tokens per line out",
		Example: "  captionlab tokenize < captions.txt\n" +
			"  echo \"A man's dog.\" | captionlab tokenize --tokens treebank",
		Args: exactly(0, "none: captions are read from standard input"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			tokenize, err := score.Tokenizer(tokens)
			if err != nil {
				return usageError{err}
			}
			out := &tokenWriter{to: bufio.NewWriter(cmd.OutOrStdout())}
			out.tokenize = func(line, _ string) []string { return tokenize(line) }
			if tokens == "ptb" {
				out.tokenize, out.waits = score.PTBBefore, score.EndsInStop
			}
			return errors.Join(tokenizeLines(cmd.InOrStdin(), out), out.flush())
		},
	}
	cmd.Flags().StringVar(&tokens, "tokens", "ptb", "tokenizer: "+strings.Join(score.Tokenizers, ", "))
	return cmd
}

// maxLine is the longest line that is tokenized, in bytes.
const maxLine = 1 << 20

func tokenizeLines(from io.Reader, out *tokenWriter) error {
	in := bufio.NewReaderSize(from, maxLine)
	for n := 1; ; n++ {
		text, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("standard input:%d: the line has %d bytes or more", n, maxLine)
		case err != nil && !errors.Is(err, io.EOF):
			return err
		}
		line := string(text)
		if n == 1 {
			line = strings.TrimPrefix(line, "\ufeff") // a byte order mark
		}
		utf16 := n == 1 && len(line) > 1 && (line[0] == 0) != (line[1] == 0)
		if utf16 || !utf8.ValidString(line) {
			return fmt.Errorf("standard input:%d: the line is not UTF-8: convert the text", n)
		}
		if line != "" {
			out.add(strings.TrimSuffix(line, "\n"))
			if in.Buffered() == 0 { // someone who types sees the answer at once
				if err := out.to.Flush(); err != nil {
					return err
				}
			}
		}
		if err != nil {
			return nil
		}
	}
}

// tokenWriter writes the tokens of lines, some of which depend on the lines after them.
type tokenWriter struct {
	to       *bufio.Writer
	tokenize func(line, after string) []string
	waits    func(line string) bool // for the next line with a word; may be nil
	waiting  []string
}

// maxWaiting is the number of blank lines after which a line waits no longer.
const maxWaiting = 100

func (w *tokenWriter) add(line string) {
	blank := strings.TrimSpace(line) == ""
	if len(w.waiting) > 0 && blank && len(w.waiting) < maxWaiting {
		w.waiting = append(w.waiting, line)
		return
	}
	w.write(append(w.waiting, line))
	w.waiting = nil
	if w.waits != nil && w.waits(line) {
		w.waiting = []string{line}
		return
	}
	w.write([]string{line, ""})
}

// write writes the tokens of all lines but the last.
func (w *tokenWriter) write(lines []string) {
	for i, line := range lines[:len(lines)-1] {
		w.to.WriteString(strings.Join(w.tokenize(line, strings.Join(lines[i+1:], "\n")), " "))
		w.to.WriteByte('\n')
	}
}

func (w *tokenWriter) flush() error {
	w.write(append(w.waiting, ""))
	w.waiting = nil
	return w.to.Flush()
}
