// Package layout checks the rules of the house for Go files: their length, that of functions and lines, and the number
// of parameters.
package layout

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	maxFile       = 350 // lines
	maxFunction   = 70  // lines
	maxParameters = 5
	maxLine       = 120 // columns, a tab counting as four
)

func TestGoFiles(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	for _, top := range []string{"captioning", "datasets"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" {
				return err
			}
			problems, err := check(path)
			for _, p := range problems {
				t.Error(strings.TrimPrefix(p, root+string(filepath.Separator)))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// check lists what is wrong with one file.
func check(path string) ([]string, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var problems []string
	lines := strings.Split(strings.TrimSuffix(string(source), "\n"), "\n")
	if len(lines) > maxFile && !strings.HasPrefix(filepath.Base(path), "lexer") { // the lexer's tables are long
		problems = append(problems, fmt.Sprintf("%s: %d lines, at most %d", path, len(lines), maxFile))
	}
	for i, line := range lines {
		if n := len([]rune(strings.ReplaceAll(line, "\t", "    "))); n > maxLine {
			problems = append(problems, fmt.Sprintf("%s:%d: %d columns, at most %d", path, i+1, n, maxLine))
		}
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, 0)
	if err != nil {
		return nil, err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		function, ok := n.(*ast.FuncDecl)
		if !ok {
			return true
		}
		from, to := files.Position(function.Pos()), files.Position(function.End())
		if length := to.Line - from.Line + 1; length > maxFunction {
			problems = append(problems,
				fmt.Sprintf("%s: %s has %d lines, at most %d", from, function.Name, length, maxFunction))
		}
		if n := function.Type.Params.NumFields(); n > maxParameters {
			problems = append(problems,
				fmt.Sprintf("%s: %s has %d parameters, at most %d", from, function.Name, n, maxParameters))
		}
		return true
	})
	return problems, nil
}
