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
			return tokenizeLines(cmd.InOrStdin(), cmd.OutOrStdout(), tokenize)
		},
	}
	cmd.Flags().StringVar(&tokens, "tokens", "ptb", "tokenizer: "+strings.Join(score.Tokenizers, ", "))
	return cmd
}

// maxLine is the longest line that is tokenized, in bytes.
const maxLine = 1 << 20

func tokenizeLines(from io.Reader, to io.Writer, tokenize func(string) []string) error {
	in, out := bufio.NewReaderSize(from, maxLine), bufio.NewWriter(to)
	for n := 1; ; n++ {
		text, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return errors.Join(out.Flush(), fmt.Errorf("standard input:%d: the line has %d bytes or more", n, maxLine))
		case err != nil && !errors.Is(err, io.EOF):
			return errors.Join(out.Flush(), err)
		}
		line := string(text)
		if n == 1 {
			line = strings.TrimPrefix(line, "\ufeff") // a byte order mark
		}
		utf16 := n == 1 && len(line) > 1 && (line[0] == 0) != (line[1] == 0)
		if utf16 || !utf8.ValidString(line) {
			return errors.Join(out.Flush(), fmt.Errorf("standard input:%d: the line is not UTF-8: convert the text", n))
		}
		if line != "" {
			out.WriteString(strings.Join(tokenize(strings.TrimSuffix(line, "\n")), " "))
			out.WriteByte('\n')
			if in.Buffered() == 0 { // someone who types sees the answer at once
				if err := out.Flush(); err != nil {
					return err
				}
			}
		}
		if err != nil {
			return out.Flush()
		}
	}
}
