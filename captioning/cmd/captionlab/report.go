package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"captionlab/captioning"
	"captionlab/captioning/experiment/report"
	"captionlab/captioning/score/meteor"
)

// reportCall is one call of captionlab report.
type reportCall struct {
	check, rescore bool
	root           string
}

func newReportCommand() *cobra.Command {
	var c reportCall
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Generate the tables, figures and claims from the records",
		Long: "Writes results/README.md, the figures next to it, and the tables in README.md, if there is one, from\n" +
			"the records in results/ only.\n\n" +
			"With --rescore, it first adds METEOR to records that lack it, by scoring the recorded captions; this\n" +
			"needs captionlab fetch meteor and the references of the datasets. No other number changes.",
		Example: "  captionlab report\n" +
			"  captionlab report --check     # fails if a table is stale\n" +
			"  captionlab report --rescore   # METEOR for runs recorded without it",
		Args: exactly(0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	cmd.Flags().BoolVar(&c.check, "check", false, "write nothing; fail if a file differs from what the records give")
	cmd.Flags().BoolVar(&c.rescore, "rescore", false, "add METEOR to the records, from the recorded captions")
	cmd.Flags().StringVar(&c.root, "root", ".", "folder of README.md and results/")
	return cmd
}

func (c *reportCall) run(ctx context.Context, out io.Writer) error {
	if c.check && c.rescore {
		return usageError{fmt.Errorf("--check writes nothing and --rescore writes records: use one of them")}
	}
	if c.check {
		return report.Check(c.root)
	}
	var refused error
	if c.rescore {
		if refused = c.rescoreRuns(ctx, out); errors.Is(refused, meteor.ErrNotFetched) || ctx.Err() != nil {
			return refused
		}
	}
	changed, err := report.Write(c.root)
	if err != nil {
		return errors.Join(refused, err)
	}
	for _, path := range changed {
		fmt.Fprintln(out, "wrote", path)
	}
	return refused
}

// rescoreRuns adds METEOR to the records of all runs and lists what was done.
func (c *reportCall) rescoreRuns(ctx context.Context, out io.Writer) error {
	rescored, same := 0, 0
	var reasons []string
	leftOut := make(map[string][]string) // folders by reason
	err := captioning.Rescore(ctx, filepath.Join(c.root, "results"), func(r captioning.Rescored) {
		switch {
		case r.LeftOut != nil:
			reason := r.LeftOut.Error()
			if leftOut[reason] == nil {
				reasons = append(reasons, reason)
			}
			leftOut[reason] = append(leftOut[reason], r.Folder)
		case r.Changed:
			rescored++
		default:
			same++
		}
	})
	if errors.Is(err, meteor.ErrNotFetched) {
		return fmt.Errorf("%w with `captionlab fetch meteor`", err)
	}
	for _, reason := range reasons {
		fmt.Fprintf(out, "left out: %s: %s\n", strings.Join(leftOut[reason], ", "), reason)
	}
	fmt.Fprintf(out, "METEOR: %d runs rescored, %d unchanged\n", rescored, same)
	return err
}
