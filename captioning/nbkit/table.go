package nbkit

import (
	"bytes"
	"html"
	"html/template"
)

var table = template.Must(template.New("table").Parse(`<table style="border-collapse:collapse;font:14px/1.4 system-ui,sans-serif;color:#222;background:#fff">
{{with .Head}}<tr>{{range .}}<th style="text-align:left;padding:4px 12px;border-bottom:2px solid #999">{{.}}</th>{{end}}</tr>
{{end}}{{range .Rows}}<tr>{{range .}}<td style="text-align:left;padding:3px 12px;border-bottom:1px solid #ddd;vertical-align:top">{{.}}</td>{{end}}</tr>
{{end}}</table>`))

// Table lays rows out below a head, which may be nil. Cells are plain text; a cell of type template.HTML is taken as it is.
func Table[T any](head []string, rows [][]T) template.HTML {
	var out bytes.Buffer
	if err := table.Execute(&out, struct {
		Head []string
		Rows [][]T
	}{head, rows}); err != nil {
		panic(err) // a bytes.Buffer takes everything, and the template is sound
	}
	return template.HTML(out.String())
}

// Heading is a small heading above what a cell shows next.
func Heading(text string) template.HTML {
	return template.HTML(`<div style="font:600 15px/1.6 system-ui,sans-serif;margin-top:8px">` + html.EscapeString(text) + `</div>`)
}
