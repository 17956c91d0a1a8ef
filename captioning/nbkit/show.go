package nbkit

import (
	"fmt"
	"html"
	"html/template"

	"github.com/janpfeifer/gonb/gonbui"
)

// Show shows HTML, as from Gallery, Curves or Table, below the cell. Outside a notebook it does nothing.
func Show(parts ...template.HTML) {
	for _, part := range parts {
		gonbui.DisplayHTML(string(part))
	}
}

// Shown shows HTML unless err is not nil, and returns err. It is the last line of most cells:
//
//	return nbkit.Shown(l.SplitTable())
func Shown(part template.HTML, err error) error {
	if err == nil {
		Show(part)
	}
	return err
}

// Text is a paragraph of plain text, formatted as by fmt.Sprintf.
func Text(format string, args ...any) template.HTML {
	return template.HTML(`<div style="font:14px/1.45 system-ui,sans-serif;margin:6px 0">` +
		html.EscapeString(fmt.Sprintf(format, args...)) + `</div>`)
}

// Heading is a small heading above what a cell shows next.
func Heading(text string) template.HTML {
	return template.HTML(`<div style="font:600 15px/1.6 system-ui,sans-serif;margin-top:8px">` +
		html.EscapeString(text) + `</div>`)
}
