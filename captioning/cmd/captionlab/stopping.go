package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// exitRequeue is the exit status of work that was stopped in good order and should be queued again: EX_TEMPFAIL of
// sysexits.h, which schedulers and mail servers take as "try again later".
const exitRequeue = 75

// errRequeue is the cause of a context that was ended so that the work is queued again.
var errRequeue = errors.New("stopped to be queued again")

// requeueError marks the error of a command whose work should be queued again.
type requeueError struct{ error }

func (e requeueError) Unwrap() error { return e.error }

// stopSignals returns a context that ends with the first Ctrl-C, SIGTERM or warning of a scheduler (SIGUSR1), the last
// two with the cause errRequeue. After a warning, the signal that it warns of changes nothing; otherwise a second
// signal ends the program at once.
func stopSignals() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, append(warnings, os.Interrupt, syscall.SIGTERM)...)
	go func() {
		for s := range signals {
			var cause error // of an interrupt: context.Canceled
			if s != os.Interrupt {
				cause = errRequeue
			}
			cancel(cause)
			if s == os.Interrupt || s == syscall.SIGTERM {
				signal.Reset(os.Interrupt, syscall.SIGTERM)
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// stopAfter returns a context that ends after d with the cause errRequeue, or never if d is 0.
func stopAfter(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, d, errRequeue)
}
