package score

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The package can be used alone: it imports, directly or not, the standard library, a JSON decoder and a few small
// packages of this module, but no GoMLX.
func TestImports(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".")
	var errs strings.Builder
	list.Stderr = &errs
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, errs.String())
	}
	packages := strings.Fields(string(out))
	if !slices.Contains(packages, "captionlab/captioning/score") {
		t.Fatalf("go list printed %q", packages)
	}
	allowed := []string{"captionlab/captioning/score", "captionlab/captioning/internal/atomicfile",
		"captionlab/datasets/jsonfile", "captionlab/datasets/regular"}
	for _, p := range packages {
		if !slices.Contains(allowed, p) && !strings.HasPrefix(p, "github.com/go-json-experiment/json") {
			t.Errorf("the package imports %s", p)
		}
	}
}
