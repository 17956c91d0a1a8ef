// Command captionlab trains, compares and runs image-captioning models. Run it without arguments for a list of its
// commands.
//
// Results go to standard output, progress and warnings to standard error. The exit status is 0 for success, 1 for a
// failure, 2 for wrong usage, and 75 if the work was stopped in good order by SIGTERM, SIGUSR1 or --stop-after: then a
// scheduler should queue it again. Ctrl-C stops long work so that the same command can continue it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// usageError marks errors of the command line itself.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func main() {
	os.Exit(run(os.Args[1:]))
}

// run is main without the exit.
func run(args []string) int {
	ctx, stop := stopSignals()
	defer stop()
	root := newRootCommand()
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	var usage usageError
	var requeue requeueError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "captionlab: %v\nRun '%s --help' for the usage.\n", err, command.CommandPath())
		return 2
	case errors.As(err, &requeue) || errors.Is(context.Cause(ctx), errRequeue):
		fmt.Fprintf(os.Stderr, "captionlab: %v\nExit status %d: run the same command again to continue.\n", err,
			exitRequeue)
		return exitRequeue
	default:
		fmt.Fprintln(os.Stderr, "captionlab:", err)
		return 1
	}
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "captionlab",
		Short: "Train, compare and run image-captioning models",
		Long: "captionlab reproduces \"Image Captioning using an LSTM Network\" and every variation of it.\n" +
			"Start with:  captionlab setup  and then  captionlab demo",
		SilenceErrors: true, SilenceUsage: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newSetupCommand(), newDemoCommand(), newFetchCommand(), newFeaturesCommand(), newTrainCommand(),
		newEvaluateCommand(), newCaptionCommand(), newScoreCommand(), newTokenizeCommand(), newReproduceCommand(),
		newReportCommand(), newPackCommand(), newDataCommand(), newServeCommand(), newMergeCommand(),
		newSubmitCommand())
	return root
}

// exactly checks the number of arguments and returns usage errors.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{fmt.Errorf("%d arguments given, want %s", len(args), what)}
		}
		return nil
	}
}
