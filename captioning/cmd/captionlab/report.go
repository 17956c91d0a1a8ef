package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"captionlab/captioning/experiment/report"
)

func newReportCommand() *cobra.Command {
	var check bool
	var root string
	cmd := &cobra.Command{
		Use:     "report",
		Short:   "Make the tables, figures and claims out of the records",
		Long:    "Writes results/README.md, the figures beside it, and the table in README.md out of the records in results/ alone.",
		Example: "  captionlab report\n  captionlab report --check   # fails where a table is stale",
		Args:    exactly(0, "none"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check {
				return report.Check(root)
			}
			changed, err := report.Write(root)
			if err != nil {
				return err
			}
			for _, path := range changed {
				fmt.Fprintln(cmd.OutOrStdout(), "wrote", path)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; fail where a file is not what the records give")
	cmd.Flags().StringVar(&root, "root", ".", "folder that holds README.md and results/")
	return cmd
}
