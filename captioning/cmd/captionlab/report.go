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
		Use:   "report",
		Short: "Generate the tables, figures and claims from the records",
		Long: "Writes results/README.md, the figures next to it, and the tables in README.md, from the records in\n" +
			"results/ only.",
		Example: "  captionlab report\n  captionlab report --check   # fails if a table is stale",
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
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; fail if a file differs from what the records give")
	cmd.Flags().StringVar(&root, "root", ".", "folder of README.md and results/")
	return cmd
}
