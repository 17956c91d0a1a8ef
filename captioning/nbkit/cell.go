package nbkit

import (
	"context"
	"errors"
	"fmt"
	"html"
	"html/template"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/janpfeifer/gonb/gonbui"

	"captionlab/captioning"
)

// traceVariable set to anything shows the stack of a panic in a cell as well.
const traceVariable = "CAPTIONLAB_NOTEBOOK_TRACE"

// Cell runs the body of a notebook cell with the lab that the settings cell laid out, and shows the error that it returns, or
// its panic, as a short message that says what to do. Interrupting the cell ends the lab's context: what trains keeps a
// checkpoint, and running the cell again goes on. The process exits with status 1 after an error, so that "Run All" stops.
//
//	%%
//	nbkit.Cell(func(l *nbkit.Lab) error {
//		return l.Show(...)
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

// run calls f with a context that an interrupt ends, shows its error, and exits where there is one.
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
		case <-time.After(stopPatience): // as while a program is compiled: what is on disk is whole, and the last checkpoint is there
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

// stopPatience is how long an interrupted cell may take to end: GoNB kills it after five seconds, without a word to the reader.
const stopPatience = 3500 * time.Millisecond

// panicked is a panic turned into an error.
type panicked struct{ problem any }

func (p panicked) Error() string { return fmt.Sprint(p.problem) }

func guarded(ctx context.Context, f func(ctx context.Context) error) (err error) {
	if os.Getenv(traceVariable) == "" {
		defer func() {
			if problem := recover(); problem != nil {
				err = panicked{problem}
			}
		}()
	}
	return f(ctx)
}

// message is what a reader sees of an error.
func message(err error) template.HTML {
	title, advice := "This did not work", ""
	var p panicked
	switch {
	case errors.Is(err, captioning.ErrStopped) || errors.Is(err, context.Canceled):
		return box("#8a6d00", "#fff8e1", "Stopped", "Nothing is lost: run the cell again to go on from here.")
	case errors.As(err, &p):
		title = "The code of this cell failed"
		advice = "\nWhat stands after the colon comes from the library that was called. Set " + traceVariable + "=1 with %env to see where."
	}
	return box("#a00000", "#fff0f0", title, firstLines(err.Error(), 6)+advice)
}

// Mistake shows the error of a mistake that a cell makes on purpose, so that the notebook goes on. It fails where there is none.
func Mistake(err error) error {
	if err == nil {
		return errors.New("this was to fail, and did not: the mistake has gone from the cell")
	}
	Show(message(err))
	return nil
}

// firstLines cuts a text, of which a stack may be part, to its beginning.
func firstLines(text string, n int) string {
	var kept []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if len(kept) == n || strings.HasPrefix(line, "goroutine ") || strings.HasPrefix(line, "\t/") {
			break
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\n")
}

func box(color, background, title, text string) template.HTML {
	return template.HTML(fmt.Sprintf(`<div class="captionlab-message" style="border-left:4px solid %s;background:%s;color:#222;padding:8px 12px;font:14px/1.45 system-ui,sans-serif;white-space:pre-wrap"><b style="color:%s">%s.</b> %s</div>`,
		color, background, color, html.EscapeString(title), html.EscapeString(text)))
}

// Note shows a line of plain text that is no result: what was found, what was left out.
func Note(format string, args ...any) {
	Show(box("#2b6cb0", "#eef5fc", "Note", fmt.Sprintf(format, args...)))
}

// Show shows HTML, as from Gallery, Curves or Table, below the cell. Outside of a notebook it prints nothing.
func Show(parts ...template.HTML) {
	for _, part := range parts {
		gonbui.DisplayHTML(string(part))
	}
}
