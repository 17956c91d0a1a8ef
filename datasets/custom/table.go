package custom

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"captionlab/datasets/internal/textfile"
)

// The names of columns, the likeliest first. Other columns are not read.
var (
	imageColumns = []string{"file_name", "filename", "image", "image_name", "image_path", "image_file",
		"image_filename", "filepath", "file_path", "file", "path", "img", "img_path", "img_name", "image_id"}
	captionColumns = []string{"text", "caption", "captions", "comment", "sentence", "sentences", "description", "title"}
	splitColumns   = []string{"split", "set", "subset", "partition"}
)

const (
	maxHeader = 64 << 10  // length of the longest header, in bytes
	maxText   = 512 << 20 // size of the largest table, in bytes: it is in memory as a whole
	maxLine   = 1 << 20   // length of the longest row, in bytes
)

func readText(name string, in io.Reader) (string, error) {
	text, err := textfile.From(name, in, maxText)
	if err != nil && strings.Contains(err.Error(), "UTF-16") {
		err = fmt.Errorf("%w, for instance with: iconv -f UTF-16 -t UTF-8", err)
	}
	return text, err
}

// header is the first line of a table.
type header struct {
	separator             rune
	names                 []string // of the columns
	image, caption, split int      // indices; split is -1 if there is none
}

// parseHeader reads the first line of a text. The separator is the one with which it names an image and a caption.
func parseHeader(text string) (header, error) {
	line, _, _ := strings.Cut(strings.TrimPrefix(text, "\ufeff"), "\n")
	for _, separator := range []rune{',', '\t', '|', ';'} {
		h := header{separator: separator}
		for name := range strings.SplitSeq(line, string(separator)) {
			h.names = append(h.names, columnName(name))
		}
		h.image, h.caption, h.split = h.column(imageColumns), h.column(captionColumns), h.column(splitColumns)
		if h.image >= 0 && h.caption >= 0 {
			return h, nil
		}
	}
	return header{}, fmt.Errorf("the first line, %.80q, does not name the columns: write one such as file_name,text",
		strings.TrimSpace(line))
}

// columnName is a column's name in lower case, with underscores, without quotes.
func columnName(name string) string {
	name = strings.Trim(strings.TrimSpace(name), `"`)
	return strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(name)))
}

// column returns the index of the column with the first of the names that there is, or -1.
func (h header) column(names []string) int {
	for _, name := range names {
		if i := slices.Index(h.names, name); i >= 0 {
			return i
		}
	}
	return -1
}

// readTable reads a table: CSV, with quotes as in RFC 4180, or columns separated by tabs or "|", whose rows are lines
// and whose quotes count as text unless they enclose a whole field between tabs.
func (c *content) readTable(o *origin, in io.Reader) error {
	text, err := readText(o.file.Name, in)
	if err != nil {
		return err
	}
	h, err := parseHeader(text)
	if err != nil {
		return fmt.Errorf("%s:1: %w", o.file.Name, err)
	}
	t := table{c, h, o.row}
	if h.separator == ',' || h.separator == ';' {
		t.readQuoted(text)
		return nil
	}
	for line := range strings.Lines(text) {
		t.row.line++
		line = strings.TrimRight(line, "\r\n")
		if t.row.line == 1 || strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.Split(line, string(h.separator))
		if h.separator == '\t' {
			for i, f := range fields {
				fields[i] = unquote(f)
			}
		}
		t.add(fields)
	}
	return nil
}

// unquote removes the quotes around a whole field.
func unquote(field string) string {
	if len(field) > 1 && field[0] == '"' && field[len(field)-1] == '"' {
		return strings.ReplaceAll(field[1:len(field)-1], `""`, `"`)
	}
	return field
}

// table is a table that is being read.
type table struct {
	c   *content
	h   header
	row row // the current one, without image and captions
}

// add adds a row.
func (t *table) add(fields []string) {
	r := t.row
	last := max(t.h.image, t.h.caption, t.h.split)
	for len(fields) > len(t.h.names) && strings.TrimSpace(fields[len(fields)-1]) == "" {
		fields = fields[:len(fields)-1]
	}
	switch {
	case len(fields) > len(t.h.names) && t.h.separator != ',' && t.h.separator != ';' &&
		t.h.caption == len(t.h.names)-1: // the separator in a caption, which has no quotes
		rest := strings.Join(fields[t.h.caption:], string(t.h.separator))
		fields = append(fields[:t.h.caption:t.h.caption], rest)
	case len(fields) > len(t.h.names) || len(fields) <= last:
		what := fmt.Sprintf("it has %d columns, the header %d: write as many", len(fields), len(t.h.names))
		if t.h.separator == ',' {
			what += ", with quotes around a caption that contains a comma"
		}
		t.c.problem(r.problem(BadRow, "%s", what))
		return
	}
	r.image, r.captions = strings.TrimSpace(fields[t.h.image]), []string{fields[t.h.caption]}
	if !utf8.ValidString(r.image) {
		t.c.problem(r.problem(BadRow, "its image's name is not UTF-8: save the file as UTF-8"))
		return
	}
	if t.h.split >= 0 && !t.c.setSplit(&r, fields[t.h.split]) {
		return
	}
	t.c.add(r)
}

// readQuoted reads CSV. After a row that is no CSV it resumes on the next line, so that a quote that is never closed
// costs only its row.
func (t *table) readQuoted(text string) {
	base := 0 // lines before text
	for text != "" {
		bad := t.readUntilBad(text, base)
		if bad == nil {
			return
		}
		line := ""
		for range bad.StartLine {
			line, text, _ = strings.Cut(text, "\n")
		}
		base += bad.StartLine
		t.row.line = base
		if bad.Line == bad.StartLine && errors.Is(bad.Err, csv.ErrBareQuote) {
			r := t.reader(line)
			r.LazyQuotes = true // a quote inside of a field that does not begin with one counts as text
			if fields, err := r.Read(); err == nil {
				t.add(fields)
				continue
			}
		}
		t.c.problem(t.row.problem(BadRow,
			"a quote in it is not closed, or text follows a closing one: put quotes around "+
				"the caption, and double those inside"))
	}
}

func (t *table) reader(text string) *csv.Reader {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord = t.h.separator, -1
	return r
}

// readUntilBad adds rows until one is no CSV. It returns the error, or nil at the end.
func (t *table) readUntilBad(text string, base int) *csv.ParseError {
	r := t.reader(text)
	for {
		fields, err := r.Read()
		var bad *csv.ParseError
		switch {
		case errors.As(err, &bad):
			return bad
		case err != nil:
			return nil
		}
		line, _ := r.FieldPos(0)
		if t.row.line = base + line; t.row.line > 1 {
			t.add(fields)
		}
	}
}
