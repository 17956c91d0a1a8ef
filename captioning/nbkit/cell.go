package nbkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/janpfeifer/gonb/gonbui"

	"captionlab/captioning"
)

// traceVariable, if set to anything, makes a panic in a cell print its stack.
const traceVariable = "CAPTIONLAB_NOTEBOOK_TRACE"

// Cell runs the body of a notebook cell with the lab that the settings cell configured. If the body returns an error
// or panics, Cell shows a short message that says what to do, and the process exits with status 1, so that "Run All"
// stops. Interrupting the cell cancels the lab's context: a training keeps its last checkpoint, and the next run of
// the cell resumes from it.
//
//	%%
//	nbkit.Cell(func(l *nbkit.Lab) error {
//		return nbkit.Shown(l.SplitTable())
//	})
func Cell(body func(l *Lab) error) {
	run(func(ctx context.Context) error {
		l, err := open(ctx)
		if err != nil {
			return err
		}
		defer l.close()
		return body(l)
	})
}

// Must returns value. If err is not nil, it panics with the error; Cell shows it like an error that the cell returned.
// Use it in notebook cells only.
func Must[T any](value T, err error) T {
	if err != nil {
		panic(unwanted{err})
	}
	return value
}

// unwanted is the panic of Must.
type unwanted struct{ error }

func (u unwanted) Unwrap() error { return u.error }

// run calls f with a context that an interrupt cancels. If f fails, it shows the error and exits.
func run(f func(ctx context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- guarded(ctx, f) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		select {
		case err = <-done:
		case <-time.After(stopPatience): // for example, XLA is compiling; files on disk are complete at any time
			err = captioning.ErrStopped
		}
	}
	if err != nil {
		Show(message(err))
		if !gonbui.IsNotebook {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if gonbui.IsNotebook {
		gonbui.Sync()
	}
	if err != nil {
		os.Exit(1)
	}
}

// stopPatience is the time an interrupted cell may take to end. GoNB kills it after five seconds, without a message.
const stopPatience = 3500 * time.Millisecond

// panicked is a panic turned into an error.
type panicked struct{ problem any }

func (p panicked) Error() string { return fmt.Sprint(p.problem) }

// guarded calls f and turns a panic into an error, the panic of Must into the error that it was given.
func guarded(ctx context.Context, f func(ctx context.Context) error) (err error) {
	defer func() {
		if os.Getenv(traceVariable) != "" {
			return
		}
		switch problem := recover().(type) {
		case nil:
		case unwanted:
			err = problem.error
		default:
			err = panicked{problem}
		}
	}()
	return f(ctx)
}

// Mistake shows the error of a deliberate mistake, so that the notebook continues. It fails if err is nil.
func Mistake(err error) error {
	if err == nil {
		return errors.New("this cell was meant to fail and did not: the mistake is no longer in it")
	}
	Show(message(err))
	return nil
}
