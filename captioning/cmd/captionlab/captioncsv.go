package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// csvLines is the format of --csv: RFC 4180 with a header, one row an image or, with candidates, one row a candidate,
// numbered from 1, best first.
type csvLines struct{ candidates bool }

func (f csvLines) columns() []string {
	if f.candidates {
		return []string{"file", "caption", "probability", "candidate", "candidates"}
	}
	return []string{"file", "caption", "probability"}
}

func (f csvLines) header() string { return row(f.columns()) }

func (f csvLines) lines(c captioned) (string, error) {
	if strings.ContainsAny(c.file, "\r\n") {
		return "", errors.New("its name has a line break, which --csv cannot write safely: rename it, or use --json")
	}
	var out strings.Builder
	for i, candidate := range c.candidates {
		fields := []string{c.file, candidate.Text, strconv.FormatFloat(probability(candidate), 'g', 6, 64)}
		if f.candidates {
			fields = append(fields, strconv.Itoa(i+1), strconv.Itoa(len(c.candidates)))
		}
		out.WriteString(row(fields))
	}
	return out.String(), nil
}

// row is a line of CSV. Fields with commas, quotes or spaces at their edges are quoted.
func row(fields []string) string {
	fields = slices.Clone(fields)
	for i, field := range fields {
		if strings.ContainsAny(field, ",\"\r\n") || field == "" || strings.TrimSpace(field) != field {
			fields[i] = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
		}
	}
	return strings.Join(fields, ",") + "\r\n"
}

func (f csvLines) parse(line string) (file, caption string, last bool, err error) {
	reader := csv.NewReader(strings.NewReader(line))
	reader.FieldsPerRecord = len(f.columns())
	fields, err := reader.Read()
	if err != nil {
		return "", "", false, err
	}
	if !f.candidates {
		return fields[0], fields[1], true, nil
	}
	number, err := strconv.Atoi(fields[3])
	of, err2 := strconv.Atoi(fields[4])
	if err = errors.Join(err, err2); err == nil && (number < 1 || number > of) {
		err = fmt.Errorf("it is candidate %d of %d", number, of)
	}
	return fields[0], fields[1], number == of, err
}
