package nbkit

import (
	"context"
	"errors"
	"fmt"
	"html"
	"html/template"
	"strings"

	"captionlab/captioning"
)

// message is the box that shows an error.
func message(err error) template.HTML {
	title, advice := "This did not work", ""
	var p panicked
	switch {
	case errors.Is(err, captioning.ErrStopped) || errors.Is(err, context.Canceled):
		return box(warningColors, "Stopped", "Nothing is lost: run the cell again to continue from here.")
	case errors.As(err, &p):
		title = "The code of this cell failed"
		advice = "\nThe text after the colon comes from the library that the cell called. To see where, set " +
			traceVariable + "=1 with %env."
	}
	return box(errorColors, title, firstLines(err.Error(), 6)+advice)
}

// Note shows a line of plain text that is not a result: what was found, or what was left out.
func Note(format string, args ...any) {
	Show(box(noteColors, "Note", fmt.Sprintf(format, args...)))
}

// firstLines returns at most the first n lines of a text, and none of a stack trace.
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

// boxColors are the colors of a box: of its edge and title, and of its background.
type boxColors struct{ edge, background string }

var (
	errorColors   = boxColors{"#a00000", "#fff0f0"}
	warningColors = boxColors{"#8a6d00", "#fff8e1"}
	noteColors    = boxColors{"#2b6cb0", "#eef5fc"}
)

func box(c boxColors, title, text string) template.HTML {
	return template.HTML(fmt.Sprintf(`<div class="captionlab-message" style="border-left:4px solid %s;background:%s;`+
		`color:#222;padding:8px 12px;font:14px/1.45 system-ui,sans-serif;white-space:pre-wrap">`+
		`<b style="color:%s">%s.</b> %s</div>`,
		c.edge, c.background, c.edge, html.EscapeString(title), html.EscapeString(text)))
}
