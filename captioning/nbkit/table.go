package nbkit

import (
	"bytes"
	"html/template"
)

var table = template.Must(template.New("table").Parse(
	`<table style="border-collapse:collapse;font:14px/1.4 system-ui,sans-serif;color:#222;background:#fff">
{{with .Head}}<tr>{{range .}}` +
		`<th style="text-align:left;padding:4px 12px;border-bottom:2px solid #999">{{.}}</th>` +
		`{{end}}</tr>
{{end}}{{range .Rows}}<tr>{{range .}}` +
		`<td style="text-align:left;padding:3px 12px;border-bottom:1px solid #ddd;vertical-align:top">{{.}}</td>` +
		`{{end}}</tr>
{{end}}</table>`))

// Table returns a table of rows below a head, which may be nil. Cells are plain text, except those of type
// template.HTML, which are inserted unchanged.
func Table[T any](head []string, rows [][]T) template.HTML {
	var out bytes.Buffer
	if err := table.Execute(&out, struct {
		Head []string
		Rows [][]T
	}{head, rows}); err != nil {
		panic(err) // cannot happen: a bytes.Buffer accepts all writes, and the template is valid
	}
	return template.HTML(out.String())
}
