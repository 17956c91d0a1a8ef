package main

import (
	"bufio"
	"errors"
	"io"
	"strings"

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
			in, out := bufio.NewReader(cmd.InOrStdin()), bufio.NewWriter(cmd.OutOrStdout())
			for {
				line, err := in.ReadString('\n')
				if line != "" {
					out.WriteString(strings.Join(tokenize(strings.TrimSuffix(line, "\n")), " "))
					out.WriteByte('\n')
					if in.Buffered() == 0 { // someone who types sees the answer at once
						if err := out.Flush(); err != nil {
							return err
						}
					}
				}
				if errors.Is(err, io.EOF) {
					return out.Flush()
				}
				if err != nil {
					return err
				}
			}
		},
	}
	cmd.Flags().StringVar(&tokens, "tokens", "ptb", "tokenizer: "+strings.Join(score.Tokenizers, ", "))
	return cmd
}
