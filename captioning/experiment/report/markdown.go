package report

import (
	"fmt"
	"strings"
)

// writeTable writes a Markdown table.
func writeTable(out *strings.Builder, columns []string, rows [][]string) {
	line := func(cells []string) { fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | ")) }
	line(columns)
	fmt.Fprintf(out, "|%s\n", strings.Repeat(" --- |", len(columns)))
	for _, row := range rows {
		line(row)
	}
}

// plainText escapes what Markdown would take for an HTML tag, as in <unk>.
func plainText(s string) string { return strings.ReplaceAll(s, "<", "&lt;") }

// enumerate joins names as in "a, b and c".
func enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
