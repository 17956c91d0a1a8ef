package nbkit

import (
	"fmt"
	"html"
	"html/template"
)

// Text is a paragraph of plain text, formatted as by fmt.Sprintf, for a result that is best said in a sentence.
func Text(format string, args ...any) template.HTML {
	return template.HTML(`<div style="font:14px/1.45 system-ui,sans-serif;margin:6px 0">` + html.EscapeString(fmt.Sprintf(format, args...)) + `</div>`)
}
